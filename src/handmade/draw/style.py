"""One style for all pictures: fonts, sizes, scales, and a picture's file with its caption beside it.

The only file that imports matplotlib, and only when something is drawn.
"""

import io
import logging
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from handmade.draw.palette import LIGHT, Stops
from handmade.files import replacing, write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure, SubFigure

P = ParamSpec("P")
T = TypeVar("T")

DPI = 180
"""A picture at half its size still has letters of 10 pixels: SMALL is 20."""

TITLE, TEXT, SMALL = 12.0, 9.0, 8.0
"""Points. Nothing is written smaller than LEAST."""

LEAST = 7.0

SANS = ("Inter", "DejaVu Sans")
TITLES = ("Inter SemiBold", "DejaVu Sans")
MONO = ("JetBrains Mono", "DejaVu Sans Mono", "DejaVu Sans")
"""Each with what matplotlib brings along, for the signs that the first does not have."""

FONTS = Path(__file__).parent / "fonts"

MARGIN = 0.14
"""Inches between the title and the picture's left edge."""


@dataclass(frozen=True)
class Picture:
    """A drawn figure, with a description of what it shows."""

    figure: "Figure"
    title: str
    caption: str
    """Sentences with the numbers that one would read off the picture."""

    def save(self, path: Path) -> None:
        """Write the picture as PNG to `path`, and title and caption beside it as text: whole, or not at all.

        They are also stored in the PNG itself, where screen readers and catalogues look for them.
        """
        with replacing(path) as temporary:
            temporary.write_bytes(self.png())
        beside = path.with_suffix(".txt") if path.suffix == ".png" else path.with_name(f"{path.name}.txt")
        write_text(beside, f"{self.title}\n\n{self.caption}\n")

    def png(self) -> bytes:
        content = io.BytesIO()
        told = {"Title": self.title, "Description": self.caption}
        with styled():
            self._lay_out()
            self.figure.savefig(content, format="png", dpi=DPI, metadata=told)
        return content.getvalue()

    def _lay_out(self) -> None:
        """Give everything its place now: matplotlib would draw the whole picture once more to find it."""
        engine = self.figure.get_layout_engine()
        if engine is not None:
            self.figure.set_dpi(DPI)
            engine.execute(self.figure)
            self.figure.set_layout_engine("none")

    def _repr_png_(self) -> bytes:
        """How a notebook shows it."""
        return self.png()


def in_style(function: Callable[P, T]) -> Callable[P, T]:
    """Make everything that the function draws have the style of this module."""

    @wraps(function)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
        with styled():
            return function(*args, **kwargs)

    return drawn


@contextmanager
def styled() -> Iterator[None]:
    """Inside the block matplotlib draws in our style; afterwards the user's own settings apply again.

    Its log is quiet: where the user has no home folder, matplotlib warns that its cache is elsewhere; it announces when
    it looks for fonts, and which it takes instead. None of it is of use to who wanted a picture.
    """
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        _add_fonts()
        from matplotlib import style

        with style.context(["default", _settings()]):
            yield
    finally:
        logger.setLevel(level)


@cache
def _add_fonts() -> None:
    from matplotlib.font_manager import fontManager

    for path in sorted(FONTS.glob("*.ttf")):
        fontManager.addfont(path)


def _settings() -> dict[str, Any]:
    """matplotlib's settings that make our style."""
    return {
        "font.family": list(SANS),
        "font.size": TEXT,
        "text.color": LIGHT.ink,
        "figure.facecolor": LIGHT.paper,
        "figure.constrained_layout.h_pad": 0.06,
        "figure.constrained_layout.w_pad": 0.06,
        "axes.facecolor": LIGHT.paper,
        "axes.edgecolor": LIGHT.soft,
        "axes.labelcolor": LIGHT.soft,
        "axes.labelsize": TEXT,
        "axes.titlesize": TEXT,
        "axes.titlelocation": "left",
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "grid.color": LIGHT.line,
        "grid.linewidth": 0.8,
        "xtick.color": LIGHT.soft,
        "ytick.color": LIGHT.soft,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "lines.linewidth": 1.8,
        "lines.markersize": 4.5,
        "legend.frameon": False,
        "legend.fontsize": SMALL,
        "legend.labelcolor": LIGHT.ink,
        "image.interpolation": "nearest",
    }


# --- figures ----------------------------------------------------------------------------------------------------------


