"""The picture of a run: its measures over the epochs."""

from collections.abc import Sequence
from pathlib import Path

from handmade.files import replacing
from handmade.train.metrics import Line

TRAIN, TEST = "#0072B2", "#D55E00"
"""Blue and vermilion that colour-blind people tell apart (Okabe and Ito 2008)."""


def draw_curves(path: Path, lines: Sequence[Line]) -> None:
    """Each measure over the epochs, on the training and the test data, from the lines of metrics.jsonl."""
    from matplotlib.figure import Figure

    epochs = [line for line in lines if "test_loss" in line]
    steps = [line for line in lines if "test_loss" not in line]
    measures = [name.removeprefix("test_") for name in epochs[-1] if name.startswith("test_")]
    figure = Figure(figsize=(5.5 * len(measures), 4), layout="constrained")
    for axes, measure in zip(figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True):
        at = [line["epoch"] for line in epochs]
        if steps and measure in steps[0]:
            single = [line["epoch"] for line in steps], [line[measure] for line in steps]
            axes.plot(*single, color=TRAIN, alpha=0.25, linewidth=0.8, label="single batches")
        if f"train_{measure}" in epochs[-1]:
            train = [line[f"train_{measure}"] for line in epochs]
            axes.plot(at, train, color=TRAIN, marker="o", markersize=4, label="train, mean of the epoch")
        test = [line[f"test_{measure}"] for line in epochs]
        axes.plot(at, test, color=TEST, marker="o", markersize=4, label=f"test, {test[-1]:.3g} in the end")
        axes.set(xlabel="epoch", title=measure)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
