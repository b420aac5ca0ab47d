"""Devices: tensors are on the CPU. PyTorch's arguments for devices are accepted; any device but the CPU is an error."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class device:
    """A device, `device("cpu")`; there is no other."""

    __slots__ = ()
    type = "cpu"
    index = None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        check_device(type)

    def __repr__(self) -> str:
        return "device(type='cpu')"

    def __str__(self) -> str:
        return "cpu"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) or other == "cpu"

    def __hash__(self) -> int:
        return hash("cpu")


CPU = device.__new__(device)
PLACES = ("cpu", "cuda", "mps", "xpu", "meta", "hpu", "mtia", "xla")


def names_a_device(x: Any) -> bool:
    """Whether an argument is a device rather than a dtype."""
    return isinstance(x, device) or (isinstance(x, str) and x.partition(":")[0] in PLACES)


def check_device(place: Any) -> None:
    """Raise RuntimeError unless `place` is the CPU, or None."""
    if place is not None and str(getattr(place, "type", place)).partition(":")[0] != "cpu":
        raise RuntimeError(
            f"device is {str(place)!r}: tensors are on the CPU, device='cpu'. "
            "To train on another one: handmade train NAME --engine torch"
        )


def dtype_asked(target: tuple[Any, ...], dtype: Any, device: Any) -> Any:
    """The dtype that the arguments of `to` ask for, or None. Raises RuntimeError unless the device is the CPU.

    target: the positional arguments: a dtype, a device, both, or a tensor whose dtype is meant; then PyTorch's
    `non_blocking` and `copy`, which say nothing about either.
    """
    for wanted in target:
        if names_a_device(wanted):
            device = wanted
        elif wanted is not None and not isinstance(wanted, bool):
            dtype = wanted.dtype if hasattr(wanted, "array") else wanted
    check_device(device)
    return dtype


def on_the_cpu(create: Callable[..., Any]) -> Callable[..., Any]:
    """Add PyTorch's further arguments to a function that creates a tensor.

    device: the CPU. requires_grad: whether operations on the tensor are recorded. generator: where random numbers come
    from. layout, pin_memory and memory_format say how memory is used, and change no value.
    """

    @functools.wraps(create)
    def created(
        *args: Any,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
        memory_format: Any = None,
        **options: Any,
    ) -> Any:
        check_device(device)
        made = create(*args, **options)
        return made.requires_grad_() if requires_grad else made

    return created
