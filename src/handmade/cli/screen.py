"""Text for the screen that there is: narrow or wide, low or high; a pipe gets everything in whole lines."""

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence

from handmade.tables import cell_text, table

NARROWEST = 20
"""Columns below which nothing is fitted any more."""


def width() -> int | None:
    """The columns of the terminal; None where the output goes elsewhere."""
    return max(shutil.get_terminal_size().columns, NARROWEST) if sys.stdout.isatty() else None


def say(text: str = "", error: bool = False) -> None:
    """Print text; in a terminal its lines break between words, and go on below their beginning."""
    stream = sys.stderr if error else sys.stdout
    print(wrapped(text) if stream.isatty() else text, file=stream)


def prompted(text: str) -> str:
    """A question as it is shown before the cursor."""
    return f"{wrapped(text.rstrip())} " if sys.stdout.isatty() else text


def wrapped(text: str) -> str:
    """The text in lines that the terminal has room for."""
    columns = max(shutil.get_terminal_size().columns, NARROWEST)
    return "\n".join(_wrapped(line, columns) for line in text.split("\n"))


def page(text: str) -> None:
    """Print a list; where it is longer than the terminal is high, in a pager, which q leaves."""
    if sys.stdout.isatty() and sys.stdin.isatty() and text.count("\n") >= shutil.get_terminal_size().lines - 1:
        import pydoc

        os.environ.setdefault("LESS", "FRX")  # a list that fits after all stays, and so does what was read
        pydoc.pager(text)
    else:
        print(text)


def fitted(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; where the terminal is too narrow for it, a paragraph for each row, which begins with its first cell."""
    whole, columns = table(header, rows), width()
    if columns is None or max(map(len, whole.split("\n"))) <= columns:
        return whole
    paragraphs = []
    for row in rows:
        cells = list(map(cell_text, row))
        facts = [f"{name} {cell}" for name, cell in zip(header[1:], cells[1:], strict=True) if cell]
        paragraphs.append(wrapped(f"{cells[0]}: {', '.join(facts)}" if facts else cells[0]))
    return "\n".join(paragraphs)


def _wrapped(line: str, columns: int) -> str:
    """Of a line as "  Review   18 cards" the text, below which it goes on, is what stands behind the wide gap."""
    label = re.match(r" *\w+ {2,}", line)
    indent = min(label.end() if label else len(line) - len(line.lstrip()) + 2, columns // 2)
    options = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": " " * indent}
    return textwrap.fill(line, columns, **options) if len(line) > columns else line
