"""What an image network does with an image: its filters, the maps of its channels, and where it finds its evidence.

K filters or channels, C colours, H height, W width
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int64

from handmade.draw.palette import LIGHT
from handmade.draw.style import (
    LEAST,
    SMALL,
    Picture,
    amount_scale,
    bar,
    frame,
    framed,
    in_style,
    new_figure,
    signed_scale,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

Image = Float[np.ndarray, "C H W"]
"""Values from 0 to 1, grey (C = 1) or red, green, blue."""

PANEL = 3.0
"""Length in inches of the longer side of an image."""


def show_image(axes: "Axes", image: Image) -> None:
    """Draw an image without ticks."""
    pixels = image.transpose(1, 2, 0)  # C H W -> H W C
    axes.imshow(pixels if len(image) == 3 else pixels[..., 0], cmap="gray", vmin=0, vmax=1)
    framed(axes)


def is_grey(image: Image) -> bool:
    """Whether an image is grey, however many channels it has."""
    return bool((image == image[:1]).all())


# --- filters and maps -------------------------------------------------------------------------------------------------


def columns_for(count: int) -> int:
    """How many of `count` small pictures are in a row: at most 8, and with a full last row if possible."""
    widest, narrowest = min(8, math.ceil(math.sqrt(2.5 * count))), math.isqrt(count)
    full = [columns for columns in range(widest, narrowest - 1, -1) if count % columns == 0]
    return (full or [widest])[0]


@in_style
def filters(weight: Float[np.ndarray, "K C R S"], title: str, grey: bool = False) -> Picture:
    """Each filter as an image, scaled by its own largest weight and labelled with its number.

    Of filters on red, green and blue the three weights of a place are its colour, and 0 is middle grey; of filters on
    one channel they are signed. grey: the network is shown grey images in three equal channels. What a filter does with
    these is the sum of its three weights at each place, and that is drawn.
    """
    summed = grey and weight.shape[1] == 3
    shown = weight.sum(axis=1, keepdims=True) if summed else weight
    count, channels, height, width = shown.shape
    shares = shown / np.maximum(np.abs(shown).max(axis=(1, 2, 3), keepdims=True), np.finfo(shown.dtype).tiny)
    columns = columns_for(count)
    rows = math.ceil(count / columns)
    side = float(np.clip(7.0 / columns, 0.85, 1.3))
    note = "Each filter by its own largest weight."
    note += " The sum over red, green and blue, which is what grey images meet." if summed else ""
    note += "" if channels == 1 else " Of each colour middle grey is 0, lighter is positive, darker negative."
    figure = new_figure(max(side * columns + 1.2, 4.6), (side + 0.17) * rows * height / width, title, note)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    scale = signed_scale(1.0) if channels == 1 else {"cmap": "gray", "vmin": -1.0, "vmax": 1.0}
    for number, (axes, one) in enumerate(zip(grid.flat, shares, strict=False)):
        pixels = one[0] if channels == 1 else (0.5 + one / 2).transpose(1, 2, 0)
        drawn = axes.imshow(pixels, **scale)
        _small(axes, number)
    label = "weight" if channels == 1 else "weight of each colour"
    bar(figure, _mappable(drawn, channels), grid, f"{label}, as a share of the filter's largest", (-1, -0.5, 0, 0.5, 1))
    return Picture(figure, title, _about_filters(weight, shown))


def _mappable(drawn: Any, channels: int) -> Any:
    """What the bar of filters shows: of filters in colour, the scale that each colour has."""
    if channels == 1:
        return drawn
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    return ScalarMappable(Normalize(-1, 1), "gray")


def _about_filters(weight: np.ndarray, shown: np.ndarray) -> str:
    count, channels, height, width = weight.shape
    largest = np.abs(shown).max(axis=(1, 2, 3))
    return (
        f"{count} filters of {channels} x {height} x {width} weights. The largest weight drawn is {largest.max():.3g}, "
        f"in filter {largest.argmax()}; filter {largest.argmin()} has the least, {largest.min():.3g} at most."
    )


@in_style
def feature_maps(
    maps: Float[np.ndarray, "n h w"], channels: Int64[np.ndarray, "n"], image: Image, title: str, note: str = ""
) -> Picture:
    """The maps beside the image, all on the same scale, labelled with the numbers of their channels."""
    columns = columns_for(len(maps))
    rows = math.ceil(len(maps) / columns)
    signed = bool(maps.min() < 0)
    limit = float(np.percentile(np.abs(maps), 99.5)) or 1.0  # a few extreme pixels would leave all others pale
    scale = signed_scale(limit) if signed else amount_scale(limit)
    side = float(np.clip(8.4 / columns, 1.05, 2.0))
    shape = maps.shape[1] / maps.shape[2]

    wide, high = 2.3 + columns * side + 1.0, max((side * shape + 0.2) * rows, 2.2)
    figure = new_figure(wide, high, title, note)
    left, right = _two_parts(figure, wide)
    seen = left.subplots()
    show_image(seen, image)
    seen.set_anchor("N")
    seen.set_title("what the model sees", fontsize=SMALL, color=LIGHT.soft)
    grid = right.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, channel, values in zip(grid.flat, channels, maps, strict=False):
        drawn = axes.imshow(values, **scale)
        _small(axes, int(channel))
    beyond = bool(np.abs(maps).max() > limit)
    extend = ("both" if signed else "max") if beyond else "neither"
    bar(right, drawn, grid, "activation", extend=extend, shrink=0.9)
    strongest = int(np.abs(maps).max(axis=(1, 2)).argmax())
    told = f"The strongest response, {np.abs(maps[strongest]).max():.3g}, is in channel {channels[strongest]}."
    return Picture(figure, title, f"{told} {100 * (maps == 0).mean():.0f} % of what is drawn is 0.")


def _two_parts(figure: "Figure", wide: float) -> "tuple[SubFigure, SubFigure]":
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(2.3, wide - 2.3))[0]
    for part in (left, right):
        part.set_facecolor("none")
    return left, right


def _small(axes: "Axes", number: int) -> None:
    """The number above a small picture, and a thin frame around it."""
    axes.axis("on")
    framed(axes)
    axes.set_title(str(number), fontsize=LEAST, pad=2, color=LIGHT.soft, loc="center")


# --- evidence ---------------------------------------------------------------------------------------------------------


@in_style
def evidence(heat: Float[np.ndarray, "h w"], image: Image, layer: str, title: str) -> Picture:
    """Grad-CAM's map of `layer` beside the image, and the image with a line around the places of most evidence."""
    note = "Inside the line, at least half of the largest evidence."
    figure, panels = _three(image, title, note)
    show_image(panels[0], image)
    panels[0].set_title("what the model sees")
    top = float(heat.max())
    shares = heat / (top or 1.0)
    drawn = _map(panels[1], shares, image, **amount_scale(1.0))
    panels[1].set_title(f"Grad-CAM of {layer}, {heat.shape[0]} x {heat.shape[1]} positions")
    bar(figure, drawn, panels[1], "evidence, as a share of the largest", location="bottom", shrink=0.9)
    _encircled(panels[2], image, shares)
    panels[2].set_title("where it lies" if top else "no evidence anywhere")
    return Picture(figure, title, _about_evidence(heat))


