"""Text for the screen that there is: narrow or wide, low or high; a pipe gets everything in whole lines."""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence

from handmade.errors import printable
from handmade.tables import cell_text, table
from handmade.terminal import columns, for_stream, redraws, wrapped


def width() -> int | None:
    """The columns of the terminal; None where the output goes elsewhere."""
    return columns() if sys.stdout.isatty() else None


def say(text: str = "", error: bool = False) -> None:
    """Print text; in a terminal its lines break between words, and go on below their beginning."""
    stream = sys.stderr if error else sys.stdout
    print(for_stream(text, stream), file=stream, flush=True)


def harmless(text: str) -> str:
    """What a model wrote, for the terminal, which it must not control; a pipe gets it as it is."""
    return printable(text) if sys.stdout.isatty() else text


def prompted(text: str) -> str:
    """A question as it is shown before the cursor."""
    return f"{wrapped(text.rstrip())} " if sys.stdout.isatty() else text


def page(text: str) -> None:
    """Print what may be long; where it is longer than the terminal is high, in a pager, which q and Ctrl-C leave."""
    shown = for_stream(text, sys.stdout)
    high = shown.count("\n") >= shutil.get_terminal_size().lines - 1
    if not (high and redraws(sys.stdout) and sys.stdin.isatty() and _paged(shown)):
        print(shown, flush=True)


def _paged(text: str) -> bool:
    """Show the text in $PAGER, or in less. False where there is none, or $PAGER is no command."""
    import subprocess

    try:
        command = shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:  # a quotation without an end
        return False
    if not command or shutil.which(command[0]) is None:
        return False
    # What fits after all stays, and so does what was read; Ctrl-C leaves, as q does.
    environment = {"LESS": "FRXK", "LESSCHARSET": "utf-8", **os.environ}
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, encoding="utf-8", env=environment) as pager:
        try:
            pager.communicate(text + "\n")
        except KeyboardInterrupt:
            pager.wait()  # it leaves by itself, and puts the terminal back in order
    return True


def fitted(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; where the terminal is too narrow for it, a paragraph for each row, which begins with its first cell."""
    whole, room = table(header, rows), width()
    if room is None or max(map(len, whole.split("\n"))) <= room:
        return whole
    paragraphs = []
    for row in rows:
        cells = list(map(cell_text, row))
        facts = [f"{name} {cell}".lstrip() for name, cell in zip(header[1:], cells[1:], strict=True) if cell]
        paragraphs.append(wrapped(f"{cells[0]}: {', '.join(facts)}" if facts else cells[0]))
    return "\n".join(paragraphs)
