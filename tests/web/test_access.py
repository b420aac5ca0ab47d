"""The pages' colours: those of the pictures, told apart with any colour-blindness, and texts that can be read."""

import re
from pathlib import Path

import pytest

from handmade.draw.palette import DARK, LIGHT
from tests.draw.test_palette import SEEN, at, contrast, distance, rgb

STYLE = (Path(__file__).parents[2] / "src" / "handmade" / "web" / "static" / "style.css").read_text("utf-8")
TOKENS = {
    name: dict(zip(("light", "dark"), colors, strict=True))
    for name, *colors in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", STYLE)
}
SCALES = {name: tuple(stops.split()) for name, stops in re.findall(r"--scale-([\w-]+): ((?:#\w{6} ?)+);", STYLE)}
TEXTS = ("ink", "soft", "faint", "accent", "right", "wrong", "q", "k", "v")
THEMES = {"light": LIGHT, "dark": DARK}


@pytest.mark.parametrize("name", THEMES)
def test_pages_and_pictures_have_the_same_colours(name):
    theme = THEMES[name]
    assert SCALES[f"signed-{name}"] == theme.signed
    assert SCALES[f"weight-{name}"] == theme.weight
    assert SCALES[f"heat-{name}"] == theme.amount
    own = ("ink", "soft", "right", "wrong", "line", "q", "k", "v")
    assert [TOKENS[token][name] for token in own] == [
        theme.ink, theme.soft, theme.right, theme.wrong, theme.line, theme.query, theme.key, theme.value
    ]  # fmt: skip


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("token", TEXTS)
def test_texts_can_be_read_on_cards_and_paper(token, name):
    for ground in ("card", "paper"):
        assert contrast(rgb(TOKENS[token][name]), rgb(TOKENS[ground][name])) >= 4.5, ground


@pytest.mark.parametrize("name", THEMES)
def test_the_main_texts_can_be_read_on_the_wash_too_and_what_lies_on_a_colour_on_that(name):
    for token in ("ink", "soft"):
        assert contrast(rgb(TOKENS[token][name]), rgb(TOKENS["wash"][name])) >= 4.5
    for token in ("accent", "q", "k"):
        assert contrast(rgb(TOKENS["on-accent"][name]), rgb(TOKENS[token][name])) >= 4.5
    assert contrast(rgb(TOKENS["paper"][name]), rgb(TOKENS["ink"][name])) >= 4.5  # a pressed button


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("name", THEMES)
def test_negative_and_positive_are_told_apart_and_one_number_from_the_next(name, seen):
    signed = SCALES[f"signed-{name}"]
    for value, least in ((0.25, 29), (1.0, 65)):
        assert distance(at(signed, 0.5 - value / 2), at(signed, 0.5 + value / 2), seen) >= least
    for kind in ("weight", "heat"):
        scale = SCALES[f"{kind}-{name}"]
        for low in (0.0, 0.25, 0.5, 0.75):
            assert distance(at(scale, low), at(scale, low + 0.25), seen) >= 10


@pytest.mark.parametrize("name", THEMES)
def test_numbers_can_be_read_on_every_colour_of_a_scale(name):
    black, white = rgb("#000000"), rgb("#ffffff")
    for scale in ("signed", "weight", "heat"):
        for n in range(256):
            ground = at(SCALES[f"{scale}-{name}"], n / 255)
            assert max(contrast(black, ground), contrast(white, ground)) >= 4.5
