"""The program in a terminal, with keys typed as a person types them."""

import os
import pty
import select
import signal
import time

from tests.support.warm import warm

LIBRARIES = "numpy typer rich.console rich.live rich.markdown rich.progress rich.syntax rich.table"
"""What the commands load and is none of ours: that is loaded by each, in the environment that it is given."""


def in_a_terminal(
    command: list[str],
    folder,
    keys: list[str],
    columns: int = 40,
    codes: tuple[int, ...] = (0,),
    patience: float = 20,
    **environment,
) -> str:
    """What a terminal shows while the keys are typed, each when the program waits for it.

    codes: the exit codes with which the program may end. patience: seconds that it is waited for after each key.
    """
    terminal, theirs = pty.openpty()
    program, files = warm(LIBRARIES), [os.ttyname(theirs)] * 3
    settings = {"COLUMNS": str(columns), "TERM": "xterm", **environment}
    program.start("from handmade.cli import main\nmain()", *command, folder=folder, files=files, **settings)
    os.close(theirs)
    shown = ""
    for key in [*keys, None]:
        quiet = time.monotonic() + patience
        while time.monotonic() < quiet:
            if select.select([terminal], [], [], 0.5)[0]:
                try:
                    read = os.read(terminal, 100_000).decode(errors="replace")
                except OSError:
                    read = ""
                if not read:
                    quiet = 0
                shown += read
            elif shown.endswith((") ", "  ", ": ")) and key is not None:
                break
        if key is not None:
            os.write(terminal, key.encode())
    os.close(terminal)
    assert program.wait() in (*codes, -signal.SIGHUP), shown
    return shown
