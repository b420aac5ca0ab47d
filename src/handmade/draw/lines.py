"""Lines over time: what a network learned, its gradients on their way back, and quality against length.

E evaluations, S states, N texts
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from handmade.draw.palette import LIGHT, MARKERS, SERIES
from handmade.draw.style import Picture, in_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Line = Mapping[str, Any]
"""A line of a run's metrics: step, epoch, and what was measured."""

TRAIN, TEST = 0, 1
"""Which of the SERIES they have."""

BINS = 8
"""Into how many bins with about equally many texts the lengths are divided."""

LOWEST, HIGHEST = 1e-14, 1e6
"""The range of the axis for gradient norms."""


@in_style
def learning_curves(lines: Sequence[Line], title: str) -> Picture:
    """One panel for each measure of a run, on training and test data, over epochs (over steps if less than one epoch).

    lines: the lines of metrics.jsonl; evaluations are those with a test_loss.
    """
    evaluations = [line for line in lines if "test_loss" in line]
    steps = [line for line in lines if "test_loss" not in line]
    measures = [name.removeprefix("test_") for name in evaluations[-1] if name.startswith("test_")]
    unit = "step" if evaluations[-1]["epoch"] < 1 else "epoch"
    batches = any(measure in line for line in steps for measure in measures)
    note = "Training: the mean while it was learned (pale: single batches). Test: measured after it." if batches else ""
    figure = new_figure(max(4.4 * len(measures), 6.0), 3.4, title, note)
    for axes, measure in zip(figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True):
        single = [line for line in steps if measure in line]
        x, y = [line[unit] for line in single], [line[measure] for line in single]
        axes.plot(x, y, color=SERIES[TRAIN], alpha=0.3, linewidth=0.9)
        for series, of, name in ((TRAIN, f"train_{measure}", "training data"), (TEST, f"test_{measure}", "test data")):
            known = [line for line in evaluations if of in line]
            if known:
                label = f"{name}: {known[-1][of]:.3g} in the end"
                _line(axes, series, [line[unit] for line in known], [line[of] for line in known], label)
        axes.set(xlabel=unit, title=measure.replace("_", " "))
        axes.margins(x=0.04)
        if unit == "step":
            axes.set_xlim(left=0)
        axes.grid(axis="y")
        axes.legend()
    return Picture(figure, title, " ".join(_ends(evaluations, measure) for measure in measures))


def _ends(evaluations: Sequence[Line], measure: str) -> str:
    """The final values of a measure, as a sentence."""
    last = evaluations[-1]
    parts = [f"{last[name]:.4g} on the {of}" for name, of in _named(measure) if name in last]
    after = f"after {last['step']:,} steps (epoch {last['epoch']:.3g})"
    return f"{measure.replace('_', ' ').capitalize()} {after}: {', '.join(parts)}."


