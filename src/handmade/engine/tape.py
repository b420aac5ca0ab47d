"""The tape: a record of which operation made each tensor, and the backward pass along it.

Every operation whose inputs need gradients adds a `Node`: its pullback, and the nodes of its inputs. `backward` visits
the nodes from the result to the leaves, each one after all that used its value (reverse topological order), and frees
each node's pullback as soon as it has run. Nothing here is recursive, so a deep graph costs only memory.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any, Protocol

import numpy as np

from handmade.kernels.sums import add, add_, total
from handmade.ops.op import Part, Pullback

Hook = Callable[[np.ndarray], np.ndarray]
Versions = list[Any]
"""[a counter of in-place changes, weak references to tensors that share the memory]: one list for all of them."""


class Leaf(Protocol):
    """What collects a gradient: a tensor."""

    def accumulate_grad(self, gradient: np.ndarray, ours: bool = False) -> None: ...


class Node:
    """An operation that ran; or a leaf, which has neither pullback nor parents."""

    __slots__ = ("__weakref__", "freed", "hooks", "name", "parents", "pullback", "recorded", "shape", "target")

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.name = name
        self.shape = shape
        self.parents: tuple[Node | None, ...] = ()
        self.pullback: Pullback | None = None
        self.recorded: tuple[tuple[Versions, int], ...] = ()  # what the pullback may read, and its version then
        self.target: weakref.ref[Leaf] | None = None  # the tensor that collects the gradient
        self.hooks: dict[object, Hook] | None = None  # hooks, called with the gradient before it is passed on
        self.freed = False

    def pull(self, g: np.ndarray, retain: bool = False) -> list[np.ndarray | Part | None]:
        """The gradients of the parents, computed only where needed; unless `retain`, the node then frees its arrays."""
        assert self.pullback is not None
        gradients: list[np.ndarray | Part | None] = []
        for parent, part in zip(self.parents, self.pullback(g), strict=True):
            if parent is None or part is None:
                gradients.append(None)
                continue
            part = part() if callable(part) else part
            if not isinstance(part, Part):
                part = unbroadcast(np.asarray(part), parent.shape)  # NumPy gives scalars where axes run out
            gradients.append(part)
        if not retain:
            self.pullback, self.parents, self.recorded, self.freed = None, (), (), True
        return gradients


def backward(
    root: Node, gradient: np.ndarray, retain: bool = False, into: dict[Node, np.ndarray] | None = None
) -> None:
    """Go back along the tape from `root`, whose gradient is given, and add to the `.grad` of every leaf on the way.

    retain: keep what a second walk needs. into: collect the gradients of its nodes there, and change no `.grad`.
    """
    order = topological(root)
    for node in order:
        _check(node)
    gradients = {root: gradient}
    ours: set[Node] = set()  # whose gradient lies in an array that was made here, so that it can be added to
    for node in order:
        g = gradients.pop(node, None)
        if g is None:  # every path from the root to this node goes through an operation without a gradient
            continue
        if node.hooks:
            for hook in tuple(node.hooks.values()):
                g = hook(g)
        tensor = node.target and node.target()
        if into is not None:
            if node in into:
                into[node] = into[node] + g
        elif tensor is not None:
            alone = _holders(g) <= _ALONE  # asked before g is an argument of another call, which would hold it, too
            tensor.accumulate_grad(g, alone)
        if node.pullback is None:
            continue
        parents = node.parents
        for parent, part in zip(parents, node.pull(g, retain), strict=True):
            if parent is not None and part is not None:
                _add(gradients, ours, parent, part)
        part = None  # otherwise the gradient of the next iteration would have one holder too many


def _add(gradients: dict[Node, np.ndarray], ours: set[Node], node: Node, part: np.ndarray | Part) -> None:
    """Add a part to a node's gradient. Pullbacks may share the arrays that they give: only our own are changed."""
    before = gradients.get(node)
    if before is None:
        gradients[node] = part.whole() if isinstance(part, Part) else part
        if not isinstance(part, Part):
            return
    elif isinstance(part, Part):
        if node not in ours:
            gradients[node] = before = before.copy("K")
        part.add_to(before)
    elif node in ours:
        add_(before, part)
    else:
        gradients[node] = np.asarray(add(before, part))
    ours.add(node)


