"""What is new in each version, for those who used an earlier one."""

from pathlib import Path

from handmade import __version__
from handmade.reading import read_json, require

NEWS: dict[str, tuple[str, ...]] = {
    "0.2.0": (
        "handmade try NAME runs your function on one case; handmade check NAME --case LABEL checks one",
        "exercises go by number, file or path, too: handmade check 2",
        "in notebooks: %load_ext handmade, then %%check NAME; handmade start --notebooks",
        "handmade train MODEL --show; handmade train --resume RUN --steps N trains a finished run longer",
        "handmade predict tells when an image is unlike those it learned from; handmade predict --invert",
        "interviews ask before they take an answer; t tries it",
        "recipe.optimizer and recipe.schedule name settings; the methods are recipe.make_optimizer and make_schedule",
    ),
}
"""The lines of each version, the newest version first."""


def news_since(version: str) -> list[str]:
    """What is new after this version, the newest first."""
    return [line for later, lines in NEWS.items() if _number(later) > _number(version) for line in lines]


def last_used(folder: Path, workspace: Path | None = None) -> str | None:
    """The newest version that wrote a run in the folder's runs/ or the workspace's record; None where none did."""
    files = [*folder.glob("runs/*/config.json"), *([workspace / "progress.json"] if workspace else [])]
    found = [version for version in map(_version_in, files) if version is not None]
    return max(found, key=_number, default=None)


def news_here(folder: Path, workspace: Path | None = None) -> list[str]:
    """What to say in this folder after an update: nothing where nothing was written before it."""
    before = last_used(folder, workspace)
    lines = news_since(before) if before else []
    if not lines:
        return []
    heading = f"New since handmade {before}, with which you worked here last (this is {__version__}):"
    return [heading, *(f"  - {line}" for line in lines)]


def _version_in(path: Path) -> str | None:
    try:
        facts = read_json(path)
        require(facts, {"handmade": str}, str(path))
        return facts["handmade"] if _number(facts["handmade"]) else None
    except ValueError:  # damaged, or of no version; InputError is one
        return None


def _number(version: str) -> tuple[int, ...]:
    """(0, 2, 0) of 0.2.0. ValueError where it is none."""
    return tuple(int(part) for part in version.split("."))
