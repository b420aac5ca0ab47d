"""Streams of sound composed from clips: alternating words and silence over noise, with the times of the words.

S samples of a stream, N clips
"""

from dataclasses import dataclass

import numpy as np

from handmade.data.speech import DIGITS_RATE, SpokenDigits
from handmade.data.wav import Samples

NOISE = (1e-4, 1e-2)
"""The range of the noise's standard deviation, drawn log-uniformly; the peak of a clip is at most 1."""

LOUDNESS = (0.5, 2.0)
"""The range of factors for a clip's loudness, also drawn log-uniformly."""


@dataclass(frozen=True, eq=False)
class Word:
    """A word in a stream: the digit, and when it begins and ends, in seconds."""

    digit: int
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Stream:
    """A sound of DIGITS_RATE samples per second, and the words in it, in order."""

    samples: Samples
    words: tuple[Word, ...]

    def ends(self, digit: int) -> list[float]:
        """When the words that are `digit` end, in seconds."""
        return [word.end for word in self.words if word.digit == digit]


def compose(clips: SpokenDigits, trigger: int, seconds: float, rng: np.random.Generator) -> Stream:
    """A stream of `seconds` with up to three words that are `trigger` and up to three others, over noise.

    The words do not overlap; words that do not fit are left out. Raises ValueError if `clips` contain no trigger, or
    nothing else.
    """
    is_trigger = clips.digits == trigger
    if not is_trigger.any() or is_trigger.all():
        raise ValueError(f"compose: of {len(clips)} clips {is_trigger.sum()} say {trigger}; expected some, not all")
    chosen = [
        *rng.choice(np.flatnonzero(is_trigger), rng.integers(4)),
        *rng.choice(np.flatnonzero(~is_trigger), rng.integers(4)),
    ]
    size = round(seconds * DIGITS_RATE)
    samples = rng.normal(scale=_between(*NOISE, rng), size=size)
    free, fitting = size, []
    for index in rng.permutation(chosen).astype(int):
        if len(clips.clips[index]) <= free:
            fitting.append(index)
            free -= len(clips.clips[index])
    gaps = np.diff(np.sort(rng.integers(0, free + 1, len(fitting))), prepend=0)  # silence before each word
    words, at = [], 0
    for index, gap in zip(fitting, gaps, strict=True):
        clip, start = clips.clips[index], at + int(gap)
        at = start + len(clip)
        samples[start:at] += _between(*LOUDNESS, rng) * clip
        words.append(Word(int(clips.digits[index]), start / DIGITS_RATE, at / DIGITS_RATE))
    return Stream(samples.astype(np.float32), tuple(words))


def _between(low: float, high: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
