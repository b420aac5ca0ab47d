"""The errors of our own: what a person gave cannot be used, and what is suggested instead; or the judge failed."""

from collections.abc import Iterable
from pathlib import Path


class InputError(ValueError):
    """A file, a name or an option that cannot be used; the message says what came, what was expected and the mend.

    The command line prints it as one sentence and ends with exit code 2. Shapes and types that do not fit
    raise Python's own ValueError and TypeError, as in PyTorch.
    """


class JudgeError(Exception):
    """The workshop's judge failed, which says nothing about the solution: a mistake of handmade's, to be reported.

    path: the solution; the error's cause is what was raised.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(f"the judge failed on {path}. That says nothing about your file.")
        self.path = path


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: '; did you mean ...?' when one of `known` is near, otherwise '.'."""
    import difflib  # for the message only

    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else "."
