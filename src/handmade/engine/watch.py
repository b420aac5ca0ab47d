"""Watching: who wants to know of every operation that runs is told of it by `apply`.

    with watching() as calls:
        model(x)
    [call.name for call in calls]  # "linear", "tanh", ...

Whatever looks into a network (attention maps, costs, reports of a NaN, tests of what was tried) stands on this, and no
operation records anything itself. While nobody watches, nothing is kept and nothing is built.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Call(NamedTuple):
    """One operation that ran.

    name: the operation's, as "conv2d".
    inputs: what it is differentiated by: tensors, Python numbers, None where an optional one is absent.
    options: its keyword arguments, arrays in place of tensors.
    result: the tensor it made.
    module: the innermost Module whose forward was running, None outside of all.
    """

    name: str
    inputs: tuple[Any, ...]
    options: dict[str, Any]
    result: Any
    module: Any


Tell = Callable[[Call], Any]


class _Here(threading.local):
    """What is open in this thread: the watchers, and the modules that run, the innermost last."""

    watchers: tuple[Tell, ...] = ()
    modules: tuple[Any, ...] = ()


here = _Here()


@contextmanager
def watching(tell: Tell | None = None) -> Iterator[list[Call]]:
    """Inside, every operation of this thread is noted: the list grows by a `Call` each, in the order in which they end.

    The list keeps all tensors alive. With `tell`, that function is given each call instead, and the list stays empty.
    Watchers may be nested: each is told of everything.
    """
    calls: list[Call] = []
    before = here.watchers
    here.watchers = (*before, calls.append if tell is None else tell)
    try:
        yield calls
    finally:
        here.watchers = before


def tell_watchers(name: str, inputs: tuple[Any, ...], options: dict[str, Any], result: Any) -> None:
    """Make the `Call` and give it to all."""
    call = Call(name, inputs, options, result, here.modules[-1] if here.modules else None)
    for tell in here.watchers:
        tell(call)


def run_inside(module: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """function(*args, **kwargs), whose operations are told as those of `module`."""
    before = here.modules
    here.modules = (*before, module)
    try:
        return function(*args, **kwargs)
    finally:
        here.modules = before
