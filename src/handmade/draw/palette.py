"""The colours of every picture and page, as data: paper and ink, three scales of values, four colours of lines.

Colour is used only where it carries meaning:

- signed values: orange is negative, paper is zero, blue is positive;
- weights and probabilities, 0 to 1: one violet, by the square root, so that 0.05 among many is seen;
- amounts of 0 or more: one sand-brown.

A scale is a list of stops at equal distances, between which the colour is interpolated in sRGB. People with any of the
three colour-blindnesses tell the two ends of the signed scale apart, and the colours of lines from each other:
tests/draw/test_palette.py measures it. Lines differ by their markers, too.
"""

from dataclasses import dataclass

Stops = tuple[str, ...]


@dataclass(frozen=True)
class Theme:
    """The colours on a light or on a dark ground; each is written #rrggbb."""

    paper: str
    """What everything lies on; zero of the signed scale."""
    ink: str
    soft: str
    """Of text that explains."""
    line: str
    """Of frames and grids."""
    right: str
    wrong: str
    query: str
    key: str
    value: str
    """The last three name queries, keys and values, always beside the letters q, k, v: no number has their colour."""
    signed: Stops
    weight: Stops
    amount: Stops


LIGHT = Theme(
    paper="#fbfaf7",
    ink="#17181c",
    soft="#5d616b",
    line="#e4e2dc",
    right="#0a7a5c",
    wrong="#b23a12",
    query="#6b4fc8",
    key="#0b7f74",
    value="#b0367a",
    signed=("#8a3600", "#d97a2b", "#f6cfa4", "#fbfaf7", "#b5d3ee", "#3f86c9", "#0b3f78"),
    weight=("#fbfaf7", "#d9d6ec", "#a49dd3", "#6559ab", "#2c2366"),
    amount=("#fbfaf7", "#e3dbc9", "#b99f72", "#7a5a2c", "#2f1d08"),
)

DARK = Theme(
    paper="#1a1c22",
    ink="#ecebe6",
    soft="#a8abb5",
    line="#2c2f38",
    right="#4cc9a0",
    wrong="#ff9468",
    query="#b19cff",
    key="#52c9bb",
    value="#f08abd",
    signed=("#ffb46b", "#c96f22", "#63381a", "#1a1c22", "#1d3f63", "#3f86c9", "#9fd0ff"),
    weight=("#1a1c22", "#352f63", "#5f52ad", "#9a8fe6", "#f0edff"),
    amount=("#1a1c22", "#4a3820", "#8a6a38", "#d0aa6a", "#fff3d8"),
)

SERIES = ("#14365f", "#de6607", "#378b7e", "#9f1cbc")
"""Navy, orange, teal and magenta, of lines on a light ground, in the order in which they are used."""

MARKERS = ("o", "s", "^", "D")
"""The lines' markers, in the same order."""
