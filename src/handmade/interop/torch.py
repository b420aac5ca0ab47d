"""A network on PyTorch: for a GPU, for `torch.compile`, for ONNX, for many machines.

    to_torch(model)            the same network as a torch.nn.Module: names, numbers, gradients, and the code itself
    from_torch(module, model)  its weights, back into the network of handmade

A composite layer keeps the `forward` that was read (rebinding.py); a layer at the bottom is PyTorch's (layers.py).
"""

from __future__ import annotations

from typing import Any, TypeVar

from handmade.interop.installed import torch
from handmade.interop.rebinding import Rebinding
from handmade.nn import Module

M = TypeVar("M", bound=Module)


def to_torch(model: Module) -> torch.nn.Module:
    """The same network as a torch.nn.Module, with copies of its weights.

    Names of parameters and buffers, their dtypes, which of them are learned and tied, and the mode (`train`, `eval`)
    are the model's. Methods that it has besides `forward`, such as `loss`, are there too. Hooks are not.
    """
    if not isinstance(model, Module):
        raise TypeError(f"to_torch: model is a {type(model).__name__}; expected a handmade.nn.Module")
    return Rebinding().value(model)


def from_torch(module: torch.nn.Module, model: M) -> M:
    """Copy the weights of `module`, which `to_torch` made, into `model`; returns it.

    A module that torch.compile or DistributedDataParallel has wrapped is unwrapped. Numbers are converted to the
    model's dtype.

    Raises:
        RuntimeError: a name is missing or unexpected, or a shape differs. All are listed, and nothing is copied.
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"from_torch: module is a {type(module).__name__}; expected a torch.nn.Module")
    state = _unwrapped(module).state_dict()
    Module.load_state_dict(model, {name: _array(tensor) for name, tensor in state.items()})
    return model


def _unwrapped(module: Any) -> torch.nn.Module:
    if isinstance(module, torch.nn.parallel.DistributedDataParallel | torch.nn.DataParallel):
        return _unwrapped(module.module)
    return _unwrapped(module._orig_mod) if hasattr(module, "_orig_mod") else module


def _array(tensor: Any) -> Any:
    whole = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor  # of FSDP: shared among processes
    whole = whole.detach().cpu()
    return (whole.float() if whole.dtype in (torch.bfloat16, torch.float16) else whole).numpy()
