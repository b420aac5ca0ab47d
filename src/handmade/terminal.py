"""The terminal that there is: how wide it is, lines that fit it, and whether it can draw over what it has shown."""

import os
import re
import shutil
import textwrap
from typing import TextIO

NARROWEST = 20
"""Columns below which nothing is fitted any more."""


def columns() -> int:
    """How wide the terminal is."""
    return max(shutil.get_terminal_size().columns, NARROWEST)


def redraws(stream: TextIO) -> bool:
    """Whether a line on this stream may be drawn anew: not in a pipe, nor where TERM is dumb, as for screen readers."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def wrapped(text: str, hang: int = 2) -> str:
    """The text in lines that the terminal has room for; they break between words, and go on `hang` further right."""
    room = columns()
    return "\n".join(_wrapped(line, room, hang) for line in text.split("\n"))


def for_stream(text: str, stream: TextIO, hang: int = 2) -> str:
    """The text as it is printed there: wrapped on a terminal, in whole lines elsewhere."""
    return wrapped(text, hang) if stream.isatty() else text


def _wrapped(line: str, room: int, hang: int) -> str:
    """Of a line as "  Review   18 cards" the text, below which it goes on, is what stands behind the wide gap."""
    if len(line) <= room:
        return line
    label = re.match(r" *(\w+ {2,}|\d+\. )", line)
    indent = min(label.end() if label else len(line) - len(line.lstrip()) + hang, room // 2)
    whole = re.sub(r"`[^`]+`", lambda command: _kept_whole(command[0], room - indent), line)
    options = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": " " * indent}
    return textwrap.fill(whole, room, **options).replace("\0", " ")


def _kept_whole(command: str, room: int) -> str:
    """A command in backticks stays on one line where it fits on one, so that it can be copied."""
    return command.replace(" ", "\0") if len(command) <= room else command
