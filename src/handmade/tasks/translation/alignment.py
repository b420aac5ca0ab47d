"""Pictures of sequence-to-sequence models: where each written token looks, and how length makes it hard.

S source tokens, T target tokens, N texts
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from handmade.files import replacing

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""Blue, vermilion, green and purple that colour-blind people tell apart (Okabe and Ito 2008)."""

BINS = 8


def draw_alignment(path: Path, source: Sequence[str], target: Sequence[str], weights: Float[np.ndarray, "T S"]) -> None:
    """Rows are target tokens, columns source tokens; the darker, the more the row's prediction looked there."""
    from matplotlib.figure import Figure

    letters = max(map(len, [*source, *target])) == 1
    cell = 0.19 if letters else 0.34
    figure = Figure(figsize=(2.2 + cell * len(source), 1.5 + cell * len(target)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    rotation = {} if letters else {"rotation": 60, "ha": "left", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(source)), source, family="monospace", fontsize=9, **rotation)
    axes.set_yticks(range(len(target)), target, family="monospace", fontsize=9)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def draw_exact_by_length(path: Path, models: Mapping[str, tuple[Int[np.ndarray, "N"], Bool[np.ndarray, "N"]]]) -> None:
    """For each model by name: the share of texts that came out right against their length in characters."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    axes = figure.subplots()
    for color, (name, (lengths, right)) in zip(COLORS, models.items(), strict=False):
        edges = np.unique(np.quantile(lengths, np.linspace(0, 1, BINS + 1)).round())
        bins = np.clip(np.searchsorted(edges, lengths, side="right") - 1, 0, max(len(edges) - 2, 0))
        used = np.unique(bins)
        shares = [100 * right[bins == part].mean() for part in used]
        places = [lengths[bins == part].mean() for part in used]
        axes.plot(places, shares, marker="o", color=color, label=f"{name}: {right.mean():.1%} of all")
    axes.set(xlabel="length of the input, characters", ylabel="exactly right, %", ylim=(-3, 103))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="lower left")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
