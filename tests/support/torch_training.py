"""Small trainings in float64, to be computed by one engine and by another, in one process and in two."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from handmade.engine import Tensor
from handmade.recipes import RECIPES
from handmade.tasks import Task, changed
from handmade.train.engine import Engine

TEXT = "the cat sat on the mat, and the dog sat on the cat. a rat ran at the cat and the dog ran off.\n" * 12
SMALL = {
    "lenet5": ["data=folder:{folder}/pictures", "batch_size=8", "flip=false"],
    "resnet20": ["data=folder:{folder}/pictures", "batch_size=2", "learning_rate=0.01"],
    "char-lstm": ["data=text:{folder}/text", "batch_size=4", "sequence_length=5", "hidden_size=12"],
    "gpt": ["data=text:{folder}/text", "batch_size=5", "sequence_length=8", "n_embd=16", "n_head=2", "n_layer=2"],
    "bert": ["data=text:{folder}/text", "batch_size=6", "hidden_size=16", "num_layers=1"],
    "transformer": [
        "data=parallel:{folder}/a,{folder}/b",
        "test={folder}/a,{folder}/b",
        "tokens=characters",
        "batch_size=60",
        "label_smoothing=0.1",
        "d_model=16",
        "dim_feedforward=24",
        "num_layers=1",
    ],
}
"""Settings by recipe. Few rows for a network with batch norm make its rounding errors grow: its rate is lower."""


def write_data(folder: Path, pictures: Path) -> Path:
    """What SMALL learns from, in `folder`."""
    (folder / "pictures").symlink_to(pictures)
    (folder / "text").write_text(TEXT)
    rng = np.random.default_rng(3)
    sources = ["".join(rng.choice(list("abcdef"), rng.integers(2, 9))) for _ in range(40)]
    (folder / "a").write_text("\n".join(sources) + "\n")
    (folder / "b").write_text("\n".join(source[::-1] for source in sources) + "\n")
    return folder


def settings_of(model: str, folder: Path, *more: str) -> list[str]:
    return [setting.format(folder=folder) for setting in SMALL[model]] + ["steps=50", *more]


def task_of(model: str, folder: Path, *more: str) -> Task:
    """A task in float64."""
    task = changed(RECIPES[model], settings_of(model, folder, *more)).task()
    task.model.double()
    return task


def curve(task: Task, make: Callable[[Task], Engine], steps: int) -> np.ndarray:
    """The losses of the first steps; the task has then learned from them."""
    engine, losses, epoch = make(task), [], 0
    task.model.train()
    engine.begin()
    while len(losses) < steps:
        for batch in task.batches(epoch, 0):
            outcome = engine.loss(wide(batch))
            losses.append(outcome.loss.item())
            engine.learn(outcome)
            if len(losses) == steps:
                break
        epoch += 1
    engine.collect()
    return np.array(losses)


def wide(part: Any) -> Any:
    """A batch, or a part of it, with float64 for float32."""
    if isinstance(part, Tensor):
        return part.double() if part.array.dtype == np.float32 else part
    return tuple(map(wide, part)) if type(part) is tuple else part


def weights(task: Task) -> dict[str, np.ndarray]:
    """Weights, and what the optimizer remembers of each."""
    names = {parameter: name for name, parameter in task.model.named_parameters()}
    found = {name: tensor.array for name, tensor in task.model.state_dict().items()}
    for parameter, state in task.optimizer.state.items():
        found |= {f"{name} of {names[parameter]}": np.asarray(value) for name, value in state.items()}
    return found
