"""Trigger-word detection: the recipe and the task, on composed streams.

B streams of a batch, T frames, M mel bands, S steps of the network
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

import handmade
from handmade import draw
from handmade.data import SpokenDigits
from handmade.data.loader import prefetched
from handmade.data.speech import DIGITS_RATE
from handmade.data.streams import Stream, compose
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.speech import TriggerWord
from handmade.nn.functional import binary_cross_entropy_with_logits
from handmade.reading import require
from handmade.tasks.recipe import Recipe
from handmade.tasks.speech.task import load_speech
from handmade.tasks.task import Outcome, Task
from handmade.tasks.trigger.detections import STEP, detections_of, labels_of, matches
from handmade.tasks.trigger.listener import TriggerListener, log_mel_of, sigmoid

TEST_STREAMS, DRAWN = 100, 3
"""How many streams are tested on, and drawn."""


@dataclass(frozen=True, kw_only=True)
class TriggerRecipe(Recipe):
    """trigger: the digit to detect. seconds: the length of a stream. streams: how many make an epoch.

    mels: bands of the log-mel features. channels: of the convolution. hidden_size: of the GRU.
    """

    trigger: int = 7
    seconds: float = 5.0
    streams: int = 800
    mels: int = 40
    channels: int = 64
    hidden_size: int = 64
    max_norm: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(0, "trigger")
        self.at_least(1, "streams", "mels", "channels", "hidden_size", "seconds")
        if self.trigger > 9:
            raise InputError(f"trigger is {self.trigger}, expected a digit from 0 to 9.")

    def task(self, facts: dict[str, Any] | None = None) -> "TriggerDetection":
        return TriggerDetection(self, facts)


class TriggerDetection(Task):
    """The task of a TriggerRecipe. No two batches of training are alike: streams are composed as they are needed.

    facts: mean and standard deviation of each band, of some streams, to normalise by.
    """

    unit = "streams"

    def __init__(self, recipe: TriggerRecipe, facts: dict[str, Any] | None = None) -> None:
        self.recipe: TriggerRecipe = recipe
        self.facts = self._statistics() if facts is None else facts
        require(self.facts, {"mean": list[float], "std": list[float]}, "facts")
        if not len(self.facts["mean"]) == len(self.facts["std"]) == recipe.mels:
            raise InputError(f"facts: expected a mean and a standard deviation of each of the {recipe.mels} bands.")
        handmade.manual_seed(recipe.seed)
        self.model: TriggerWord = TriggerWord(recipe.mels, recipe.channels, recipe.hidden_size)

    # --- training -------------------------------------------------------------------------------------------------

    @cached_property
    def train_set(self) -> SpokenDigits:
        return load_speech(self.recipe.data, "train")

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.recipe.streams // self.recipe.batch_size)

    def batches(self, epoch: int, start: int) -> Iterator[tuple[Tensor, Tensor]]:
        def batch(number: int) -> tuple[Tensor, Tensor]:
            rng = np.random.default_rng([self.recipe.seed, epoch, number])
            return self._batch(self._streams(self.train_set, self.recipe.batch_size, rng))

        return prefetched(batch, range(start, self.steps_per_epoch), ahead=2)

    def loss(self, batch: tuple[Tensor, Tensor]) -> Outcome:
        features, labels = batch
        return Outcome(binary_cross_entropy_with_logits(self.model(features), labels), len(labels.array), {})

    # --- testing and use ------------------------------------------------------------------------------------------

    @cached_property
    def use(self) -> TriggerListener:
        recipe = self.recipe
        mean, std = (np.array(self.facts[name], np.float32) for name in ("mean", "std"))
        return TriggerListener(recipe.model, self.model, recipe.trigger, recipe.mels, mean, std)

    @cached_property
    def test_streams(self) -> list[Stream]:
        """Of a speaker who is not in the training set; always the same."""
        return self._streams(load_speech(self.recipe.data, "test"), TEST_STREAMS, np.random.default_rng(0))

    def evaluate(self) -> dict[str, float]:
        """Loss; precision, the share of detections that are right; recall, the share of trigger words detected."""
        features, labels = self._batch(self.test_streams)
        logits = self.use.logits(features)
        loss = binary_cross_entropy_with_logits(Tensor(logits), labels).item()
        right, detected, said = 0, 0, 0
        for stream, row in zip(self.test_streams, logits, strict=True):
            detections, ends = detections_of(sigmoid(row)), stream.ends(self.recipe.trigger)
            right += matches(detections, ends)
            detected, said = detected + len(detections), said + len(ends)
        return {"loss": loss, "precision": right / max(detected, 1), "recall": right / max(said, 1)}

    def draw(self, folder: Path) -> list[Path]:
        """trigger.png: streams of the test set, and what the network says along them."""
        shown = [stream for stream in self.test_streams if stream.ends(self.recipe.trigger)][:DRAWN]
        path = folder / "trigger.png"
        draw_streams(path, shown, [self.use.probabilities(stream.samples) for stream in shown], self.recipe.trigger)
        return [path]

    # --- data -----------------------------------------------------------------------------------------------------

    def _streams(self, clips: SpokenDigits, count: int, rng: np.random.Generator) -> list[Stream]:
        return [compose(clips, self.recipe.trigger, self.recipe.seconds, rng) for _ in range(count)]

    def _batch(self, streams: Sequence[Stream]) -> tuple[Tensor, Tensor]:
        features = np.stack([self.use.features(stream.samples) for stream in streams])
        steps = -(-features.shape[1] // TriggerWord.STRIDE)
        labels = np.stack([labels_of(stream.ends(self.recipe.trigger), steps) for stream in streams])
        return Tensor(features), Tensor(labels)

    def _statistics(self) -> dict[str, list[float]]:
        streams = self._streams(self.train_set, 50, np.random.default_rng(self.recipe.seed))
        features = np.concatenate([log_mel_of(stream.samples, self.recipe.mels) for stream in streams])
        return {"mean": features.mean(axis=0).tolist(), "std": features.std(axis=0).tolist()}


def draw_streams(
    path: Path, streams: Sequence[Stream], probabilities: Sequence[Float[np.ndarray, "S"]], trigger: int
) -> None:
    """Each stream's sound, its words (the trigger in colour), and the probability that the trigger was just said."""
    heard = []
    for stream, row in zip(streams, probabilities, strict=True):
        words = [draw.Said(str(word.digit), word.start, word.end, word.digit == trigger) for word in stream.words]
        seconds = len(stream.samples) / DIGITS_RATE
        heard.append(draw.Heard(seconds, stream.samples, words, STEP * np.arange(len(row)), row))
    draw.listening(heard, f"Waiting for {trigger}: a voice never heard before").save(path)
