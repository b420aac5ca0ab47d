"""Text cut into batches for a language model: running text as streams, short lines padded.

B sequences of a batch, T tokens of each, N tokens of the text
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int64

from handmade.errors import InputError
from handmade.models.char_lm import IGNORED

Tokens = Int64[np.ndarray, "B T"]


class Streams:
    """A text in B streams side by side, and windows of T tokens that walk along all of them at once.

        text      To be, or not to be: that
        streams   To be, or no        B = 2, T = 4:   To b   e, o   r no
                  t to be: tha                        t to    be:    tha

    Row b of each batch continues where row b of the batch before ended, so that a model can carry its state along
    (truncated backpropagation through time, Williams & Peng 1990). The targets are the inputs shifted by one token.
    The last window of a stream may be shorter, and up to B - 1 tokens at the end of the text are left out.

    Raises InputError for a text of fewer than B + 1 tokens.
    """

    carries = True

    def __init__(self, tokens: Int64[np.ndarray, "N"], batch_size: int, sequence_length: int) -> None:
        length = (len(tokens) - 1) // batch_size
        if length < 1:
            raise InputError(
                f"the text has {len(tokens)} characters; {batch_size} streams side by side (batch_size) take "
                f"{batch_size + 1} at least: take a longer text, or fewer streams."
            )
        self.inputs = tokens[: batch_size * length].reshape(batch_size, length)
        self.targets = tokens[1 : batch_size * length + 1].reshape(batch_size, length)
        self.starts = range(0, length, sequence_length)

    def __len__(self) -> int:
        return len(self.starts)

    def batches(self, epoch: int, start: int) -> Iterator[tuple[Tokens, Tokens]]:
        """Inputs and targets from batch number `start` on; every epoch is the same."""
        for place in self.starts[start:]:
            window = slice(place, place + self.starts.step)
            yield self.inputs[:, window], self.targets[:, window]


class PaddedLines:
    """Short lines, each a sequence of its own that begins after a line end and is learned up to its own line end.

        emma    inputs  \\n e m m a    targets  e m m a \\n

    A batch holds B lines, in an order that `seed` and the epoch decide, or as they are where `seed` is None. Shorter
    lines are padded on the right with the line end, and their targets with IGNORED: a model that only looks back never
    meets the padding where it counts.

    Raises InputError where there are no lines.
    """

    carries = False

    def __init__(self, lines: Sequence[Sequence[int]], batch_size: int, line_end: int, seed: int | None) -> None:
        if not lines:
            raise InputError("there are no lines to learn from; an empty file, or too few for a test part?")
        self.lines = lines
        self.batch_size = batch_size
        self.line_end = line_end
        self.seed = seed

    def __len__(self) -> int:
        return -(-len(self.lines) // self.batch_size)

    def batches(self, epoch: int, start: int) -> Iterator[tuple[Tokens, Tokens]]:
        """Inputs and targets from batch number `start` on."""
        order = np.arange(len(self.lines))
        if self.seed is not None:
            order = np.random.default_rng([self.seed, epoch]).permutation(order)
        for first in range(start * self.batch_size, len(order), self.batch_size):
            yield self._padded([self.lines[index] for index in order[first : first + self.batch_size]])

    def _padded(self, lines: list[Sequence[int]]) -> tuple[Tokens, Tokens]:
        length = 1 + max(map(len, lines))
        inputs = np.full((len(lines), length), self.line_end)
        targets = np.full((len(lines), length), IGNORED)
        for row, line in enumerate(lines):
            inputs[row, 1 : len(line) + 1] = line
            targets[row, : len(line)] = line
            targets[row, len(line)] = self.line_end
        return inputs, targets


class Windows:
    """B windows of T tokens each, from random places in the text; the targets are shifted by one token.

    An epoch is `steps` batches, whatever the length of the text. Raises InputError for a text of fewer than T + 1
    tokens.
    """

    carries = False

    def __init__(
        self, tokens: Int64[np.ndarray, "N"], batch_size: int, sequence_length: int, steps: int, seed: int
    ) -> None:
        if len(tokens) <= sequence_length:
            raise InputError(
                f"the text has {len(tokens)} characters; windows of {sequence_length} (sequence_length) take "
                f"{sequence_length + 1} at least: take a longer text, or shorter windows."
            )
        self.tokens = tokens
        self.batch_size = batch_size
        self.sequence_length = sequence_length
        self.steps = steps
        self.seed = seed

    def __len__(self) -> int:
        return self.steps

    def batches(self, epoch: int, start: int) -> Iterator[tuple[Tokens, Tokens]]:
        """Inputs and targets from batch number `start` on; the seed, the epoch and the number decide each."""
        for number in range(start, self.steps):
            rng = np.random.default_rng([self.seed, epoch, number])
            first = rng.integers(0, len(self.tokens) - self.sequence_length, (self.batch_size, 1))
            places = first + np.arange(self.sequence_length)  # B T
            yield self.tokens[places], self.tokens[places + 1]


class EveryWindow:
    """A text in windows of T tokens side by side, B at a time, each read by itself: what a model is evaluated on.

    The last window, if shorter, is left out; a text shorter than a window is one.
    """

    carries = False

    def __init__(self, tokens: Int64[np.ndarray, "N"], batch_size: int, sequence_length: int) -> None:
        length = min(sequence_length, len(tokens) - 1)
        count = (len(tokens) - 1) // length
        self.inputs = tokens[: count * length].reshape(count, length)
        self.targets = tokens[1 : count * length + 1].reshape(count, length)
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.inputs) // self.batch_size)

    def batches(self, epoch: int, start: int) -> Iterator[tuple[Tokens, Tokens]]:
        for first in range(start * self.batch_size, len(self.inputs), self.batch_size):
            yield self.inputs[first : first + self.batch_size], self.targets[first : first + self.batch_size]
