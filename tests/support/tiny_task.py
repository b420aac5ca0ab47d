"""A task that learns in a blink, with everything that a resumed run must bring back: momentum, buffers, dropout."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import handmade
from handmade import nn, optim
from handmade.engine import Tensor
from handmade.tasks import Outcome, Recipe, Task
from handmade.train.display import PlainDisplay
from handmade.train.loop import Trainer
from handmade.train.run import Run


@dataclass(frozen=True, kw_only=True)
class TinyRecipe(Recipe):
    learning_rate: float = 0.01
    hidden: int = 16

    def task(self, facts: dict[str, Any] | None = None) -> "TinyTask":
        return TinyTask(self)


class TinyTask(Task):
    """Three classes of points in the plane, 96 of them."""

    unit = "points"

    def __init__(self, recipe: TinyRecipe) -> None:
        self.recipe = recipe
        self.facts: dict[str, Any] = {}
        handmade.manual_seed(recipe.seed)
        self.model = nn.Sequential(
            {
                "first": nn.Linear(2, recipe.hidden),
                "norm": nn.BatchNorm1d(recipe.hidden),
                "tanh": nn.Tanh(),
                "drop": nn.Dropout(0.2),
                "second": nn.Linear(recipe.hidden, 3),
            }
        )
        self.steps_per_epoch = 96 // recipe.batch_size
        self.total_steps = recipe.steps or recipe.epochs * self.steps_per_epoch
        self.optimizer = optim.Adam(self.model.parameters(), recipe.learning_rate)
        self.schedule = optim.CosineAnnealingLR(self.optimizer, self.total_steps)
        rng = np.random.default_rng(7)
        self.labels = np.repeat(np.arange(3), 32)
        angles = self.labels * 2.1 + rng.normal(0, 0.3, 96)
        self.points = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    def batches(self, epoch: int, start: int) -> Iterator[tuple[Tensor, Tensor]]:
        order = np.random.default_rng([self.recipe.seed, epoch]).permutation(96)
        size = self.recipe.batch_size
        for number in range(start, self.steps_per_epoch):
            chosen = order[number * size : (number + 1) * size]
            yield Tensor(self.points[chosen]), Tensor(self.labels[chosen])

    def loss(self, batch: tuple[Tensor, Tensor]) -> Outcome:
        points, labels = batch
        scores = self.model(points)
        right = float((scores.array.argmax(axis=1) == labels.array).sum())
        return Outcome(nn.functional.cross_entropy(scores, labels), len(labels), {"accuracy": right})

    @handmade.no_grad()
    def evaluate(self) -> dict[str, float]:
        self.model.eval()
        scores = self.model(Tensor(self.points))
        self.model.train()
        loss = nn.functional.cross_entropy(scores, Tensor(self.labels)).item()
        return {"loss": loss, "accuracy": float((scores.array.argmax(axis=1) == self.labels).mean())}

    def draw(self, folder: Path) -> list[Path]:
        return []


RECIPE = TinyRecipe(model="tiny", data="points", epochs=3, batch_size=8)


def trainer_in(folder: Path, recipe: TinyRecipe = RECIPE, task: TinyTask | None = None) -> Trainer:
    """A trainer of the run in `folder`, begun or gone on with."""
    task = task or recipe.task()
    return Trainer(task, Run(folder, recipe, {}), PlainDisplay(task))
