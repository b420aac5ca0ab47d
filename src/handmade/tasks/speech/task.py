"""Learning to tell spoken words apart: the recipe and the task.

N clips, B clips of a batch, T frames, M mel bands, K classes
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

import handmade
from handmade import data
from handmade.data import SpokenDigits, log_mel, pad_features, read_wav
from handmade.data.speech import DIGITS_RATE
from handmade.data.wav import Samples
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.speech import SpeechClassifier
from handmade.nn.functional import cross_entropy
from handmade.optim import Adam, CosineAnnealingLR
from handmade.tasks.images import report
from handmade.tasks.likeliest import likeliest
from handmade.tasks.recipe import Recipe
from handmade.tasks.task import Outcome, Task

FRAME = 0.025
"""Seconds that a frame of log_mel takes: shorter sounds are filled up with silence to one frame."""


@dataclass(frozen=True, kw_only=True)
class SpeechRecipe(Recipe):
    """learning_rate: of Adam, at the start; it falls to 0 along half a cosine wave until the end of the run.
    hidden_size: of the GRU, in each direction. mels: bands of the log-mel features.
    """

    learning_rate: float
    hidden_size: int = 64
    mels: int = 40
    max_norm: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(0, "learning_rate", "max_norm")
        self.at_least(1, "hidden_size", "mels")

    def task(self, facts: dict[str, Any] | None = None) -> "SpeechClassification":
        return SpeechClassification(self, facts)


class SpeechClassification(Task):
    """The task of a SpeechRecipe. Sets are read when they are first needed.

    Of every clip's features the mean over its frames is taken off, band by band: what the microphone and the distance
    to it do to all frames alike (cepstral mean normalisation, Atal 1974). With the training set's mean in its place,
    the voice held out was understood 7 times in 10, with the clip's own 9 times.
    """

    unit = "clips"
    usage = "handmade predict {} CLIP.wav"

    def __init__(self, recipe: SpeechRecipe, facts: dict[str, Any] | None = None) -> None:
        self.recipe = recipe
        self.facts = facts or {"classes": sorted({str(digit) for digit in self.train_set.digits})}
        self.classes: list[str] = self.facts["classes"]
        handmade.manual_seed(recipe.seed)
        self.model = SpeechClassifier(len(self.classes), recipe.mels, recipe.hidden_size)

    # --- training -------------------------------------------------------------------------------------------------

    @cached_property
    def train_set(self) -> SpokenDigits:
        return load_speech(self.recipe.data, "train")

    @cached_property
    def train_features(self) -> list[Float[np.ndarray, "_ M"]]:
        return [self.features(clip) for clip in self.train_set.clips]

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.train_set) // self.recipe.batch_size)

    @property
    def total_steps(self) -> int:
        return self.recipe.steps or self.recipe.epochs * self.steps_per_epoch

    @cached_property
    def optimizer(self) -> Adam:
        return Adam(self.model.parameters(), self.recipe.learning_rate)

    @cached_property
    def schedule(self) -> CosineAnnealingLR:
        return CosineAnnealingLR(self.optimizer, T_max=self.total_steps)

    @property
    def max_norm(self) -> float:
        return self.recipe.max_norm

    def features(self, clip: Samples) -> Float[np.ndarray, "T M"]:
        """Log-mel features with a mean of 0 in every band, and a standard deviation of 1 over all of them."""
        features = log_mel(with_a_frame(clip, DIGITS_RATE), DIGITS_RATE, self.recipe.mels)
        features = features - features.mean(axis=0)
        return features / max(float(features.std()), 1e-3)  # silence is the same in every frame

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

    def evaluate(self) -> dict[str, float]:
        """Loss and accuracy on the clips of a speaker who is not in the training set."""
        logits, labels = self.test_logits()
        loss = cross_entropy(Tensor(logits), Tensor(labels)).item()
        return {"loss": loss, "accuracy": float((logits.argmax(axis=1) == labels).mean())}

    def test_logits(self) -> tuple[Float[np.ndarray, "N K"], Int64[np.ndarray, "N"]]:
        """What the model says of every clip of the test set, and what the clips are."""
        test_set = load_speech(self.recipe.data, "test")
        return self._logits(test_set.clips), test_set.digits

    def probabilities(self, clip: Samples) -> Float[np.ndarray, "K"]:
        """Of each class."""
        return Tensor(self._logits([clip])).softmax(dim=1).array[0]

    def describe(self, path: Path) -> str:
        """The likeliest classes of a WAV file, as '7 98.1 %, 1 0.9 %, ...'."""
        clip, _ = read_wav(path, DIGITS_RATE)
        return likeliest(self.classes, self.probabilities(clip))

    @handmade.no_grad()
    def _logits(self, clips: Sequence[Samples]) -> Float[np.ndarray, "N K"]:
        training = self.model.training
        try:
            self.model.eval()
            size = self.recipe.batch_size
            parts = [pad_features([self.features(clip) for clip in part]) for part in _parts(clips, size)]
            return np.concatenate([self.model(Tensor(x), lengths).array for x, lengths in parts])
        finally:
            self.model.train(training)

    def draw(self, folder: Path) -> list[Path]:
        """confusion.png, of the test set."""
        logits, labels = self.test_logits()
        path = folder / "confusion.png"
        matrix = report.confusion_matrix(labels, logits.argmax(axis=1), len(self.classes))
        report.draw_confusion(path, matrix, self.classes)
        return [path]


def with_a_frame(clip: Samples, rate: int) -> Samples:
    """The clip, filled up with silence where it is shorter than a frame."""
    return np.pad(clip, (0, max(0, round(FRAME * rate) - len(clip))))


def _parts(clips: Sequence[Samples], size: int) -> Iterator[Sequence[Samples]]:
    return (clips[first : first + size] for first in range(0, len(clips), size))


def load_speech(name: str, split: str) -> SpokenDigits:
    """The data set `name`, which must be one of spoken digits."""
    loaded = data.load(name, split)
    if not isinstance(loaded, SpokenDigits):
        raise InputError(f"{name} holds no speech; take spoken-digits.")
    return loaded
