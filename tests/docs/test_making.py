"""How the site is made of docstrings and files, and that the page about the house is true."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from docs.making.code import pieces
from docs.making.links import for_the_site
from docs.making.networks import network_files, page_name
from docs.making.pictures import LEARNED, figure
from docs.making.prose import markdown, title

ROOT = Path(__file__).parents[2]
HOUSE = (ROOT / "docs" / "house.md").read_text()
SOURCE = '''"""Header."""

import math

# Twice as much
# as once.
TWO = 2

# --- the second part ------


class Net:
    """A net."""

    def __init__(self):
        self.two = TWO

    def forward(self, x):
        """Twice x."""

        return self.two * x


CARDS = ()
'''


def test_equations_are_not_markup():
    assert markdown("y_i = a * b * c, `a * b`, x[0] <= 1") == "y\\_i = a \\* b \\* c, `a * b`, x\\[0\\] \\<= 1\n"


def test_a_header_becomes_papers_a_drawing_and_a_list():
    header = 'Net, for two.\n\n    Ann, "Nets" (2001), table 1.\n\n    x  --twice-->  y\n\nDifferences:\n- One.'
    papers, drawing = ':::{container} papers\nAnn, "Nets" (2001), table 1.\n:::', "````text\nx  --twice-->  y\n````"
    assert title(header) == ("Net", "Net, for two.")
    assert markdown(header) == f"Net, for two.\n\n{papers}\n\n{drawing}\n\nDifferences:\n\n- One.\n"


def test_arguments_become_a_list():
    made = markdown("What it does.\nsize, step: two\nnumbers.\nother: none", {"size", "step"})
    assert made == "What it does.\n\n- **size**, **step**: two numbers. other: none\n"
    assert markdown("What.\n\nArgs:\n    size: a\n        number.") == "What.\n\n*Args*\n\n- **size**: a number.\n"


def test_code_stands_beside_what_is_said_of_it():
    constant, net, forward = pieces(SOURCE)
    assert (constant.prose, constant.code) == ("Twice as much as once.", "TWO = 2")
    assert (net.heading, net.name, net.prose) == ("The second part", "Net", "A net.")
    assert net.code == "class Net:\n    def __init__(self):\n        self.two = TWO"
    assert forward.prose == "Twice x."
    assert forward.code == "def forward(self, x):\n    return self.two * x"


def test_every_line_of_a_networks_code_is_on_its_page():
    for file in (ROOT / "src/handmade/models").glob("*.py"):
        source = file.read_text()
        shown = "\n".join(piece.code for piece in pieces(source))
        for line in re.findall(r"^ +(?:return|self\.\w+ =) .*", source, flags=re.MULTILINE):
            if file.stem not in ("__init__", "card"):
                assert line.strip() in shown, f"{file.stem}: {line}"


def test_a_drawn_picture_is_shown_with_what_it_shows_in_words(tmp_path):
    (tmp_path / "net-maps.txt").write_text("Maps of a_net\n\nThe largest is 2.\nThe rest is 0.\n")
    shown = "```{figure} ../pictures/made/net-maps.png\n:alt: Maps of a_net\n\nThe largest is 2. The rest is 0.\n```"
    assert figure(tmp_path / "net-maps.png") == shown


def test_every_networks_page_has_a_picture():
    """Of what it costs, for which there must be a card, or of what it learned."""
    without = [page_name(module) for module in network_files() if not hasattr(module, "CARDS")]
    assert set(without) <= LEARNED.keys() <= {page_name(module) for module in network_files()}


def test_links_lead_to_the_pages_made_from_the_files():
    pages = {"networks/lenet", "api/handmade.ops", "api/handmade", "measured", "exercises/index", "house"}
    link = lambda target: for_the_site(f"[x]({target})", "", pages)
    assert link("src/handmade/models/lenet.py") == "[x](networks/lenet.md)"
    assert link("src/handmade/ops") == "[x](api/handmade.ops.md)"
    assert link("src/handmade/workshop/exercises") == "[x](exercises/index.md)"
    assert link("docs/measured.md#text") == "[x](measured.md#text)"
    assert link("https://example.org") == "[x](https://example.org)"
    with pytest.raises(ValueError, match=r"the link to LICENSE has no page"):
        link("LICENSE")


def rooms() -> set[str]:
    """What stands directly in src/handmade as a package."""
    return {path.parent.name for path in (ROOT / "src/handmade").glob("*/__init__.py")}


def test_the_house_names_every_room_and_no_other():
    named = set(re.findall(r"^  (\w+)/ ", HOUSE, flags=re.MULTILINE))
    assert named == rooms()


def test_imports_go_the_way_that_the_house_says():
    """The order of the page is the order of the contract."""
    contract = (ROOT / "pyproject.toml").read_text().partition("layers = [")[2].partition("]")[0]
    rank = {
        room: -number
        for number, line in enumerate(re.findall(r'"(.*)"', contract))
        for room in re.findall(r"\w+", line)
    }
    (drawn,) = re.findall(r"```text\n(errors <.*?)```", HOUSE, flags=re.DOTALL)
    ranks = [{rank[room] for room in re.findall(r"\w+", part)} for part in drawn.split("<")]
    assert all(max(low) < min(high) for low, high in pairwise(ranks))
    assert set(re.findall(r"\w+", drawn)) >= rooms()


def test_paths_that_contributing_names_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for path in re.findall(r"`((?:\w+/)+\w+\.py)`", text):
        if not re.search(r"[A-Z]{3}", path):
            assert any((ROOT / base / path).exists() for base in ("", "src", "src/handmade")), path
