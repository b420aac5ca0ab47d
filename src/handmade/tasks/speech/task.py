"""Spoken-word classification: the recipe and the task.

N clips, B clips of a batch, T frames, M mel bands, K classes
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

import handmade
from handmade import data
from handmade.data import SpokenDigits, pad_features
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.speech import SpeechClassifier
from handmade.nn.functional import cross_entropy
from handmade.reading import require
from handmade.tasks.images import report
from handmade.tasks.recipe import Recipe
from handmade.tasks.speech.listener import Listener
from handmade.tasks.task import Outcome, Task


@dataclass(frozen=True, kw_only=True)
class SpeechRecipe(Recipe):
    """hidden_size: of the GRU, in each direction. mels: bands of the log-mel features."""

    hidden_size: int = 64
    mels: int = 40
    max_norm: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "hidden_size", "mels")

    def task(self, facts: dict[str, Any] | None = None) -> "SpeechClassification":
        return SpeechClassification(self, facts)


class SpeechClassification(Task):
    """The task of a SpeechRecipe. Data sets are read when they are first needed.

    Learned and asked are the features of `Listener`.
    """

    unit = "clips"

    def __init__(self, recipe: SpeechRecipe, facts: dict[str, Any] | None = None) -> None:
        self.recipe: SpeechRecipe = recipe
        self.facts = _classes(self.train_set) if facts is None else facts
        require(self.facts, {"classes": list[str]}, "facts")
        self.classes: list[str] = self.facts["classes"]
        handmade.manual_seed(recipe.seed)
        self.model: SpeechClassifier = SpeechClassifier(len(self.classes), recipe.mels, recipe.hidden_size)

    # --- training -------------------------------------------------------------------------------------------------

    @cached_property
    def train_set(self) -> SpokenDigits:
        return load_speech(self.recipe.data, "train")

    @cached_property
    def train_features(self) -> list[Float[np.ndarray, "_ M"]]:
        return [self.use.features(clip) for clip in self.train_set.clips]

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.train_set) // self.recipe.batch_size)

    def batches(self, epoch: int, start: int) -> Iterator[tuple[Tensor, np.ndarray, Tensor]]:
        size = self.recipe.batch_size
        order = np.random.default_rng([self.recipe.seed, epoch]).permutation(len(self.train_set))
        for first in range(start * size, len(order), size):
            chosen = order[first : first + size]
            features, lengths = pad_features([self.train_features[index] for index in chosen])
            yield Tensor(features), lengths, Tensor(self.train_set.digits[chosen])

    def loss(self, batch: tuple[Tensor, np.ndarray, Tensor]) -> Outcome:
        features, lengths, labels = batch
        logits = self.model(features, lengths)
        right = int((logits.array.argmax(axis=1) == labels.array).sum())
        return Outcome(cross_entropy(logits, labels), len(labels), {"accuracy": right})

    # --- testing and use ------------------------------------------------------------------------------------------

    @cached_property
    def use(self) -> Listener:
        return Listener(self.recipe.model, self.model, self.classes, self.recipe.mels)

    def evaluate(self) -> dict[str, float]:
        """Loss and accuracy on the clips of a speaker who is not in the training set."""
        logits, labels = self.test_logits()
        loss = cross_entropy(Tensor(logits), Tensor(labels)).item()
        return {"loss": loss, "accuracy": float((logits.argmax(axis=1) == labels).mean())}

    def test_logits(self) -> tuple[Float[np.ndarray, "N K"], Int64[np.ndarray, "N"]]:
        """What the model says of every clip of the test set, and what the clips are."""
        test_set = load_speech(self.recipe.data, "test")
        return self.use.logits(test_set.clips), test_set.digits

    def draw(self, folder: Path) -> list[Path]:
        """confusion.png, of the test set."""
        logits, labels = self.test_logits()
        path = folder / "confusion.png"
        matrix = report.confusion_matrix(labels, logits.argmax(axis=1), len(self.classes))
        report.draw_confusion(path, matrix, self.classes, f"{self.recipe.model} on {self.recipe.data}")
        return [path]


def load_speech(name: str, split: str) -> SpokenDigits:
    """The data set `name`, which must be one of spoken digits."""
    loaded = data.load(name, split)
    if not isinstance(loaded, SpokenDigits):
        raise InputError(f"{name} holds no speech; take spoken-digits.")
    return loaded


def _classes(clips: SpokenDigits) -> dict[str, Any]:
    return {"classes": sorted({str(digit) for digit in clips.digits})}