def _holders(array: np.ndarray) -> int:
    """How many names and containers hold the array, or the memory it is a view of, including a few for this call."""
    holders = sys.getrefcount(array)
    owner = array.base
    if owner is None:
        return holders
    if not isinstance(owner, np.ndarray) or not owner.flags.owndata:
        return holders + _MANY
    return max(holders, sys.getrefcount(owner))


def _holders_of_one_name() -> int:
    array = np.empty(1)
    return _holders(array)


_MANY = 1 << 20
_ALONE = _holders_of_one_name()
"""What `_holders` returns for an array that only one name holds, in this version of Python."""


def topological(root: Node) -> list[Node]:
    """The nodes that `root` depends on, `root` first, each one after all nodes that use it (Kahn 1962)."""
    uses = {root: 0}
    stack = [root]
    while stack:
        for parent in stack.pop().parents:
            if parent is None:
                continue
            if parent not in uses:
                uses[parent] = 0
                stack.append(parent)
            uses[parent] += 1
    order = [root]
    for node in order:  # grows while we read it
        for parent in node.parents:
            if parent is not None:
                uses[parent] -= 1
                if uses[parent] == 0:
                    order.append(parent)
    return order


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum `gradient` over the axes along which NumPy stretched an array of `shape`: the transpose of broadcasting."""
    if gradient.shape == shape:
        return gradient
    added = gradient.ndim - len(shape)
    stretched = (added + axis for axis, size in enumerate(shape) if size == 1)
    return total(gradient, (*range(added), *stretched), keepdims=True).reshape(shape)


def _check(node: Node) -> None:
    if node.freed:
        raise RuntimeError(
            f"backward() reached a {node.name} whose graph an earlier backward() has used and freed. "
            "Compute the loss again before each backward(), or add the losses and call it once."
        )
    if any(versions[0] != then for versions, then in node.recorded):
        raise RuntimeError(
            f"{node.name}: an input or the result was changed in place after the operation was recorded, so its "
            "gradient would be wrong. Change a .clone() instead, or make the change before the operation."
        )


class _Mode(threading.local):
    recording = True


mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether operations in this thread are recorded."""
    return mode.recording


class _GradMode(ContextDecorator):
    recording: bool

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(mode.recording)
        mode.recording = self.recording

    def __exit__(self, *exception: object) -> None:
        mode.recording = self._before.pop()

    def _recreate_cm(self) -> _GradMode:  # a decorated function may run in several threads at once
        return type(self)()


class no_grad(_GradMode):
    """Inside, nothing is recorded: `with no_grad(): ...`, or `@no_grad()` above a function."""

    recording = False


class enable_grad(_GradMode):
    """Inside, operations are recorded, whatever surrounds it."""

    recording = True


class inference_mode(no_grad):
    """Another name for `no_grad`."""

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.recording = not mode

    def _recreate_cm(self) -> inference_mode:
        return type(self)(not self.recording)


class set_grad_enabled(_GradMode):
    """Whether operations are recorded: from now on, or inside `with set_grad_enabled(False): ...`."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.recording = mode
        self._first = [_switch(mode)]  # takes effect at once; as a block it restores the setting before it

    def __enter__(self) -> None:
        self._before.append(self._first.pop() if self._first else mode.recording)
        mode.recording = self.recording

    def _recreate_cm(self) -> set_grad_enabled:
        return type(self)(self.recording)


def _switch(recording: bool) -> bool:
    before, mode.recording = mode.recording, recording
    return before
