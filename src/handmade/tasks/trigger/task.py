"""Learning to hear when a word falls: the recipe and the task of trigger-word detection, on composed streams.

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
from handmade.data import SpokenDigits, log_mel, read_wav
from handmade.data.loader import prefetched
from handmade.data.speech import DIGITS_RATE
from handmade.data.streams import Stream, compose
from handmade.data.wav import Samples
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.files import replacing
from handmade.models.speech import TriggerWord
from handmade.nn.functional import binary_cross_entropy_with_logits
from handmade.optim import Adam, CosineAnnealingLR
from handmade.tasks.recipe import Recipe
from handmade.tasks.speech.task import load_speech, with_a_frame
from handmade.tasks.task import Outcome, Task

STEP = 0.010 * TriggerWord.STRIDE
"""Seconds from one step of the network to the next; log_mel's frames are 0.01 s apart."""

HOLD = 0.3
"""For so many seconds after the end of the word the answer is to be yes."""

EARLY, LATE = 0.3, 0.5
"""A detection is right when it comes between so many seconds before the end of the word and after it."""

TEST_STREAMS, DRAWN = 100, 3
"""How many streams are tested on, and drawn."""


@dataclass(frozen=True, kw_only=True)
class TriggerRecipe(Recipe):
    """learning_rate: of Adam, at the start; it falls to 0 along half a cosine wave until the end of the run.
    trigger: the digit to wait for. seconds: the length of a stream. streams: how many an epoch composes.
    """

    learning_rate: float
    trigger: int = 7
    seconds: float = 5.0
    streams: int = 800
    mels: int = 40
    channels: int = 64
    hidden_size: int = 64
    max_norm: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(0, "learning_rate", "max_norm", "trigger")
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
    usage = "handmade predict {} SOUND.wav"

    def __init__(self, recipe: TriggerRecipe, facts: dict[str, Any] | None = None) -> None:
        self.recipe = recipe
        self.facts = facts or self._statistics()
        self.mean, self.std = (np.array(self.facts[name], np.float32) for name in ("mean", "std"))
        handmade.manual_seed(recipe.seed)
        self.model = TriggerWord(recipe.mels, recipe.channels, recipe.hidden_size)

    # --- training -------------------------------------------------------------------------------------------------

    @cached_property
    def train_set(self) -> SpokenDigits:
        return load_speech(self.recipe.data, "train")

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.recipe.streams // self.recipe.batch_size)

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
    def test_streams(self) -> list[Stream]:
        """Of a speaker who is not in the training set; always the same."""
        return self._streams(load_speech(self.recipe.data, "test"), TEST_STREAMS, np.random.default_rng(0))

    def evaluate(self) -> dict[str, float]:
        """Loss; precision, the share of detections that are right; recall, the share of trigger words detected."""
        features, labels = self._batch(self.test_streams)
        logits = self._logits(features)
        loss = binary_cross_entropy_with_logits(Tensor(logits), labels).item()
        right, detected, said = 0, 0, 0
        for stream, row in zip(self.test_streams, logits, strict=True):
            detections, ends = detections_of(sigmoid(row)), stream.ends(self.recipe.trigger)
            right += matches(detections, ends)
            detected, said = detected + len(detections), said + len(ends)
        return {"loss": loss, "precision": right / max(detected, 1), "recall": right / max(said, 1)}

    def probabilities(self, samples: Samples) -> Float[np.ndarray, "S"]:
        """At each step of a sound, that the trigger word was just said."""
        return sigmoid(self._logits(Tensor(self._features(samples)[None]))[0])

    def describe(self, path: Path) -> str:
        """When a WAV file says the trigger word: '7 at 1.24 s, 3.08 s'."""
        samples, _ = read_wav(path, DIGITS_RATE)
        times = ", ".join(f"{time:.2f} s" for time in detections_of(self.probabilities(samples)))
        return f"{self.recipe.trigger} at {times}" if times else f"no {self.recipe.trigger}"

    def draw(self, folder: Path) -> list[Path]:
        """trigger.png: streams of the test set, and what the network says along them."""
        shown = [stream for stream in self.test_streams if stream.ends(self.recipe.trigger)][:DRAWN]
        path = folder / "trigger.png"
        draw_streams(path, shown, [self.probabilities(stream.samples) for stream in shown], self.recipe.trigger)
        return [path]

    @handmade.no_grad()
    def _logits(self, features: Tensor) -> Float[np.ndarray, "B S"]:
        training = self.model.training
        try:
            return self.model.eval()(features).array
        finally:
            self.model.train(training)

    # --- data -----------------------------------------------------------------------------------------------------

    def _streams(self, clips: SpokenDigits, count: int, rng: np.random.Generator) -> list[Stream]:
        return [compose(clips, self.recipe.trigger, self.recipe.seconds, rng) for _ in range(count)]

    def _batch(self, streams: Sequence[Stream]) -> tuple[Tensor, Tensor]:
        features = np.stack([self._features(stream.samples) for stream in streams])
        steps = -(-features.shape[1] // TriggerWord.STRIDE)
        labels = np.stack([labels_of(stream.ends(self.recipe.trigger), steps) for stream in streams])
        return Tensor(features), Tensor(labels)

    def _features(self, samples: Samples) -> Float[np.ndarray, "T M"]:
        return (self._log_mel(samples) - self.mean) / self.std

    def _log_mel(self, samples: Samples) -> Float[np.ndarray, "T M"]:
        return log_mel(with_a_frame(samples, DIGITS_RATE), DIGITS_RATE, self.recipe.mels)

    def _statistics(self) -> dict[str, list[float]]:
        streams = self._streams(self.train_set, 50, np.random.default_rng(self.recipe.seed))
        features = np.concatenate([self._log_mel(stream.samples) for stream in streams])
        return {"mean": features.mean(axis=0).tolist(), "std": features.std(axis=0).tolist()}


def labels_of(ends: Sequence[float], steps: int) -> Float[np.ndarray, "S"]:
    """1 at the steps within HOLD after one of `ends` (in seconds), otherwise 0."""
    times = STEP * np.arange(steps)
    said = [(end <= times) & (times < end + HOLD) for end in ends]
    return np.any(said, axis=0).astype(np.float32) if said else np.zeros(steps, np.float32)


def detections_of(probabilities: Float[np.ndarray, "S"], threshold: float = 0.5) -> list[float]:
    """When the probability rises above the threshold, in seconds; after HOLD at the earliest again."""
    above = probabilities > threshold
    rises = STEP * np.flatnonzero(above & ~np.concatenate([[False], above[:-1]]))
    kept: list[float] = []
    for rise in rises.tolist():
        if not kept or rise - kept[-1] > HOLD:
            kept.append(rise)
    return kept


def matches(detections: Sequence[float], ends: Sequence[float]) -> int:
    """How many detections are right: each end counts for one detection, the first near it."""
    open_ends, right = sorted(ends), 0
    for time in sorted(detections):
        near = [end for end in open_ends if -EARLY <= time - end <= LATE]
        if near:
            open_ends.remove(near[0])
            right += 1
    return right


def sigmoid(logits: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    return Tensor(logits).sigmoid().array


def draw_streams(
    path: Path, streams: Sequence[Stream], probabilities: Sequence[Float[np.ndarray, "S"]], trigger: int
) -> None:
    """Each stream's sound, its words (the trigger in colour), and the probability that the trigger was just said."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.4 * len(streams) + 0.5), layout="constrained")
    figure.suptitle(f"Waiting for {trigger}: a voice never heard before")
    for axes, stream, row in zip(
        figure.subplots(len(streams), squeeze=False)[:, 0], streams, probabilities, strict=True
    ):
        times = np.arange(len(stream.samples)) / DIGITS_RATE
        axes.plot(times, stream.samples / np.abs(stream.samples).max() / 2 + 0.5, color="0.8", linewidth=0.5)
        for word in stream.words:
            color = "#009E73" if word.digit == trigger else "0.4"
            axes.axvspan(word.start, word.end, color=color, alpha=0.15)
            axes.text((word.start + word.end) / 2, 1.08, str(word.digit), ha="center", va="center", color=color)
        axes.plot(STEP * np.arange(len(row)), row, color="#D55E00")
        axes.axhline(0.5, color="0.6", linewidth=0.8, linestyle=":")
        axes.set(xlim=(0, times[-1]), ylim=(-0.05, 1.2), ylabel="probability")
    figure.axes[-1].set_xlabel("seconds")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
