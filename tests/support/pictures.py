"""What a picture says, read off its artists, and whether it can be read at all."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from handmade.draw.style import DPI, LEAST, Picture, styled


def written(picture: Picture) -> list[str]:
    """Every text that is seen, without empty ones."""
    return [text.get_text() for text in _texts(picture)]


def images(picture: Picture) -> list:
    """The images and maps, without those that make up a bar."""
    return [image for axes in picture.figure.axes if axes.get_label() != "<colorbar>" for image in axes.images]


def bars(picture: Picture) -> list:
    """The axes of the bars."""
    return [axes for axes in picture.figure.axes if axes.get_label() == "<colorbar>"]


def bar_label(bar) -> str:
    return bar.get_ylabel() or bar.get_xlabel()


def lines(picture: Picture) -> dict[str, np.ndarray]:
    """Label -> (x, y) of the lines with a label."""
    return {
        line.get_label(): np.array(line.get_data())
        for axes in picture.figure.axes
        for line in axes.lines
        if not line.get_label().startswith("_")
    }


def colours(path: Path, least_side: int = 150) -> int:
    """How many colours there are in a file, whose sides are longer than `least_side`."""
    with Image.open(path) as picture:
        assert min(picture.size) > least_side
        red, green, blue = np.asarray(picture.convert("RGB"), np.uint32).reshape(-1, 3).T
    return len(np.unique(red << 16 | green << 8 | blue))


def assert_readable(picture: Picture, tmp_path) -> None:
    """Large enough at half size, nothing cut off or written over, and the caption beside it says what is said there."""
    picture.save(tmp_path / "picture.png")  # which gives everything its place: that is what is looked at
    assert {path.name for path in tmp_path.iterdir()} == {"picture.png", "picture.txt"}
    with styled():
        width, height = picture.figure.get_size_inches() * DPI
        assert picture.figure.dpi == DPI
        for text in _texts(picture):
            assert text.get_fontsize() >= LEAST, f"{text.get_text()!r} is too small"
            box = text.get_window_extent()
            inside = box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1
            assert inside, f"{text.get_text()!r} leaves the picture: {box} of {width} x {height}"
        upright = [text for text in _texts(picture) if text.get_rotation() % 90 == 0]  # whose boxes are what they cover
        for one, other in combinations([(text, text.get_window_extent().padded(-2)) for text in upright], 2):
            assert not one[1].overlaps(other[1]), f"{one[0].get_text()!r} lies on {other[0].get_text()!r}"
    assert max(width, height) < 4600
    title, empty, *caption = (tmp_path / "picture.txt").read_text(encoding="utf-8").splitlines()
    assert (title, empty, "\n".join(caption)) == (picture.title, "", picture.caption)
    assert picture.title.replace(" ", "") in "".join(picture.figure.get_suptitle().split())
    assert picture.caption.strip()


def _texts(picture: Picture) -> Iterator:
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    def seen(artist) -> Iterator:
        if isinstance(artist, Axis):  # which has ticks beyond its ends, too, that are not drawn
            if artist.axes.axison and artist.get_visible():
                yield from (label for tick in artist._update_ticks() for label in seen(tick))
                yield from seen(artist.label)
        elif artist.get_visible():
            if isinstance(artist, Text) and artist.get_text().strip():
                yield artist
            for child in artist.get_children():
                yield from seen(child)

    return seen(picture.figure)
