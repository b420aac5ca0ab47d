"""Why residual networks: the training errors of a plain and a residual network, and the gradients in their layers.

    He, Zhang, Ren & Sun, "Deep Residual Learning for Image Recognition" (2015), figures 1 and 6.

With batch normalisation gradients do not vanish on the way back. In a plain network they grow with every layer, so that
no learning rate suits both ends; shortcuts keep them nearly level.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from handmade.errors import InputError
from handmade.lens.drawing import new_figure, save
from handmade.tasks import Task
from handmade.train.metrics import Line, read_metrics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7")
"""Vermilion, blue, green and purple that colour-blind people tell apart (Okabe and Ito 2008)."""


def gradient_norms(task: Task, steps: int) -> dict[str, float]:
    """Layer -> ||dL/dW||, the norm of the gradient of its weights, the mean over the first steps of training.

    The steps are taken (at most an epoch of them), so give a task of its own. Layers are those with weights of two axes
    or more, from the image to the output.
    """
    weights = {name.removesuffix(".weight"): p for name, p in task.model.named_parameters() if p.ndim >= 2}
    norms = []
    task.model.train()
    for _, batch in zip(range(steps), task.batches(0, 0), strict=False):
        task.optimizer.zero_grad()
        task.loss(batch).loss.backward()
        norms.append([0.0 if p.grad is None else float(np.linalg.norm(p.grad.array)) for p in weights.values()])
        task.optimizer.step()
        task.schedule.step()
    return dict(zip(weights, np.mean(norms, axis=0).tolist(), strict=True))


def draw_training_curves(
    path: Path,
    runs: Mapping[str, Path | Sequence[Line]],
    norms: Mapping[str, Mapping[str, float]],
    title: str,
) -> None:
    """Draw the errors of runs over the epochs, and beside them the gradient norms of the same models.

    runs: name -> the folder of a run, or the lines of its metrics.jsonl, with accuracies.
    norms: name -> layer -> norm, as `gradient_norms` gives them.
    """
    colors = dict(zip(dict.fromkeys([*runs, *norms]), COLORS, strict=False))
    figure = new_figure(12, 4.8)
    figure.suptitle(title, fontsize=12)
    left, right = figure.subplots(1, 2)
    for name, run in runs.items():
        lines = read_metrics(run / "metrics.jsonl") if isinstance(run, Path) else run
        _draw_errors(left, name, lines, colors[name])
    left.set(xlabel="epoch", ylabel="error, %", title="training (lines) and test (dashed)", ylim=(0, None))
    for name, layers in norms.items():
        depth = range(1, len(layers) + 1)
        right.semilogy(depth, list(layers.values()), color=colors[name], marker="o", markersize=3, label=name)
    right.xaxis.get_major_locator().set_params(integer=True)
    right.set(xlabel="layer, from the image to the output", title="norm of the weights' gradient, first steps")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    save(figure, path)


def _draw_errors(axes: "Axes", name: str, lines: Sequence[Line], color: str) -> None:
    """The training error of single batches, smoothed, and the test error after each epoch."""
    steps = [line for line in lines if "accuracy" in line]
    epochs = [line for line in lines if "test_accuracy" in line]
    if not steps or not epochs:
        raise InputError(
            f"the metrics of {name} hold no accuracies yet; train for ten steps and an evaluation at least."
        )
    errors = 100 * (1 - np.array([line["accuracy"] for line in steps]))
    width = max(1, len(steps) // 25)
    smooth = np.convolve(errors, np.full(width, 1 / width), mode="valid")
    at = np.array([line["epoch"] for line in steps])
    middle = np.convolve(at, np.full(width, 1 / width), mode="valid")
    axes.plot(at, errors, color=color, alpha=0.15, linewidth=0.8)
    axes.plot(middle, smooth, color=color, linewidth=1.8, label=f"{name}: {smooth[-1]:.1f} % in training")
    tested = [100 * (1 - line["test_accuracy"]) for line in epochs]
    test_label = f"{name}: {tested[-1]:.1f} % on test"
    axes.plot([line["epoch"] for line in epochs], tested, "--o", color=color, markersize=4, label=test_label)
