"""In-place changes of a tensor: assignments, `x += y`, and the methods whose names end in an underscore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from handmade import ops
from handmade.engine import random
from handmade.engine.dtypes import Number
from handmade.engine.methods import Methods
from handmade.engine.selecting import array_index, split_index
from handmade.engine.tape import Node, Versions, is_grad_enabled


def in_place(name: str) -> Callable[..., Any]:
    """The method `name` in place: x.NAME_(...) writes x.NAME(...) into x."""

    def method(self: InPlace, *args: Any, **options: Any) -> Any:
        return self._become(f"{name}_", lambda x: getattr(x, name)(*args, **options), (*args, *options.values()))

    method.__name__, method.__doc__ = f"{name}_", f"`{name}`, in place."
    return method


class InPlace(Methods):
    """Off the tape the array is written. On the tape the tensor becomes the result of an operation that is recorded."""

    __slots__ = ()
    _node: Node | None
    _versions: Versions
    requires_grad: bool
    is_leaf: bool
    detach: Callable[[], Self]
    grad: Any

    def writable(self, what: str) -> np.ndarray:
        """The array, for writing. Raises if the tape would miss the change; counts changes, which backward checks."""
        if self.requires_grad and is_grad_enabled():
            raise RuntimeError(
                f"{what}: a tensor on the tape is changed in place, which is not recorded. Write it out of place "
                "(x = x + 1, where, cat, stack), or under no_grad() if the change needs no gradient."
            )
        self._versions[0] += 1
        return self.array

    def __setitem__(self, index: Any, value: Any) -> None:
        steps = tuple(step for step in split_index(array_index(index)) if step is not None)
        if is_grad_enabled() and (not self.is_leaf or _is_recorded(value)):
            value = value if isinstance(value, InPlace) else np.asarray(value, self.array.dtype)
            self._become("x[...] = value", lambda x: x._apply(ops.setitem, value, steps=steps), (value,))
            return
        part = self.writable("x[...] = value")
        for step in steps[:-1]:
            part = part[step]
        part[steps[-1]] = value.array if isinstance(value, InPlace) else value

    def _become(self, name: str, function: Callable[[Any], Any], arguments: tuple[Any, ...] = ()) -> Self:
        """This tensor takes the values of function(itself). `arguments` may be on the tape."""
        if not is_grad_enabled() or (self.is_leaf and not any(map(_is_recorded, arguments))):
            array = self.writable(name)
            array[...] = _fitting(name, function(self).array, array)
            return self
        if self.is_leaf and self.requires_grad:
            self.writable(name)  # raises
        if self._is_shared():
            raise RuntimeError(
                f"{name}: gradients are recorded, and this tensor shares memory with another, "
                "whose gradient would be lost. Write it out of place, or change a .clone()."
            )
        before = self.detach()  # keeps the old array, which pullbacks may read; this tensor gets the new one
        before._node = self._node
        result = function(before)
        result = result if result.array.dtype == self.array.dtype else result.to(self.array.dtype)
        self.array, self._versions = _fitting(name, result.array, self.array), result._versions
        self._node = result._node
        return self

    def _is_shared(self) -> bool:
        """Whether another tensor that still exists shares the memory."""
        return any(other is not None and other is not self for other in (living() for living in self._versions[1:]))

    def _renamed(self, name: str, other: Any) -> Self:
        """`x += y`: off the tape in place; on the tape x names the new tensor x + y, which is recorded."""
        if is_grad_enabled() and (not self.is_leaf or (_is_recorded(other) and not self.requires_grad)):
            return getattr(self, name)(other)
        return self._become(f"{name}, in place", lambda x: getattr(x, name)(other))

    def __iadd__(self, other: Any) -> Self:
        return self._renamed("add", other)

    def __isub__(self, other: Any) -> Self:
        return self._renamed("sub", other)

    def __imul__(self, other: Any) -> Self:
        return self._renamed("mul", other)

    def __itruediv__(self, other: Any) -> Self:
        return self._renamed("div", other)

    add_, sub_, mul_, div_ = in_place("add"), in_place("sub"), in_place("mul"), in_place("div")
    pow_, clamp_, neg_, abs_ = in_place("pow"), in_place("clamp"), in_place("neg"), in_place("abs")
    exp_, log_, sqrt_, round_ = in_place("exp"), in_place("log"), in_place("sqrt"), in_place("round")
    relu_, sigmoid_, tanh_, floor_ = in_place("relu"), in_place("sigmoid"), in_place("tanh"), in_place("floor")
    masked_fill_, tril_, triu_ = in_place("masked_fill"), in_place("tril"), in_place("triu")
    scatter_, scatter_add_, index_add_ = in_place("scatter"), in_place("scatter_add"), in_place("index_add")
    lerp_, addcmul_, addcdiv_ = in_place("lerp"), in_place("addcmul"), in_place("addcdiv")
    sin_, cos_, erf_, sign_ = in_place("sin"), in_place("cos"), in_place("erf"), in_place("sign")
    ceil_, trunc_, square_, rsqrt_ = in_place("ceil"), in_place("trunc"), in_place("square"), in_place("rsqrt")
    clamp_min_, clamp_max_, masked_scatter_ = in_place("clamp_min"), in_place("clamp_max"), in_place("masked_scatter")
    nan_to_num_, reciprocal_, remainder_ = in_place("nan_to_num"), in_place("reciprocal"), in_place("remainder")
    clip_ = clamp_

    def copy_(self, src: Any, non_blocking: bool = False) -> Self:
        self[...] = src
        return self

    def fill_(self, value: Number) -> Self:
        self[...] = value
        return self

    def zero_(self) -> Self:
        return self.fill_(0)

    def index_fill_(self, dim: int, index: Any, value: Any) -> Self:
        """`value`, a number, in the slices along an axis at `index`."""
        self[self._at(dim, index)] = value
        return self

    # --- random numbers ---------------------------------------------------------------------------------------------

    def uniform_(self, from_: float = 0.0, to: float = 1.0, *, generator: Any = None) -> Self:
        """Uniform numbers in [from, to)."""
        return self._drawn("uniform_", random.generator(generator).uniform(from_, to, self.shape))

    def normal_(self, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Self:
        """Normal numbers."""
        if std < 0:
            raise ValueError(f"normal_: std is {std}, expected 0 or more")
        return self._drawn("normal_", random.generator(generator).normal(mean, std, self.shape))

    def bernoulli_(self, p: float = 0.5, *, generator: Any = None) -> Self:
        """1 with probability p, else 0."""
        return self._drawn("bernoulli_", random.generator(generator).random(self.shape) < p)

    def random_(self, low: int = 0, high: int | None = None, *, generator: Any = None) -> Self:
        """Integers from low to high - 1; a single number is high, and low is then 0."""
        low, high = (0, low) if high is None and low else (low, 2**24 if high is None else high)
        return self._drawn("random_", random.generator(generator).integers(low, high, self.shape))

    def _drawn(self, name: str, numbers: Any) -> Self:
        self.writable(name)[...] = numbers
        return self


def _is_recorded(x: Any) -> bool:
    return isinstance(x, InPlace) and x.requires_grad


def _fitting(name: str, value: np.ndarray, array: np.ndarray) -> np.ndarray:
    """Raise unless `value` can be written into `array`: no wider, and no floats into integers."""
    if value.shape != array.shape:
        raise ValueError(f"{name}: the result has shape {value.shape}, the tensor {array.shape}")
    if not np.can_cast(value.dtype, array.dtype, "same_kind"):
        raise TypeError(f"{name}: the result is {value.dtype}, which a tensor of {array.dtype} cannot hold")
    return value
