"""Reading a labelling off the outputs of a network trained with CTC (Graves et al. 2006).

T time steps, N sequences, C classes. A path names a class at every step; it reads as the labels that are left
when repeats are merged and then blanks dropped: `__aa_ab` is a, a, b.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

IMPOSSIBLE = -np.inf


class Labelling(NamedTuple):
    labels: tuple[int, ...]
    log_prob: float


def ctc_greedy(
    log_probs: Float[np.ndarray, "T N C"], input_lengths: list[int] | None = None, blank: int = 0
) -> list[Labelling]:
    """The most probable path of each sequence, read as labels; `log_prob` is the path's.

    Often, not always, these are the most probable labels too: those may owe their probability to many paths.
    """
    found = []
    for scores in _sequences(log_probs, input_lengths, blank):
        path = scores.argmax(axis=1)
        starts = np.diff(path, prepend=-1) != 0
        labels = path[starts & (path != blank)]
        found.append(Labelling(tuple(labels.tolist()), float(scores.max(axis=1).sum())))
    return found


def ctc_beam_search(
    log_probs: Float[np.ndarray, "T N C"],
    input_lengths: list[int] | None = None,
    beam_width: int = 10,
    blank: int = 0,
) -> list[list[Labelling]]:
    """For each sequence the most probable labellings found, best first, at most `beam_width` of them.

    Prefix search with a beam: of every prefix is kept how probable the paths are that read it and end in a
    blank, and those that end in its last label. The two go on differently: the last label again is a new
    label after a blank, and a repeat otherwise. `log_prob` sums over all paths of a labelling that the beam
    kept alive.
    """
    if beam_width < 1:
        raise ValueError(f"ctc_beam_search: beam_width must be at least 1, got {beam_width}")
    sequences = _sequences(log_probs, input_lengths, blank)
    return [_beam_search(scores.tolist(), beam_width, blank) for scores in sequences]


def _beam_search(scores: list[list[float]], beam_width: int, blank: int) -> list[Labelling]:
    beam = {(): (0.0, IMPOSSIBLE)}  # prefix -> log p(ends in a blank), log p(ends in its last label)
    for row in scores:
        grown = defaultdict(lambda: [IMPOSSIBLE, IMPOSSIBLE])
        for prefix, (blank_end, label_end) in beam.items():
            either = np.logaddexp(blank_end, label_end)
            for label, score in enumerate(row):
                if label == blank:
                    _add(grown[prefix], 0, either + score)
                elif prefix and label == prefix[-1]:
                    _add(grown[prefix], 1, label_end + score)
                    _add(grown[(*prefix, label)], 1, blank_end + score)
                else:
                    _add(grown[(*prefix, label)], 1, either + score)
        best = sorted(grown.items(), key=lambda item: -np.logaddexp(item[1][0], item[1][1]))[:beam_width]
        beam = {prefix: (ends[0], ends[1]) for prefix, ends in best}
    found = [Labelling(prefix, float(np.logaddexp(ends[0], ends[1]))) for prefix, ends in beam.items()]
    return [labelling for labelling in found if labelling.log_prob > IMPOSSIBLE]


def _add(ends: list[float], end: int, log_prob: float) -> None:
    ends[end] = float(np.logaddexp(ends[end], log_prob))


def _sequences(log_probs: Float[np.ndarray, "T N C"], input_lengths: list[int] | None, blank: int) -> list[np.ndarray]:
    """The scores (T_n, C) of each sequence, without its padding."""
    steps, batch, classes = log_probs.shape
    lengths = [steps] * batch if input_lengths is None else [int(length) for length in input_lengths]
    if len(lengths) != batch or not all(0 <= length <= steps for length in lengths):
        raise ValueError(f"input_lengths must be {batch} numbers from 0 to {steps}, got {lengths}")
    if not 0 <= blank < classes:
        raise ValueError(f"blank must be one of the {classes} classes, got {blank}")
    return [log_probs[:length, n] for n, length in enumerate(lengths)]
