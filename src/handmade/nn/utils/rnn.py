"""Sequences of different lengths in one batch: padded, or packed, which is without the padding.

    pad_sequence   a b c      pack_padded_sequence, longest first     data a d f b e c    batch_sizes 3 2 1
                   d e .      ------------------------------------>   first all first steps, then all second ones ...
                   f . .      <------------------------------------ pad_packed_sequence

The recurrent layers take them and give them back. They also take a padded batch and its `lengths`, which is simpler.

T time steps, B batch, S = sum of the lengths
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from handmade.engine import Tensor
from handmade.engine.functions import cat, stack
from handmade.ops.recurrent import checked_lengths


def pad_sequence(sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0) -> Tensor:
    """Tensors (T_i, ...) of different lengths as one (T, B, ...), or (B, T, ...), filled up with padding_value."""
    longest = max(len(sequence) for sequence in sequences)
    padded = [
        sequence.pad([0, 0] * (sequence.ndim - 1) + [0, longest - len(sequence)], value=padding_value)
        for sequence in sequences
    ]
    return stack(padded, 0 if batch_first else 1)


class PackedSequence(NamedTuple):
    """data (S, ...); batch_sizes (T,): how many sequences have a step t; which sequence was sorted where, and back."""

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None

    def to(self, *args: Any, **options: Any) -> PackedSequence:
        return self._replace(data=self.data.to(*args, **options))

    @property
    def lengths(self) -> np.ndarray:
        """(B,), longest first."""
        return (self.batch_sizes.array[:, None] > np.arange(self.batch_sizes.array[0])).sum(0)


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """The steps of input (T, B, ...), or (B, T, ...) with batch_first, that are not padding.

    lengths (B,), each from 1 to T. With `enforce_sorted` they must be in descending order; else they are sorted.
    """
    x = input.transpose(0, 1) if batch_first else input
    counts = checked_lengths(lengths, *x.shape[:2])
    order = None
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        x, counts = x[:, Tensor(order)], counts[order]
    elif (np.diff(counts) > 0).any():
        raise ValueError(
            f"pack_padded_sequence: lengths are {counts.tolist()}; sort the batch in descending order, or pass "
            "enforce_sorted=False"
        )
    real = np.arange(counts[0])[:, None] < counts  # T B
    data = x[: counts[0]][Tensor(real)]
    return _packed(data, real.sum(1), order)


def _packed(data: Tensor, sizes: np.ndarray, order: np.ndarray | None) -> PackedSequence:
    if order is None:
        return PackedSequence(data, Tensor(sizes))
    return PackedSequence(data, Tensor(sizes), Tensor(order), Tensor(np.argsort(order)))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """(T, B, ...) or (B, T, ...), filled up with padding_value to the longest or to total_length; and lengths (B,)."""
    lengths = sequence.lengths
    steps = lengths[0] if total_length is None else total_length
    if steps < lengths[0]:
        raise ValueError(f"pad_packed_sequence: total_length is {steps}; the longest sequence has {lengths[0]} steps")
    real = np.arange(steps)[:, None] < lengths
    places = np.full(real.shape, len(sequence.data))
    places[real] = np.arange(len(sequence.data))
    padding = sequence.data.new_full((1, *sequence.data.shape[1:]), padding_value)
    padded = cat([sequence.data, padding])[Tensor(places)]
    if sequence.unsorted_indices is not None:
        padded, lengths = padded[:, sequence.unsorted_indices], lengths[sequence.unsorted_indices.array]
    return padded.transpose(0, 1) if batch_first else padded, Tensor(lengths)


def like_packed(padded: Tensor, sequence: PackedSequence, batch_first: bool = False) -> PackedSequence:
    """A padded batch packed in the order of another one."""
    x = padded.transpose(0, 1) if batch_first else padded
    if sequence.sorted_indices is not None:
        x = x[:, sequence.sorted_indices]
    real = np.arange(len(x))[:, None] < sequence.lengths
    return sequence._replace(data=x[Tensor(real)])


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Tensors (T_i, ...) of different lengths, packed."""
    lengths = [len(sequence) for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded batch, each without its padding."""
    x = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [x[i, : int(length)] for i, length in enumerate(lengths)]


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences))
