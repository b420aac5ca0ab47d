"""Linear layers, embeddings and dropout."""

from __future__ import annotations

import numpy as np

from handmade.engine import Tensor, apply, random
from handmade.nn.functional.arguments import run
from handmade.ops import dropout as noise
from handmade.ops import embedding as table
from handmade.ops import linear as product


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input weight^T + bias: input (..., in), weight (out, in), bias (out,) -> (..., out)."""
    return run(product.linear, input, weight, bias)


def projection(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input weight + bias: input (..., in), weight (in, out), bias (out,) -> (..., out), as in GPT-2's layers."""
    return run(product.projection, input, weight, bias)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, set each element to zero with probability p, scale the rest by 1 / (1 - p) (Srivastava 2014)."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is {p}, expected a probability from 0 to 1")
    return run(noise.dropout, input, p=p, rng=random.generator()) if training and p else input


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels: input (N, C, H, W) or (C, H, W) (Tompson et al. 2015)."""
    if input.ndim not in (3, 4):
        raise ValueError(f"dropout2d: input has shape {input.shape}, expected (N, C, H, W) or (C, H, W)")
    kept = dropout(input.new_ones(*input.shape[:-2], 1, 1), p, training)
    return input * kept if training and p else input


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of weight (V, D) at the indices input (...), -> (..., D); the row `padding_idx` gets no gradient.

    max_norm: rows whose norm (of order `norm_type`) is larger are first scaled down to it, in place, in the table.
    scale_grad_by_freq: the gradient of a row is divided by how often it was asked for. sparse changes nothing here.
    """
    if max_norm is not None:
        table.check_indices(weight.array, input.array)  # before anything is changed
        _scale_down(weight, np.unique(input.array), max_norm, norm_type)
    options = {"padding_idx": padding_idx, "scale_grad_by_freq": scale_grad_by_freq}
    return apply(table.embedding, weight, indices=input, **options)


def _scale_down(weight: Tensor, rows: np.ndarray, max_norm: float, norm_type: float) -> None:
    """Make the norms of these rows `max_norm` at most, in place."""
    table = weight.detach().writable("embedding")
    norms = np.linalg.norm(table[rows], norm_type, axis=1)
    large = norms > max_norm
    table[rows[large]] *= (max_norm / (norms[large] + 1e-7))[:, None]
