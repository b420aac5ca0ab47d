"""Why residual networks: the training errors of a plain and a residual network, and the gradients in their layers.

    He, Zhang, Ren & Sun, "Deep Residual Learning for Image Recognition" (2015), figures 1 and 6.

With batch normalisation gradients do not vanish on the way back. In a plain network they grow with every layer, so that
no learning rate suits both ends; shortcuts keep them nearly level.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from handmade import draw
from handmade.errors import InputError
from handmade.tasks import Task
from handmade.train.metrics import Line, read_metrics


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
    errors = {}
    for name, run in runs.items():
        lines = read_metrics(run / "metrics.jsonl") if isinstance(run, Path) else run
        errors[name] = errors_of(name, lines)
    draw.compared_training(errors, norms, title).save(path)


def errors_of(name: str, lines: Sequence[Line]) -> draw.Errors:
    """The errors in per cent of single batches and of the test data. InputError where there are none yet."""
    steps = [line for line in lines if "accuracy" in line]
    tests = [line for line in lines if "test_accuracy" in line]
    if not steps or not tests:
        raise InputError(
            f"the metrics of {name} hold no accuracies yet; train for ten steps and an evaluation at least."
        )
    epochs, tested_epochs = (np.array([line["epoch"] for line in some]) for some in (steps, tests))
    single = 100 * (1 - np.array([line["accuracy"] for line in steps]))
    tested = 100 * (1 - np.array([line["test_accuracy"] for line in tests]))
    return draw.Errors(epochs, single, tested_epochs, tested)
