"""A trigger-word detector in use.

B streams, T frames, M mel bands, S steps of the network
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from handmade.data import log_mel
from handmade.data.speech import DIGITS_RATE
from handmade.data.wav import Samples
from handmade.engine import Tensor, no_grad
from handmade.models.speech import TriggerWord
from handmade.nn.utils import evaluating
from handmade.tasks.speech.listener import heard, with_a_frame
from handmade.tasks.trigger.detections import detections_of


@dataclass(frozen=True)
class TriggerListener:
    """A model that hears when the digit `trigger` was said.

        handmade.open("runs/trigger-word-1").listen("sound.wav")    # [1.24, 3.08]

    mean, std: of each mel band in training, to normalise by.
    """

    name: str
    model: TriggerWord
    trigger: int
    mels: int
    mean: Float[np.ndarray, "M"]
    std: Float[np.ndarray, "M"]
    trained: bool = True

    purpose: ClassVar[str] = "listen"

    def listen(self, sound: str | Path | Samples) -> list[float]:
        """When a WAV file, or samples, 8,000 a second, say the trigger word, in seconds."""
        return detections_of(self.probabilities(heard(sound)))

    def describe(self, file: str | Path) -> str:
        """When a WAV file says the trigger word: '7 at 1.24 s, 3.08 s'."""
        times = ", ".join(f"{time:.2f} s" for time in self.listen(file))
        return f"{self.trigger} at {times}" if times else f"no {self.trigger}"

    def probabilities(self, samples: Samples) -> Float[np.ndarray, "S"]:
        """At each step of a sound, that the trigger word was just said."""
        return sigmoid(self.logits(Tensor(self.features(samples)[None]))[0])

    @no_grad()
    def logits(self, features: Float[Tensor, "B T M"]) -> Float[np.ndarray, "B S"]:
        """The score of each step of each stream."""
        with evaluating(self.model):
            return self.model(features).array

    def features(self, samples: Samples) -> Float[np.ndarray, "T M"]:
        """Log-mel features as the model takes them."""
        return (log_mel_of(samples, self.mels) - self.mean) / self.std


def log_mel_of(samples: Samples, mels: int) -> Float[np.ndarray, "T M"]:
    """The log-mel features of a sound, of one frame at least."""
    return log_mel(with_a_frame(samples, DIGITS_RATE), DIGITS_RATE, mels)


def sigmoid(logits: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    return Tensor(logits).sigmoid().array
