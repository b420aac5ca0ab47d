"""Tensor: a NumPy array with a gradient and a node on the tape, and `apply`, which runs an operation and records it.

The methods of a tensor are in `methods`, the backward pass is in `tape`, and `watch` reports each operation. Names,
arguments and defaults are PyTorch's. Floats are float32 unless float64 is asked for, and the two never mix silently;
Python numbers take the tensor's dtype; an integer tensor combined with a float tensor is converted to the float type.
"""

from __future__ import annotations

import builtins
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from handmade import ops
from handmade.engine.conversions import Conversions
from handmade.engine.dtypes import as_array, bool_, float32, float64, int64
from handmade.engine.in_place import InPlace
from handmade.engine.tape import Node, Versions, backward, is_grad_enabled, mode
from handmade.engine.watch import here, tell_watchers
from handmade.ops.op import Operation


class Handle:
    """What `register_hook` and `register_forward_hook` return: `remove()` removes the hook."""

    def __init__(self, hooks: dict[Any, Any], hook: Any) -> None:
        self._hooks = hooks
        hooks[self] = hook

    def remove(self) -> None:
        self._hooks.pop(self, None)


class Tensor(InPlace, Conversions):
    """A NumPy array with a gradient and a node on the tape.

    `Tensor(data)` shares memory with an array of a supported dtype; `handmade.tensor(data)` copies.
    Attributes: `array` is the NumPy array itself, `grad` the gradient that `backward()` stored (a Tensor, or None).
    """

    __slots__ = ("__weakref__", "_node", "_versions", "array", "grad")
    __array_ufunc__ = None  # np_array * tensor asks Tensor.__rmul__ instead of looping over the elements

    def __init__(self, data: Any, dtype: np.dtype | type | None = None, requires_grad: bool = False) -> None:
        self.array = as_array(_raw(data), dtype)
        self.grad: Tensor | None = None
        self._node: Node | None = None
        self._versions = [0]
        if requires_grad:
            self.requires_grad_()

    # --- what it is -------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        return self.array.dtype

    @property
    def ndim(self) -> int:
        return self.array.ndim

    def numel(self) -> int:
        return self.array.size

    nelement = numel

    def is_floating_point(self) -> bool:
        return self.dtype.kind == "f"

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("len() of a tensor without axes")
        return len(self.array)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        numbers = np.array2string(self.array, separator=", ", precision=4, prefix="tensor(", threshold=1000)
        kind = "" if self.dtype in (float32, int64, bool_) else f", dtype={self.dtype}"
        tape = "" if self._node is None else ", requires_grad=True" if self.is_leaf else f", made by {self._node.name}"
        return f"tensor({numbers}{kind}{tape})"

    # --- the tape ---------------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> builtins.bool:
        """Whether operations on this tensor are recorded."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: builtins.bool) -> None:
        self.requires_grad_(wanted)

    @property
    def is_leaf(self) -> builtins.bool:
        """Whether no recorded operation made it."""
        return self._node is None or self._node.name == "leaf"

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Tensor:
        if requires_grad and not self.is_floating_point():
            raise TypeError(f"only float tensors can have gradients, not {self.dtype}; convert it with .float()")
        if not self.is_leaf:
            if not requires_grad:
                raise RuntimeError("requires_grad can be switched off for leaf tensors only; use .detach()")
        elif requires_grad != self.requires_grad:
            self._node = Node("leaf", self.shape) if requires_grad else None
            self.retain_grad()
        return self

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in `.grad`, even if it is not a leaf."""
        if self._node is not None:
            self._node.target = weakref.ref(self)

    def accumulate_grad(self, gradient: np.ndarray, ours: builtins.bool = False) -> None:
        """Add to `.grad`; the first gradient is copied unless it is `ours`, since pullbacks may share theirs."""
        if self.grad is None:
            self.grad = Tensor(gradient if ours else gradient.copy("K"))
        else:
            self.grad.array += gradient

    def register_hook(self, hook: Any) -> Handle:
        """Call hook(gradient) when the gradient of this tensor has been computed; what it returns takes its place."""
        if self._node is None:
            raise RuntimeError("register_hook: this tensor gets no gradient; nothing was recorded")

        def on_arrays(g: np.ndarray) -> np.ndarray:
            replaced = hook(_wrap(g))
            return g if replaced is None else tensor_of(replaced).array

        self._node.hooks = {} if self._node.hooks is None else self._node.hooks
        return Handle(self._node.hooks, on_arrays)

    def backward(
        self,
        gradient: Tensor | np.ndarray | None = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
    ) -> None:
        """Add d(self)/d(leaf), times `gradient`, to the `.grad` of every leaf that self was computed from.

        `gradient` has the shape of self; a tensor with one element needs none (the default is 1). With `retain_graph`
        a second walk along the same operations is possible.
        """
        if create_graph:
            raise NotImplementedError("backward: create_graph=True: gradients are not recorded, so they have none")
        g = self._start(gradient)
        assert self._node is not None
        backward(self._node, g, builtins.bool(retain_graph))

    def _start(self, gradient: Tensor | np.ndarray | None) -> np.ndarray:
        """The gradient from which a walk back begins, as an array."""
        if self._node is None:
            raise RuntimeError(
                "backward(): nothing was recorded: no input has requires_grad=True, or it ran under no_grad()"
            )
        if gradient is None:
            if self.numel() != 1:
                raise RuntimeError(
                    f"backward(): a tensor of shape {self.shape} has {self.numel()} elements; pass gradient= with "
                    "that shape, or reduce it first (.sum(), .mean())"
                )
            gradient = np.ones(self.shape, self.dtype)
        g = gradient.array if isinstance(gradient, Tensor) else np.asarray(gradient)
        if g.shape != self.shape or g.dtype != self.dtype:
            raise ValueError(
                f"backward(): gradient is {g.dtype} {g.shape}, but the tensor is {self.dtype} {self.shape}"
            )
        return g

    def detach(self) -> Tensor:
        """A tensor off the tape that shares memory with this one: an in-place change shows in both, and on the tape."""
        alias = _wrap(self.array, self._versions)
        _note_sharing(self, alias)
        return alias

    def detach_(self) -> Tensor:
        """Take this tensor itself off the tape."""
        self._node = None
        return self

    @property
    def data(self) -> Tensor:
        """The values off the tape, sharing memory; assigning other values replaces them."""
        return self.detach()

    @data.setter
    def data(self, values: Tensor) -> None:
        if self._node is not None and self.is_leaf and values.shape != self.shape:
            self._node.shape = values.shape
        self._versions[0] += 1
        self.array = tensor_of(values).array

    @property
    def grad_fn(self) -> Node | None:
        """The operation that made this tensor, on the tape; None for a leaf."""
        return None if self.is_leaf else self._node

    def clone(self, *, memory_format: Any = None) -> Tensor:
        return apply(ops.clone, self)

    def contiguous(self, memory_format: Any = None) -> Tensor:
        return self if self.array.flags.c_contiguous else self.clone()

    # --- operations -------------------------------------------------------------------------------------------

    def _apply(self, operation: Operation, *others: Any, **options: Any) -> Tensor:
        return apply(operation, self, *others, **options)

    def _combine(self, operation: Operation, other: Any, reflected: builtins.bool = False) -> Tensor:
        return _binary(operation, other, self) if reflected else _binary(operation, self, other)

    def _compute(self, function: Any, *others: Any, **options: Any) -> Tensor:
        """A function without a gradient (a comparison, a rounding, an argmax)."""
        return _wrap(np.asarray(function(self.array, *(_raw(other) for other in others), **options)))


