"""The simplest layers: linear, embedding, dropout, flatten, identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.engine.creation import empty
from handmade.nn import init
from handmade.nn.module import Module, Parameter


class Identity(Module):
    """Returns its input. Any arguments are accepted and ignored, so that it can stand in for another layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Flatten(Module):
    """Merges the axes from start_dim to end_dim: (N, C, H, W) -> (N, C H W) by default.

    >>> from handmade import nn, ones
    >>> nn.Flatten()(ones(2, 3, 4, 5)).shape
    (2, 60)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Linear(Module):
    """input weight^T + bias: (..., in_features) -> (..., out_features).

    weight (out_features, in_features), bias (out_features,), both initialised uniformly in ±1 / sqrt(in_features).

    >>> from handmade import nn, ones
    >>> nn.Linear(3, 2)(ones(5, 3)).shape
    (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in_features))
        self.bias = Parameter(empty(out_features)) if bias else None
        init.layer_(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """A table of vectors: integers (...) below num_embeddings -> their rows of the table (..., embedding_dim).

    weight (num_embeddings, embedding_dim) is initialised standard normal. The row `padding_idx`, if given, is
    initialised to zero and not learned. The other options are those of `functional.embedding`.

    >>> from handmade import nn, tensor
    >>> nn.Embedding(10, 4)(tensor([[1, 2, 2]])).shape  # three tokens, a row of 4 numbers each
    (1, 3, 4)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(f"Embedding: padding_idx is {padding_idx}; the table has {num_embeddings} rows")
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self.weight = Parameter(init.normal_(empty(num_embeddings, embedding_dim)))
        if padding_idx is not None:
            init.zeros_(self.weight.detach()[padding_idx])

    def forward(self, input: Tensor) -> Tensor:
        norm = (self.max_norm, self.norm_type)
        return F.embedding(input, self.weight, self.padding_idx, *norm, self.scale_grad_by_freq, self.sparse)

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False, "sparse": False}
        changed = [name for name, value in usual.items() if getattr(self, name) != value]
        return text + "".join(f", {name}={getattr(self, name)}" for name in changed)

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None, **options: Any
    ) -> Embedding:
        """A layer with this table, which is not learned if `freeze`; options as of the class."""
        if embeddings.ndim != 2:
            raise ValueError(f"Embedding.from_pretrained: the table has shape {embeddings.shape}, expected two axes")
        layer = cls(*embeddings.shape, padding_idx=padding_idx, **options)
        layer.weight = Parameter(embeddings.detach(), requires_grad=not freeze)
        return layer


class Unflatten(Module):
    """Cuts one axis into several: the reverse of Flatten."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Dropout(Module):
    """In training, sets each element to zero with probability p and scales the others by 1 / (1 - p). In evaluation
    mode, returns its input.

    >>> from handmade import nn, ones
    >>> layer = nn.Dropout(0.5)
    >>> sorted(set(layer(ones(100)).tolist()))  # in training: dropped, or scaled by 1 / (1 - p)
    [0.0, 2.0]
    >>> set(layer.eval()(ones(100)).tolist())
    {1.0}
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is {p}, expected a probability from 0 to 1")
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Dropout2d(Dropout):
    """Dropout of whole channels of (N, C, H, W): neighbouring pixels are alike, and would tell what is missing."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training)
