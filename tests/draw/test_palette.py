"""The colours as people with each of the three colour-blindnesses see them, and against their ground."""

import itertools

import numpy as np
import pytest

from handmade.draw.palette import DARK, LIGHT, MARKERS, SERIES
from handmade.draw.style import amount_scale, ink_on, luminance, signed_scale, styled, weight_scale

# Machado, Oliveira & Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), at
# full severity; for linear red, green, blue.
SEEN = {
    "all colours": np.eye(3),
    "without red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "without green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "without blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])  # D65


def rgb(color: str) -> np.ndarray:
    return np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255


def lab(color: np.ndarray, seen: str) -> np.ndarray:
    """CIE L*a*b* of an sRGB colour, as it is seen."""
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.array(SEEN[seen]) @ linear, 0, 1) / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: np.ndarray, other: np.ndarray, seen: str) -> float:
    """CIE76: 2.3 is just noticed."""
    return float(np.linalg.norm(lab(one, seen) - lab(other, seen)))


def at(stops: tuple[str, ...], place: float) -> np.ndarray:
    """The colour at a place from 0 to 1 of a scale."""
    colors, places = np.array([rgb(stop) for stop in stops]), np.linspace(0, 1, len(stops))
    return np.array([np.interp(place, places, colors[:, channel]) for channel in range(3)])


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """Of WCAG 2: 4.5 is asked of text, 3 of lines."""
    darker, lighter = sorted([luminance(*one), luminance(*other)])
    return (lighter + 0.05) / (darker + 0.05)


def test_the_distance_is_cie76():
    assert lab(np.ones(3), "all colours") == pytest.approx([100, 0, 0], abs=0.01)
    assert lab(rgb("#ff0000"), "all colours") == pytest.approx([53.24, 80.09, 67.20], abs=0.02)  # as tables have it
    red_and_green = rgb("#c04040"), rgb("#608040")
    assert distance(*red_and_green, "all colours") > 2 * distance(*red_and_green, "without green")


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_negative_and_positive_are_told_apart(theme, seen):
    # Measured are 29.5 and 65.7 at least, in either theme.
    for value, least in ((0.25, 29), (0.5, 60), (1.0, 65)):
        assert distance(at(theme.signed, 0.5 - value / 2), at(theme.signed, 0.5 + value / 2), seen) >= least


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_scales_begin_at_the_paper_and_go_one_way_in_lightness(theme):
    assert theme.signed[3] == theme.weight[0] == theme.amount[0] == theme.paper
    for seen, stops in itertools.product(SEEN, (theme.weight, theme.amount, theme.signed[3:], theme.signed[3::-1])):
        lightness = [lab(at(stops, place), seen)[0] for place in np.linspace(0, 1, 21)]
        steps = np.diff(lightness) * (-1 if theme is LIGHT else 1)
        assert (steps > 0).all(), (seen, stops)


@pytest.mark.parametrize("seen", SEEN)
def test_lines_are_told_apart(seen):
    """30 is thirteen times what is just noticed; the markers differ, too."""
    assert len(set(MARKERS)) == len(SERIES)
    for one, other in itertools.combinations(SERIES, 2):
        assert distance(rgb(one), rgb(other), seen) >= 29.5, (one, other)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out_from_the_paper(theme):
    for color in (theme.ink, theme.soft, theme.right, theme.wrong, theme.query, theme.key, theme.value):
        assert contrast(rgb(color), rgb(theme.paper)) >= 4.5, color
    for color in SERIES:
        assert contrast(rgb(color), rgb(LIGHT.paper)) >= 3


@pytest.mark.parametrize("scale", ["signed", "amount", "weight"])
def test_what_is_written_on_a_field_stands_out_from_it(scale):
    with styled():
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        options = {"signed": signed_scale(1.0), "amount": amount_scale(1.0), "weight": weight_scale()}[scale]
        norm = options.get("norm") or Normalize(options["vmin"], options["vmax"])
        drawn = ScalarMappable(norm, options["cmap"])
    for value in np.linspace(-1 if scale == "signed" else 0, 1, 101):
        field = drawn.to_rgba(np.array([value]))[0, :3]
        assert (
            contrast(rgb(ink_on(drawn, value)), field) >= 4.1
        )  # ink and paper are 17.0 apart, and in their middle 4.13 is left


def test_a_scale_of_matplotlib_has_the_stops():
    with styled():
        colors = signed_scale(2.0)["cmap"]
    for number, stop in enumerate(LIGHT.signed):
        assert colors(number / 6)[:3] == pytest.approx(rgb(stop), abs=0.005)  # 256 steps between the ends
