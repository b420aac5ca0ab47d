"""Build the site: `python -m docs.making` runs the examples, makes the pages, and puts the site into build/site."""

import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

import handmade
from docs.making import examples
from docs.making.api import PACKAGES, api_pages
from docs.making.exercises import exercise_index, exercise_pages
from docs.making.links import for_the_site
from docs.making.networks import Figures, network_pages
from docs.making.pictures import MADE, make_pictures
from docs.making.prose import markdown, toctree

DOCS = Path(__file__).parents[1]
OUT = DOCS.parent / "build" / "docs"


def main() -> int:
    """Build the site; warnings, dead links among them, are errors. Returns the exit code."""
    print(f"{examples.run()} lines of examples in docstrings ran")
    pages = OUT / "pages"
    shutil.rmtree(OUT, ignore_errors=True)
    shutil.copytree(DOCS / "pictures", pages / "pictures")
    figures = make_pictures(pages / "pictures" / MADE)
    for name, text in made(figures).items():
        file = pages / f"{name}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    options = ["-W", "--keep-going", "-q", "-j", "auto", "-c", str(DOCS), str(pages), str(OUT / "site")]
    code = build_main(options)
    if code == 0:
        print(f"the site is {OUT / 'site' / 'index.html'}")
    return code


def made(figures: Figures) -> dict[str, str]:
    """All pages as Markdown, by name. figures: the pictures drawn for pages of networks."""
    networks, exercises, api = network_pages(DOCS, figures), exercise_pages(), api_pages()
    written = {file.stem: file.read_text() for file in sorted(DOCS.glob("*.md"))}
    beside = {file.stem.lower(): file.read_text() for file in sorted(DOCS.parent.glob("*.md"))}
    start = beside.pop("readme")
    pages = {
        **networks,
        **exercises,
        **api,
        "exercises/index": exercise_index(exercises),
        "api/index": f"# The library\n\n{markdown(handmade.__doc__)}\n\n{toctree(list(PACKAGES), hidden=False)}\n",
    }
    names = {*pages, *written, *beside, "index"}
    pages |= {name: for_the_site(text, "docs", names) for name, text in written.items()}
    pages |= {name: for_the_site(text, "", names) for name, text in beside.items()}
    chapters = ["networks/index", "exercises/index", "api/index", *written, *beside]
    pages["index"] = f"{for_the_site(start, '', names)}\n\n{toctree(chapters)}\n"
    return pages


if __name__ == "__main__":
    sys.exit(main())
