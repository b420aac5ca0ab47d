"""Watching: `apply` reports every operation that runs to the watchers.

    with watching() as calls:
        model(x)
    [call.name for call in calls]  # "linear", "tanh", ...

Everything that looks into a network (attention maps, costs, reports of NaNs, test coverage) is built on this, and no
operation records anything itself. While nobody watches, nothing is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Call(NamedTuple):
    """One operation that ran.

    name: the name of the operation, for example "conv2d".
    inputs: what it is differentiated by: tensors, Python numbers, None if an optional one is absent.
    options: its keyword arguments, with arrays in place of tensors.
    result: the tensor it returned.
    module: the innermost Module whose forward was running; None outside all modules.
    """

    name: str
    inputs: tuple[Any, ...]
    options: dict[str, Any]
    result: Any
    module: Any


Tell = Callable[[Call], Any]


class _Here(threading.local):
    """What is active in this thread: the watchers, and the modules that are running, innermost last."""

    watchers: tuple[Tell, ...] = ()
    modules: tuple[Any, ...] = ()


here = _Here()


@contextmanager
def watching(tell: Tell | None = None) -> Iterator[list[Call]]:
    """Inside the block, every operation of this thread appends a `Call` to the list, in the order in which they finish.

    The list keeps all tensors alive. With `tell`, that function is called with each Call instead, and the list stays
    empty. Watchers may be nested: each is told of everything.
    """
    calls: list[Call] = []
    before = here.watchers
    here.watchers = (*before, calls.append if tell is None else tell)
    try:
        yield calls
    finally:
        here.watchers = before


def tell_watchers(name: str, inputs: tuple[Any, ...], options: dict[str, Any], result: Any) -> None:
    """Create the `Call` and pass it to all watchers."""
    call = Call(name, inputs, options, result, here.modules[-1] if here.modules else None)
    for tell in here.watchers:
        tell(call)


def run_inside(module: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """function(*args, **kwargs), whose operations are reported as those of `module`."""
    before = here.modules
    here.modules = (*before, module)
    try:
        return function(*args, **kwargs)
    finally:
        here.modules = before