def apply(operation: Operation, *inputs: Any, **options: Any) -> Tensor:
    """Run an operation of `ops` on tensors, and record it if any of them needs a gradient.

    `inputs` are what it is differentiated by (None if an optional one is absent; Python numbers stay as they are);
    tensors among the `options` are passed as arrays. Watchers are told. Raises TypeError if float32 and float64 mix.
    """
    arrays = [x.array if isinstance(x, Tensor) else x for x in inputs]
    if len(arrays) > 1:
        _check_one_float_type(operation, arrays)
    if options:
        options = {name: _constant(operation, name, option) for name, option in options.items()}
    value, pullback = operation(*arrays, **options)
    value = np.asarray(value)
    owner = _owner(value, inputs)
    result = _wrap(value, None if owner is None else owner._versions)
    if owner is not None:
        _note_sharing(owner, result)
    if mode.recording and value.dtype.kind == "f":
        parents = tuple(x._node if isinstance(x, Tensor) else None for x in inputs)
        if any(parents):
            node = Node(operation.__name__, value.shape)
            node.parents, node.pullback = parents, pullback
            tensors = [result, *(x for x in inputs if isinstance(x, Tensor))]
            node.recorded = tuple((tensor._versions, tensor._versions[0]) for tensor in tensors)
            result._node = node
    if here.watchers:
        tell_watchers(operation.__name__, inputs, options, result)
    return result


