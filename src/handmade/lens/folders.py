"""Folders of pictures: what they are called, and that none is replaced by pictures of something else."""

import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path

from handmade.files import write_text

LONGEST_SLUG = 40
"""Letters of a text in the name of its folder."""

OF = "of.json"
"""The file in a folder of pictures that says what they are of."""


def own_folder(wanted: Path, shown: Mapping[str, str | None]) -> Path:
    """`wanted`, or with -2, -3 ... behind it where pictures of something else lie: these are never replaced.

    shown: what the pictures are of, for example {"source": "runs/gpt-1", "text": "To be"}. The same shown again has
    the folder that it had. The folder exists afterwards.
    """
    said = json.dumps(dict(shown), indent=1, ensure_ascii=False)
    others = (wanted.with_name(f"{wanted.name}-{number}") for number in itertools.count(2))
    folders = itertools.chain([wanted], others)
    folder = next(folder for folder in folders if not folder.exists() or _told(folder) == said)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / OF, said)
    return folder


def slug(text: str) -> str:
    """The first words of a text, as a folder can be called: "To be, or not" gives to-be-or-not."""
    slug = ""
    for word in re.findall(r"\w+", text.lower()):
        if len(slug) + len(word) > LONGEST_SLUG:
            break
        slug += f"-{word}" if slug else word
    return slug or "text"


def _told(folder: Path) -> str | None:
    told = folder / OF
    return told.read_text(encoding="utf-8", errors="replace") if told.is_file() else None
