"""When a word was said: as labels to learn from, as detections, and which of these are right.

S steps of the network
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from handmade.models.speech import TriggerWord

STEP = 0.010 * TriggerWord.STRIDE
"""Seconds from one step of the network to the next; log_mel's frames are 0.01 s apart."""

HOLD = 0.3
"""Seconds after the word's end that count as positive."""

EARLY, LATE = 0.3, 0.5
"""A detection counts as right from this many seconds before the end of the word to this many after it."""


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
