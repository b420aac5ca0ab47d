"""The layers at the bottom of a network: which of PyTorch's stands for each of handmade's, and the few that it has not.

B batch, S_q queries and S_k keys, T positions, D embedding size
"""

from __future__ import annotations

import inspect
import types
from typing import Any

import numpy as np

from handmade import nn
from handmade.engine import Tensor
from handmade.interop.installed import torch
from handmade.interop.recurrent import GRU, LSTM, RNN, PeepholeLSTM, ResetBeforeGRU
from handmade.nn.module import Buffer, Module, Parameter
from handmade.nn.utils.rnn import PackedSequence

DTYPES = {
    np.dtype(np.float32): torch.float32,
    np.dtype(np.float64): torch.float64,
    np.dtype(np.int64): torch.int64,
    np.dtype(np.bool_): torch.bool,
}


def tensor(x: Tensor | np.ndarray) -> torch.Tensor:
    """A copy, contiguous as files want it."""
    return torch.from_numpy(np.array(x.array if isinstance(x, Tensor) else x, order="C"))


class _TensorType(type):
    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, torch.Tensor)

    def __call__(cls, data: Any, dtype: Any = None, requires_grad: bool = False) -> torch.Tensor:
        return torch.as_tensor(data, dtype=dtype).requires_grad_(requires_grad)


class TorchTensor(metaclass=_TensorType):
    """What stands for `handmade.Tensor`, which keeps an array's dtype: `torch.Tensor(x)` makes float32 of it."""


# --- what PyTorch has not --------------------------------------------------------------------------------------------


class SinusoidalPositions(torch.nn.Module):
    """x (B, T, D) plus the sines and cosines of its positions; see nn/positions.py, which keeps them in an array."""

    def __init__(self, embedding_dim: int) -> None:
        super().__init__()
        self.embedding_dim = embedding_dim

    def forward(self, x: torch.Tensor, start: int = 0) -> torch.Tensor:
        D, double = self.embedding_dim, {"dtype": torch.float64, "device": x.device}
        places = torch.arange(start, start + x.shape[-2], **double)
        angles = places[:, None] / 10000 ** (torch.arange(0, D, 2, **double) / D)  # T ceil(D/2)
        pairs = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # sines in even columns
        return x + pairs[:, :D].to(x.dtype)


def projection(input: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """input weight + bias."""
    product = input @ weight
    return product if bias is None else product + bias


def attention_weights(query: torch.Tensor, key: torch.Tensor, attn_mask: torch.Tensor | None = None) -> torch.Tensor:
    """(..., S_q, S_k); a query with every key masked gets zeros."""
    scores = query @ key.mT / query.shape[-1] ** 0.5
    if attn_mask is None:
        return scores.softmax(-1)
    scores = scores.masked_fill(~attn_mask, -torch.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    blind = (scores == -torch.inf).all(-1, keepdim=True)
    return scores.masked_fill(blind, 0.0).softmax(-1).masked_fill(blind, 0.0)


# --- layers that PyTorch has under the same name ---------------------------------------------------------------------

COMPOSITE = {
    *("MultiheadAttention", "Transformer", "TransformerEncoder", "TransformerEncoderLayer"),
    *("TransformerDecoder", "TransformerDecoderLayer", "RNNCell", "LSTMCell", "GRUCell"),
}
"""Made of other layers here, with more steps or options than PyTorch's: their own code is what runs."""


def _namesakes() -> dict[type, type]:
    found = {}
    for name, kind in vars(nn).items():
        if isinstance(kind, type) and issubclass(kind, Module) and name not in COMPOSITE and hasattr(torch.nn, name):
            found[kind] = getattr(torch.nn, name)
    return found


CLASSES: dict[type, type] = {
    **_namesakes(),
    nn.RNN: RNN,
    nn.LSTM: LSTM,
    nn.GRU: GRU,
    nn.SinusoidalPositions: SinusoidalPositions,
    Tensor: TorchTensor,
    Parameter: torch.nn.Parameter,
    Buffer: torch.nn.Buffer,
    PackedSequence: torch.nn.utils.rnn.PackedSequence,
}


VARIANTS = {"peepholes": (True, PeepholeLSTM), "reset_after": (False, ResetBeforeGRU)}
"""Options of recurrent layers that PyTorch has not, the value that matters, and the layer that computes it."""


def variant(kind: type, module: Module) -> type:
    """`kind`, or a class derived from it, if the module has an option that PyTorch has not."""
    for option, (value, computing) in VARIANTS.items():
        if getattr(module, option, None) is value and issubclass(kind, torch.nn.RNNBase):
            return computing if issubclass(computing, kind) else types.new_class(kind.__name__, (kind, computing))
    return kind


def start(made: torch.nn.Module, module: Module) -> None:
    """Call the `__init__` of PyTorch's layer that `made` is, or is derived from, with the arguments `module` had."""
    ours = next(kind for kind in type(module).__mro__ if kind in CLASSES)
    with torch.device("meta"):  # neither memory nor random numbers for weights that are replaced
        CLASSES[ours].__init__(made, **_arguments(ours, CLASSES[ours], module))


def _arguments(ours: type, theirs: type, module: Module) -> dict[str, Any]:
    names = getattr(module, "options", None) or list(inspect.signature(ours.__init__).parameters)[1:]
    taken = set(inspect.signature(theirs.__init__).parameters)
    if "kwargs" in taken:
        taken |= set(names) - VARIANTS.keys()
    found = {name: vars(module)[name] for name in names if name in vars(module) and name in taken}
    if "bias" in found and not isinstance(found["bias"], bool):
        found["bias"] = found["bias"] is not None
    return found


def add(made: torch.nn.Module, name: str, part: Any) -> None:
    """Give `made` a parameter or a child."""
    if isinstance(made, torch.nn.ParameterList):
        made.append(part)
    elif isinstance(made, torch.nn.ParameterDict):
        made[name] = part
    else:
        setattr(made, name, part)
