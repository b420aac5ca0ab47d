"""The program in a terminal, with keys typed as a person types them."""

import os
import pty
import select
import signal
import sys
import time


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
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        os.environ.update(COLUMNS=str(columns), TERM="xterm", **environment)
        os.execv(sys.executable, [sys.executable, "-m", "handmade", *command])
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
    status = os.waitpid(pid, 0)[1]
    assert os.waitstatus_to_exitcode(status) in (*codes, -signal.SIGHUP), shown
    return shown
