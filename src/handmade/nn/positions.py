"""Positional encodings: attention itself ignores order, so positions are added to tokens, or rotate queries and keys.

B batch, T positions, D embedding size, d head size
"""

from __future__ import annotations

import numpy as np

from handmade.engine import Tensor, float64
from handmade.engine.creation import arange, empty
from handmade.engine.functions import cat, stack
from handmade.nn import init
from handmade.nn.module import Module, Parameter


def sinusoidal_positions(length: int, embedding_dim: int) -> np.ndarray:
    """(T, D): sin(t / 10000^(2i/D)) in column 2i, the cosine of the same in column 2i + 1 (Vaswani et al. 2017, 3.5).

    Wavelengths go from 2 pi to 10000 * 2 pi. Moving k positions ahead rotates each pair by an angle that is the same
    for all t, so relative positions are easy to learn.
    """
    angles = np.arange(length)[:, None] / 10000 ** (np.arange(0, embedding_dim, 2) / embedding_dim)  # (T, ceil(D/2))
    positions = np.empty((length, embedding_dim))
    positions[:, 0::2] = np.sin(angles)
    positions[:, 1::2] = np.cos(angles)[:, : embedding_dim // 2]
    return positions


class SinusoidalPositions(Module):
    """x (B, T, D) plus the sines and cosines of its positions; nothing is learned, and the length is not limited."""

    def __init__(self, embedding_dim: int) -> None:
        super().__init__()
        self.embedding_dim = embedding_dim
        self._table = sinusoidal_positions(0, embedding_dim)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """start: the position of the first token of x, if earlier tokens were processed before."""
        end = start + x.shape[-2]
        if len(self._table) < end:
            self._table = sinusoidal_positions(max(end, 2 * len(self._table)), self.embedding_dim)
        return x + Tensor(self._table[start:end].astype(x.dtype))

    def extra_repr(self) -> str:
        return f"{self.embedding_dim}"


class LearnedPositions(Module):
    """x (B, T, D) plus a learned vector for each position: weight (max_length, D), initially normal with std 0.02."""

    def __init__(self, max_length: int, embedding_dim: int) -> None:
        super().__init__()
        self.max_length = max_length
        self.weight = Parameter(init.normal_(empty(max_length, embedding_dim), std=0.02))

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """start: the position of the first token of x, if earlier tokens were processed before."""
        end = start + x.shape[-2]
        if end > self.max_length:
            raise ValueError(
                f"LearnedPositions: x {x.shape} needs {end} positions, but there are only {self.max_length}; shorten it"
            )
        return x + self.weight[start:end]

    def extra_repr(self) -> str:
        return f"{self.max_length}, {self.weight.shape[1]}"


class RotaryEmbedding(Module):
    """Rotates queries and keys by angles that grow with their positions (Su et al. 2021, RoFormer, section 3.2.2).

    The numbers of a head are taken in pairs; at position t, pair i is rotated by the angle t / base^(2i/d). Where the
    tokens stand then affects the dot product of a query and a key only through their distance. Two conventions pair
    the numbers differently:

        halves (Llama, GPT-NeoX, Hugging Face)   i with i + d/2
        interleaved (the paper, GPT-J)           2i with 2i + 1
    """

    def __init__(self, head_dim: int, base: float = 10000.0, interleaved: bool = False) -> None:
        super().__init__()
        if head_dim % 2:
            raise ValueError(f"RotaryEmbedding: head_dim is {head_dim}; expected an even number, to rotate it in pairs")
        self.head_dim = head_dim
        self.base = base
        self.interleaved = interleaved

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """x (..., T, d) rotated; start is the position of its first row."""
        if x.shape[-1] != self.head_dim:
            raise ValueError(f"RotaryEmbedding: x has shape {x.shape}; expected (..., T, {self.head_dim})")
        numbers = lambda first, end, step: arange(first, end, step, dtype=float64, device=x.device)
        rates = self.base ** (numbers(0, self.head_dim, 2) / -self.head_dim)  # d/2
        angles = numbers(start, start + x.shape[-2], 1).outer(rates)  # (T, d/2)
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        first, second = (x[..., 0::2], x[..., 1::2]) if self.interleaved else x.chunk(2, dim=-1)
        turned = first * cos - second * sin, first * sin + second * cos
        return stack(turned, dim=-1).flatten(-2) if self.interleaved else cat(turned, dim=-1)

    def extra_repr(self) -> str:
        return f"{self.head_dim}, base={self.base}, interleaved={self.interleaved}"