def _about_evidence(heat: Float[np.ndarray, "h w"]) -> str:
    if not heat.any():
        return "The layer has no evidence for the class anywhere."
    where = _place(int(heat.argmax()), heat.shape)
    half = (heat >= heat.max() / 2).mean()
    return f"The evidence is largest at {where}; {100 * half:.0f} % of the image has at least half as much."


@in_style
def covered(drop: Float[np.ndarray, "rows columns"], image: Image, patch: int, title: str) -> Picture:
    """Occlusion: by how much the probability of a class falls when a square of `patch` pixels hides a place."""
    note = "How far the probability falls when the square lies there: blue places help, orange ones hinder. "
    note += "Inside the line, at least half of the largest drop."
    figure, panels = _three(image, title, note)
    hidden = image.copy()
    top, left = ((side - patch) // 2 for side in image.shape[1:])
    hidden[:, max(top, 0) : top + patch, max(left, 0) : left + patch] = 0.5
    show_image(panels[0], hidden)
    panels[0].set_title(f"a grey square of {patch} x {patch} hides a part")
    points = 100 * drop
    limit = float(np.abs(points).max()) or 1.0
    drawn = _map(panels[1], points, image, **signed_scale(limit))
    panels[1].set_title(f"what that costs, {drop.shape[0]} x {drop.shape[1]} positions")
    bar(figure, drawn, panels[1], "drop, percentage points", location="bottom", shrink=0.9)
    _encircled(panels[2], image, drop / (max(float(drop.max()), 0.0) or 1.0))
    panels[2].set_title("what it needs" if drop.max() > 0 else "nothing that it needs")
    where = _place(int(drop.argmax()), drop.shape)
    told = f"Hidden at {where}, the probability falls most, by {points.max():.1f} percentage points"
    return Picture(figure, title, f"{told}; the most that it gains is {max(-points.min(), 0):.1f}.")


@in_style
def receptive_field(
    gradient: Float[np.ndarray, "H W"], image: Image, rows: tuple[int, int], columns: tuple[int, int], title: str
) -> Picture:
    """What a unit sees: its field framed on the image, the field alone, and the size of the gradient by each pixel.

    rows, columns: where the field begins, and where it has ended; it may be larger than the image.
    """
    (top, bottom), (left, right), (height, width) = rows, columns, image.shape[1:]
    seen = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    note = "Framed: the pixels that the unit can see, by the sizes of all windows before it. On the right how far each "
    note += "of them moves it: the size of the gradient, summed over the colours."
    note += "" if (top, left) >= (0, 0) and (bottom, right) <= (height, width) else " Grey: beyond the edge."
    figure, panels = _three(image, title, note)
    show_image(panels[0], image)
    panels[0].set_title("what the model sees")
    show_image(panels[1], image)
    panels[1].set_title(f"the unit sees {bottom - top} x {right - left}")
    shares = gradient / (float(gradient.max()) or 1.0)
    drawn = panels[2].imshow(shares, **amount_scale(1.0))
    framed(panels[2])
    panels[2].set_title("what moves it")
    bar(figure, drawn, panels[2], "gradient, as a share of the largest", location="bottom", shrink=0.9)
    place = seen[1].start - 0.5, seen[0].start - 0.5, seen[1].stop - seen[1].start, seen[0].stop - seen[0].start
    for color, line in ((LIGHT.paper, 4.0), (LIGHT.wrong, 2.0)):
        frame(panels[0], *place, color, line)
    for axes in panels[1:]:  # the field alone, with what of it lies beyond the edge
        axes.set(xlim=(left - 0.5, right - 0.5), ylim=(bottom - 0.5, top - 0.5), facecolor=LIGHT.line)
    return Picture(figure, title, _about_field(gradient, seen, rows, columns))


def _about_field(
    gradient: Float[np.ndarray, "H W"], seen: tuple[slice, slice], rows: tuple[int, int], columns: tuple[int, int]
) -> str:
    """How large the field is, and on how little of it half of the gradient lies."""
    inside = gradient[seen]
    told = f"The unit can see {rows[1] - rows[0]} x {columns[1] - columns[0]} pixels. Of these {inside.shape[0]} x "
    told += f"{inside.shape[1]} lie in the image: {100 * inside.size / gradient.size:.0f} % of it, "
    told += f"rows {seen[0].start} to {seen[0].stop - 1}, columns {seen[1].start} to {seen[1].stop - 1}. "
    if not inside.any():
        return f"{told}None of them moves it."
    largest_first = np.sort(inside, axis=None)[::-1].cumsum()
    half = int(np.searchsorted(largest_first, largest_first[-1] / 2)) + 1
    return f"{told}Half of its gradient lies on {half:,} of them, {100 * half / inside.size:.1f} %."


def _encircled(axes: "Axes", image: Image, shares: Float[np.ndarray, "h w"]) -> None:
    """The image, a little paler where `shares` is below a half, and the line where it is: on dark and on light seen."""
    height, width = image.shape[1:]
    finer = max(1, round(300 / max(height, width)))  # so that the line is smooth over an image of few pixels
    smooth = enlarged(shares, finer * height, finer * width)
    outside = enlarged(shares, height, width) < 0.5
    show_image(axes, np.where(outside & bool((shares >= 0.5).any()), 0.5 * image + 0.5, image))
    if smooth.min() < 0.5 < smooth.max():
        across, down = ((np.arange(n) + 0.5) / finer - 0.5 for n in (smooth.shape[1], smooth.shape[0]))
        for color, line in ((LIGHT.paper, 4.0), (LIGHT.ink, 1.8)):
            axes.contour(across, down, smooth, levels=[0.5], colors=color, linewidths=line)


def enlarged(values: Float[np.ndarray, "h w"], height: int, width: int) -> Float[np.ndarray, "H W"]:
    """A map of an image's parts in the image's size, bilinear; the outer pixels lie half a part from the edge."""
    from PIL import Image

    small = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))


def _three(image: Image, title: str, note: str) -> "tuple[Figure, Sequence[Axes]]":
    """A figure with room for three pictures of the image's shape."""
    height, width = np.array(image.shape[1:]) * PANEL / max(image.shape[1:])
    figure = new_figure(max(3 * (width + 0.15), 7.0), height + 0.9, title, note)
    return figure, figure.subplots(1, 3)


def _map(axes: "Axes", values: Float[np.ndarray, "h w"], image: Image, **scale: Any) -> Any:
    """Draw a map of the image's parts in the image's size, every part in the colour that the bar gives its value."""
    height, width = image.shape[1:]
    drawn = axes.imshow(values, extent=(-0.5, width - 0.5, height - 0.5, -0.5), **scale)
    framed(axes)
    return drawn


def _place(index: int, shape: tuple[int, ...]) -> str:
    """A place of a map in words."""
    row, column = divmod(index, shape[1])
    across, down = 100 * (column + 0.5) / shape[1], 100 * (row + 0.5) / shape[0]
    return f"{across:.0f} % from the left and {down:.0f} % from the top"
