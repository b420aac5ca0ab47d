"""Tokens in a form that can be drawn: invisible characters get a visible sign."""

from collections.abc import Sequence
from functools import cache

from handmade.draw.style import MONO, styled

SIGNS = str.maketrans({" ": "␣", "\n": "⏎", "\r": "⏎", "\t": "→", "\N{NO-BREAK SPACE}": "␣"})


def legible(text: str) -> str:
    """`text` in letters that the pictures' fonts have: ␣ for blanks, ⏎ for line ends, \\u732b for what they lack."""
    letters = _letters()
    return "".join(one if ord(one) in letters else _escaped(one) for one in text.translate(SIGNS))


def _escaped(letter: str) -> str:
    """\\x10, \\u732b or \\U0001f642."""
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def all_legible(tokens: Sequence[str]) -> list[str]:
    return [legible(token) for token in tokens]


@cache
def _letters() -> frozenset[int]:
    """The code points that one of the fonts for tokens has a shape for."""
    with styled():
        from matplotlib.font_manager import findfont, get_font

        fonts = [get_font(findfont(family)) for family in MONO]
    return frozenset(code for font in fonts for code in font.get_charmap() if chr(code).isprintable())