def _wrap(array: np.ndarray, versions: Versions | None = None) -> Tensor:
    """A tensor around an array of a supported dtype, without a copy or a check."""
    tensor = Tensor.__new__(Tensor)
    tensor.array, tensor.grad, tensor._node = array, None, None
    tensor._versions = [0] if versions is None else versions
    return tensor


def _owner(value: np.ndarray, inputs: tuple[Any, ...]) -> Tensor | None:
    """The input that `value` is a view of: both then have one counter, so that a change to either counts for both."""
    whole = value.base is None
    for x in inputs:
        if isinstance(x, Tensor) and (value is x.array or (not whole and np.may_share_memory(value, x.array))):
            return x
    return None


def _note_sharing(owner: Tensor, view: Tensor) -> None:
    """Remember which tensors share memory, as long as they live."""
    versions = owner._versions
    if len(versions) == 1:
        versions.append(weakref.ref(owner))
    elif len(versions) >= 64 and len(versions).bit_count() == 1:  # seldom, since this looks at all of them
        versions[1:] = [living for living in versions[1:] if living() is not None]
    versions.append(weakref.ref(view))


def _check_one_float_type(operation: Operation, arrays: list[Any]) -> None:
    dtypes = {array.dtype for array in arrays if isinstance(array, np.ndarray)}
    if float32 in dtypes and float64 in dtypes:
        raise TypeError(
            f"{operation.__name__}: float32 and float64 meet: {' and '.join(_describe(a) for a in arrays)}. "
            "Convert one with .float() or .double()"
        )


def _describe(x: Any) -> str:
    return f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray | Tensor) else repr(x)


def _binary(operation: Operation, x: Any, y: Any) -> Tensor:
    """An operation with two operands, either of which may be a Python number or an array."""
    x, y = _operand(x, y), _operand(y, x)
    try:
        return apply(operation, x, y)
    except ValueError as error:
        if "broadcast" not in str(error):
            raise
        raise ValueError(
            f"{operation.__name__}: shapes {x.shape} and {y.shape} do not broadcast: aligned at their last axes, "
            "two sizes must be equal or one of them 1"
        ) from None


def _operand(x: Any, other: Any) -> Any:
    """x as a tensor or Python number, in the float type of the other operand."""
    if isinstance(x, np.generic):
        x = x.item()
    if isinstance(x, builtins.bool | int | builtins.float):
        return x
    x = tensor_of(x)
    floats = isinstance(other, builtins.float) or (isinstance(other, Tensor | np.ndarray) and other.dtype.kind == "f")
    if floats and not x.is_floating_point():
        return x.to(other.dtype if isinstance(other, Tensor | np.ndarray) else float32)
    return x


def tensor_of(x: Any) -> Tensor:
    """x itself if it is a tensor, else a tensor around it."""
    return x if isinstance(x, Tensor) else Tensor(x)


def _constant(operation: Operation, name: str, option: Any) -> Any:
    """An option as an array. Raises if it requires a gradient, since it would get none."""
    if isinstance(option, Tensor) and option.requires_grad and is_grad_enabled():
        raise TypeError(
            f"{operation.__name__}: {name} requires a gradient, but is a constant here; pass .detach() or a number"
        )
    return _raw(option)


def _raw(x: Any) -> Any:
    return x.array if isinstance(x, Tensor) else x