def _named(measure: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (f"train_{measure}", "training data"), (f"test_{measure}", "test data")


class Errors(NamedTuple):
    """The errors of a run in per cent, of single batches and on the test data, each with its epoch."""

    epochs: Float[np.ndarray, "B"]
    single: Float[np.ndarray, "B"]
    tested_epochs: Float[np.ndarray, "E"]
    tested: Float[np.ndarray, "E"]


@in_style
def compared_training(runs: Mapping[str, Errors], norms: Mapping[str, Mapping[str, float]], title: str) -> Picture:
    """The errors of several networks over the epochs, and beside them the norms of their gradients, layer by layer.

    norms: name -> layer -> norm of the gradient of its weights.
    """
    series = {name: number for number, name in enumerate(dict.fromkeys([*runs, *norms]))}
    widths = {name: max(1, len(run.single) // 25) for name, run in runs.items()}
    smoothed = max(widths.values(), default=1) > 1
    training = "the mean of neighbouring batches (pale: each batch)" if smoothed else "batch by batch"
    figure = new_figure(10.5, 4.2, title, f"Left: lines are training, {training}; dashes are the test data.")
    left, right = figure.subplots(1, 2)
    told = []
    for name, run in runs.items():
        color, marker = SERIES[series[name]], MARKERS[series[name]]
        smooth = running_mean(run.single, widths[name])
        left.plot(run.epochs, run.single, color=color, alpha=0.15, linewidth=0.8)
        middle = running_mean(run.epochs, widths[name])
        left.plot(middle, smooth, color=color, label=f"{name}: {smooth[-1]:.1f} % in training")
        label = f"{name}: {run.tested[-1]:.1f} % on test"
        left.plot(run.tested_epochs, run.tested, linestyle="--", marker=marker, color=color, label=label)
        told.append(f"{name} ends with an error of {smooth[-1]:.1f} % in training, {run.tested[-1]:.1f} % on test.")
    left.set(xlabel="epoch", ylabel="error, %", title="error", ylim=(0, None))
    for name, layers in norms.items():
        values = list(layers.values())
        _line(right, series[name], range(1, len(layers) + 1), values, name)
        told.append(f"{name}: gradient norm {values[0]:.3g} in the first layer, {values[-1]:.3g} in the last.")
    right.set(yscale="log", title="norm of the weights' gradient, first steps")
    right.set_xlabel("layer, from the image to the output")
    right.xaxis.get_major_locator().set_params(integer=True)
    for axes in (left, right):
        axes.grid(axis="y")
        axes.legend()
    return Picture(figure, title, " ".join(told))


def running_mean(values: Float[np.ndarray, "N"], width: int) -> Float[np.ndarray, "M"]:
    """The means of each `width` neighbours, N - width + 1 of them."""
    return np.convolve(values, np.full(width, 1 / width), mode="valid")


class Elman(NamedTuple):
    """The recurrent weight of an RNN: its largest singular value, and its largest absolute eigenvalue."""

    largest_singular: float
    spectral_radius: float


GATED = {"RNN": 1, "LSTM": 0, "GRU": 2}
"""Kind of network -> which of the SERIES it has."""


@in_style
def gradient_flow(
    panels: Mapping[str, Mapping[str, Mapping[str, Float[np.ndarray, "S"]]]], elman: Mapping[str, Elman], title: str
) -> Picture:
    """The norm of d h_T / d h_t against t on a logarithmic axis: a panel for each title, with networks by name.

    panels: title -> network -> state ("h", of an LSTM also "c") -> norms. A name begins with RNN, LSTM or GRU.
    elman: of the RNN in the panel of that title, from which bound and rate are drawn.
    """
    figure = new_figure(4.4 * len(panels), 4.8, title)
    columns = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    told = []
    for axes, (panel, networks) in zip(columns, panels.items(), strict=True):
        for name, norms in networks.items():
            color = SERIES[GATED[name.split()[0].rstrip(",")]]
            for state, dashes in zip(norms, ("-", "--"), strict=False):
                label = name if state == "h" else f"{name}, d h_T / d {state}_t"
                shown = np.where(norms[state] > 0, norms[state], np.nan)  # h_T does not depend on c_T beside it
                axes.plot(shown, dashes, color=color, label=label)
            told.append(f"{panel}, {name}: {norms['h'][0]:.1e} of the state before the first input is left.")
        if panel in elman:
            _rates(axes, elman[panel], len(next(iter(networks.values()))["h"]) - 1)
        axes.set(title=panel, xlabel="step t", yscale="log", ylim=(LOWEST, HIGHEST))
        axes.grid()
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.14))
    columns[0].set(ylabel="norm of d h_T / d h_t")
    return Picture(figure, title, " ".join(told))


def _rates(axes: "Axes", elman: Elman, steps: int) -> None:
    back = np.arange(steps, -1.0, -1.0)
    style = {"color": LIGHT.ink, "linewidth": 1.0}
    largest, radius = elman
    axes.plot(largest**back, label=f"RNN, bound: {largest:.2f}^(T-t), largest singular value", **style)
    axes.plot(radius**back, linestyle=":", label=f"RNN, spectral radius: {radius:.2f}^(T-t)", **style)


@in_style
def exact_by_length(models: Mapping[str, tuple[Int[np.ndarray, "N"], Bool[np.ndarray, "N"]]], title: str) -> Picture:
    """For each model by name: the share of texts that came out right, against their length in characters.

    models: name -> the lengths of the texts, and which of them are right.
    """
    note = f"Each point: about an equal part of the texts, at most {BINS} parts, at the mean of their lengths."
    figure = new_figure(6.6, 3.8, title, note)
    axes = figure.subplots()
    told = []
    for series, (name, (lengths, right)) in enumerate(models.items()):
        edges = np.unique(np.quantile(lengths, np.linspace(0, 1, BINS + 1)).round())
        bins = np.clip(np.searchsorted(edges, lengths, side="right") - 1, 0, max(len(edges) - 2, 0))
        used = np.unique(bins)
        shares = [100 * right[bins == part].mean() for part in used]
        places = [lengths[bins == part].mean() for part in used]
        _line(axes, series, places, shares, f"{name}: {100 * right.mean():.1f} % of all")
        told.append(f"{name}: {right.sum():,} of {len(right):,} right ({100 * right.mean():.1f} %).")
    axes.set(xlabel="length of the input, characters", ylabel="exactly right, %", ylim=(-3, 103))
    axes.grid(axis="y")
    axes.legend(loc="lower left")
    return Picture(figure, title, " ".join(told))


def _line(axes: "Axes", series: int, x: Sequence[float] | range, y: Sequence[float], label: str) -> None:
    axes.plot(x, y, color=SERIES[series % 4], marker=MARKERS[series % 4], label=label)
