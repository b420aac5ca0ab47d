"""Which function of PyTorch each function of handmade is: the one of the same name, but for the few that stand here."""

from __future__ import annotations

import functools
import types
from typing import Any

from handmade import namespace
from handmade.engine import Tensor
from handmade.interop import layers
from handmade.interop.installed import torch
from handmade.nn import functional, init, utils
from handmade.nn.functional.attention import attention_weights

OTHERS: dict[Any, Any] = {
    functional.projection: layers.projection,
    attention_weights: layers.attention_weights,
}
ROOMS = (
    (namespace, torch),
    (functional, torch.nn.functional),
    (init, torch.nn.init),
    (utils.rnn, torch.nn.utils.rnn),
    (Tensor, torch.Tensor),
)
ARRAYS = ("handmade.kernels", "handmade.ops", "handmade.engine", "handmade.nn.functional")
"""The rooms whose functions compute with arrays: one that PyTorch has not got cannot run on its tensors."""


class Absent:
    """A function that PyTorch has not got. Calling it raises; it may stand in a branch that is never taken."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Any, **options: Any) -> Any:
        raise NotImplementedError(
            f"{self.name} computes with NumPy arrays, and PyTorch has no function of this name: "
            "write it with operations on tensors"
        )


@functools.cache
def table() -> dict[Any, Any]:
    """Function of handmade -> function of PyTorch."""
    found = {}
    for ours, theirs in ROOMS:
        for name in dir(ours):
            function = getattr(ours, name)
            if isinstance(function, types.FunctionType) and hasattr(theirs, name):
                found[function] = getattr(theirs, name)
    return found | OTHERS


def known(function: types.FunctionType) -> Any:
    """What stands for a function of handmade; None for one that is to be translated, as others' are."""
    found = table().get(function)
    if found is None and (function.__module__ or "").startswith(ARRAYS):
        return Absent(f"{function.__module__}.{function.__qualname__}")
    return found
