"""A trigger-word detector at work: the sound, what is said in it, and when it believes it heard its word.

S steps
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from handmade.draw.palette import LIGHT, SERIES
from handmade.draw.style import SMALL, Picture, in_style, new_figure

LISTENS = 1
"""Which of the SERIES the probability has."""


class Said(NamedTuple):
    """A word, when it starts and ends in seconds, and whether it is the trigger word."""

    word: str
    start: float
    end: float
    wanted: bool


class Heard(NamedTuple):
    """A sound with its words, and the probability that the trigger word was just said, over time in seconds."""

    seconds: float
    samples: Float[np.ndarray, "N"]
    words: Sequence[Said]
    times: Float[np.ndarray, "S"]
    probabilities: Float[np.ndarray, "S"]


@in_style
def listening(streams: Sequence[Heard], title: str) -> Picture:
    """The sound of each stream, its words (trigger words marked, in a green field), and the probability."""
    note = "Grey: the sound. Orange: the probability that the word was just said. ✓ and green fields: where it is."
    figure = new_figure(9.5, 1.75 * len(streams), title, note)
    rows = figure.subplots(len(streams), squeeze=False, sharex=True)[:, 0]
    for axes, stream in zip(rows, streams, strict=True):
        loudest = max(float(np.abs(stream.samples).max()), 1e-12)
        times = np.linspace(0, stream.seconds, len(stream.samples), endpoint=False)
        axes.plot(times, 0.5 + stream.samples / loudest / 2, color=LIGHT.soft, alpha=0.45, linewidth=0.5)
        for said in stream.words:
            color = LIGHT.right if said.wanted else LIGHT.soft
            axes.axvspan(said.start, said.end, color=color, alpha=0.22 if said.wanted else 0.08, linewidth=0)
            text = f"✓ {said.word}" if said.wanted else said.word
            axes.text((said.start + said.end) / 2, 1.09, text, ha="center", fontsize=SMALL, color=color)
        axes.plot(stream.times, stream.probabilities, color=SERIES[LISTENS])
        axes.axhline(0.5, color=LIGHT.soft, linewidth=0.8, linestyle=":")
        axes.set(xlim=(0, stream.seconds), ylim=(-0.05, 1.25), yticks=(0, 0.5, 1), ylabel="probability")
    rows[-1].set_xlabel("seconds")
    said = sum(word.wanted for stream in streams for word in stream.words)
    highest = max(float(stream.probabilities.max()) for stream in streams)
    return Picture(
        figure,
        title,
        f"The word is said {'once' if said == 1 else f'{said} times'}; the highest probability is {highest:.2f}.",
    )
