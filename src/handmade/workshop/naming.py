"""Which exercise is meant: by its name, its number, a file's name or a path, as a person types them."""

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from handmade.errors import InputError, suggestion
from handmade.workshop.exercises import NAMES, exercise_named

if TYPE_CHECKING:  # the names alone are had without NumPy
    from handmade.workshop.exercise import Exercise


def exercise_meant(given: str) -> "Exercise":
    """The exercise that `given` means, as `meant` understands it."""
    return exercise_named(meant(given))


def meant(given: str) -> str:
    """The name of the exercise that `given` means.

    Understood are names in any spelling (self_attention, Self-Attention), numbers in the order of study (2, 02), names
    of files (02_cross_entropy.py, self_attention.1.py) and paths (basics/softmax.py). InputError for anything else.
    """
    if given.strip().isdecimal():
        return _numbered(int(given))
    name = named_in(given)
    if name is None:
        close = suggestion(_plain(PurePath(given).name.partition(".")[0]), NAMES)
        raise InputError(f"there is no exercise {given!r}{close} `handmade progress` lists them.")
    return name


def named_in(given: str) -> str | None:
    """The exercise in a name or a path; None where there is none."""
    stem = _plain(PurePath(given.replace("\\", "/")).name.partition(".")[0])
    for name in (stem, re.sub(r"^\d+_", "", stem)):
        if name in NAMES:
            return name
    return None


def _numbered(number: int) -> str:
    if not 1 <= number <= len(NAMES):
        raise InputError(
            f"there is no exercise {number}: they have the numbers 1 to {len(NAMES)}, which `handmade progress` lists."
        )
    return NAMES[number - 1]


def _plain(text: str) -> str:
    return re.sub(r"[\s-]+", "_", text.strip().lower())