def new_figure(width: float, height: float, title: str, note: str = "") -> "Figure":
    """A new figure, `width` inches wide, with its title at the top and a line below it on how to read the picture.

    height: inches for what lies between the two. Drawing touches no global state and opens no window.
    """
    from matplotlib.figure import Figure

    above, below = wrapped(title, width, TITLE), wrapped(note, width, SMALL)
    lines = 1.5 * (TITLE * (above.count("\n") + 1) + SMALL * (below.count("\n") + 1) * bool(note)) / 72
    figure = Figure(figsize=(width, height + lines + 0.1), layout="constrained")
    figure.suptitle(above, x=MARGIN / width, ha="left", fontsize=TITLE, family=list(TITLES), weight=600)
    if note:
        figure.supxlabel(below, x=MARGIN / width, ha="left", fontsize=SMALL, color=LIGHT.soft, linespacing=1.35)
    return figure


def wrapped(text: str, width: float, size: float) -> str:
    """`text` in lines that fit into `width` inches at `size` points."""
    letter = 0.56 * size / 72  # inches, of our widest font on average
    return textwrap.fill(text, max(12, int((width - 2 * MARGIN) / letter)))


def bare(axes: "Axes") -> None:
    """Without ticks and frame."""
    _hide_axes(axes)
    axes.spines[:].set_visible(False)


def framed(axes: "Axes") -> None:
    """Without ticks, in a thin frame: of an image or a map."""
    _hide_axes(axes)
    thin_frame(axes)


def thin_frame(axes: "Axes") -> None:
    """A thin frame; its axes may have ticks and names."""
    axes.spines[:].set(visible=True, color=LIGHT.line, linewidth=0.8)


def _hide_axes(axes: "Axes") -> None:
    """Both, and not their ticks alone: what is hidden takes no time in the layout."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_visible(False)


def frame(axes: "Axes", left: float, top: float, width: float, height: float, color: str, line: float) -> None:
    """A rectangle without a filling, in the axes' own numbers."""
    from matplotlib.patches import Rectangle

    style = {"fill": False, "edgecolor": color, "linewidth": line, "clip_on": False}
    axes.add_patch(Rectangle((left, top), width, height, **style))


# --- scales -----------------------------------------------------------------------------------------------------------


def signed_scale(limit: float) -> dict[str, Any]:
    """For imshow: orange from -limit, paper at 0, blue up to limit."""
    return {"cmap": _colors("signed", LIGHT.signed), "vmin": -limit, "vmax": limit}


def amount_scale(limit: float) -> dict[str, Any]:
    """For imshow: from paper at 0 to dark brown at limit."""
    return {"cmap": _colors("amount", LIGHT.amount), "vmin": 0.0, "vmax": limit}


def weight_scale() -> dict[str, Any]:
    """For imshow: from paper at 0 to dark violet at 1, by the square root."""
    from matplotlib.colors import PowerNorm

    return {"cmap": _colors("weight", LIGHT.weight), "norm": PowerNorm(0.5, vmin=0, vmax=1)}


WEIGHT_TICKS = (0, 0.01, 0.05, 0.2, 0.5, 1)
BY_ROOT = "colour by the square root"
"""What the bar of a weight_scale says beside what is measured."""


def _colors(name: str, stops: Stops) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(name, stops)


def bar(
    figure: "Figure | SubFigure",
    drawn: "ScalarMappable",
    axes: "Axes | Sequence[Axes] | np.ndarray",
    label: str,
    ticks: Sequence[float] | None = None,
    **options: Any,
) -> None:
    """The colour bar of `drawn`, beside the axes (below them: location="bottom"), labelled with what it measures."""
    made = figure.colorbar(drawn, ax=axes, **{"aspect": 22, "pad": 0.02, **options})
    made.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    made.ax.tick_params(labelsize=SMALL, length=3)
    made.set_label(label, fontsize=SMALL, color=LIGHT.soft)
    if ticks is not None:
        made.set_ticks(list(ticks), labels=[f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in ticks])


def weight_bar(figure: "Figure", drawn: "ScalarMappable", axes: Any, label: str, **options: Any) -> None:
    """The colour bar of a weight_scale, which says that it is not linear."""
    bar(figure, drawn, axes, f"{label}\n({BY_ROOT})", WEIGHT_TICKS, **options)


def ink_on(drawn: "ScalarMappable", value: float) -> str:
    """The colour of letters on a field with this value: ink or paper, whichever has the better contrast."""
    ((red, green, blue, _),) = drawn.to_rgba(np.array([value]))
    return LIGHT.ink if luminance(red, green, blue) > 0.193 else LIGHT.paper  # there both stand out equally


def luminance(red: float, green: float, blue: float) -> float:
    """The relative luminance of an sRGB colour of 0 to 1 (WCAG 2)."""
    channels = np.array([red, green, blue])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
