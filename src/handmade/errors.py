"""Our own errors: input that cannot be used, with what is suggested instead, and a judge that failed."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path

LONGEST_LINE = 1_500
"""Characters of a message's line; a longer one repeats what a file holds, and loses its middle."""


class InputError(ValueError):
    """A file, a name or an option that cannot be used; the message says what came, what was expected and the mend.

    The command line prints it as one sentence and ends with exit code 2. Shapes and types that do not fit
    raise Python's own ValueError and TypeError, as in PyTorch. A message may repeat what a file says: its control
    characters are written out, and lines that are too long are cut.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__("\n".join(map(_cut, printable(str(message)).split("\n"))))


class JudgeError(Exception):
    """The workshop's judge failed, which says nothing about the solution: a mistake of handmade's, to be reported.

    path: the solution; the error's cause is what was raised.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(f"the judge failed on {path}. That says nothing about your file.")
        self.path = path


def printable(text: str) -> str:
    """`text` with the characters that control a terminal, or the direction of writing, written as escapes."""
    return text if text.isascii() and text.isprintable() else "".join(map(_harmless, text))


def _harmless(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return character
    return character.encode("unicode_escape").decode()


def _cut(line: str) -> str:
    kept = LONGEST_LINE // 2
    return line if len(line) <= LONGEST_LINE else f"{line[:kept]} ... {line[-kept:]}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: '; did you mean ...?' when one of `known` is near, otherwise '.'."""
    import difflib  # for the message only

    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else "."
