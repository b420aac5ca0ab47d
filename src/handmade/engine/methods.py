"""The methods of a tensor: every basic operation, with PyTorch's name, arguments and defaults.

Wherever PyTorch takes one axis as `dim`, so do these; reductions also take a tuple of axes. Negative axes count from
the end. Each method is also a function of the package: `handmade.exp(x)` is `x.exp()`. Methods that only move elements
are in `rearranging`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Self, TypeVar

import numpy as np

from handmade import ops
from handmade.engine.rearranging import Dims, Rearranging
from handmade.ops.op import Operation

T = TypeVar("T")


class Extremes(NamedTuple, Generic[T]):
    """What `max`, `min`, `sort` and `topk` along an axis return: the values, and the indices where they were."""

    values: T
    indices: T


class Methods(Rearranging):
    """Base of Tensor, which defines `_apply` (run and record), `_combine` (two operands), `_compute` (no gradient)."""

    __slots__ = ()
    _combine: Callable[..., Self]
    _compute: Callable[..., Self]

    # --- two operands, with broadcasting --------------------------------------------------------------------------

    def add(self, other: Any) -> Self:
        return self._combine(ops.add, other)

    def sub(self, other: Any) -> Self:
        return self._combine(ops.sub, other)

    def mul(self, other: Any) -> Self:
        return self._combine(ops.mul, other)

    def div(self, other: Any) -> Self:
        return self._as_float()._combine(ops.div, other)

    def pow(self, exponent: Any) -> Self:
        return self._combine(ops.pow, exponent)

    def maximum(self, other: Any) -> Self:
        return self._combine(ops.maximum, other)

    def minimum(self, other: Any) -> Self:
        return self._combine(ops.minimum, other)

    def matmul(self, other: Any) -> Self:
        return self._combine(ops.matmul, other)

    def remainder(self, other: Any) -> Self:
        """x - y floor(x / y), with the sign of the divisor."""
        return self._combine(ops.remainder, other)

    def fmod(self, other: Any) -> Self:
        """x - y trunc(x / y), with the sign of the dividend."""
        return self._combine(ops.fmod, other)

    __add__, __sub__, __mul__, __truediv__, __pow__, __matmul__ = add, sub, mul, div, pow, matmul
    __mod__ = remainder

    def __radd__(self, other: Any) -> Self:
        return self._combine(ops.add, other, reflected=True)

    def __rsub__(self, other: Any) -> Self:
        return self._combine(ops.sub, other, reflected=True)

    def __rmul__(self, other: Any) -> Self:
        return self._combine(ops.mul, other, reflected=True)

    def __rtruediv__(self, other: Any) -> Self:
        return self._as_float()._combine(ops.div, other, reflected=True)

    def __rpow__(self, other: Any) -> Self:
        return self._combine(ops.pow, other, reflected=True)

    def __rmod__(self, other: Any) -> Self:
        return self._combine(ops.remainder, other, reflected=True)

    def __rmatmul__(self, other: Any) -> Self:
        return self._combine(ops.matmul, other, reflected=True)

    # --- comparisons and integers: no gradient --------------------------------------------------------------------

    def __eq__(self, other: object) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._compute(np.equal, other)

    def __ne__(self, other: object) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._compute(np.not_equal, other)

    __hash__ = object.__hash__  # by identity, as in PyTorch

    def __lt__(self, other: Any) -> Self:
        return self._compute(np.less, other)

    def __le__(self, other: Any) -> Self:
        return self._compute(np.less_equal, other)

    def __gt__(self, other: Any) -> Self:
        return self._compute(np.greater, other)

    def __ge__(self, other: Any) -> Self:
        return self._compute(np.greater_equal, other)

    def __and__(self, other: Any) -> Self:
        return self._compute(np.bitwise_and, other)

    def __or__(self, other: Any) -> Self:
        return self._compute(np.bitwise_or, other)

    def __xor__(self, other: Any) -> Self:
        return self._compute(np.bitwise_xor, other)

    def __invert__(self) -> Self:
        return self._compute(np.invert)

    def __floordiv__(self, other: Any) -> Self:
        return self._compute(np.floor_divide, other)

    def __rfloordiv__(self, other: Any) -> Self:
        return self._compute(lambda x, y: np.floor_divide(y, x), other)

    def isnan(self) -> Self:
        return self._compute(np.isnan)

    def isfinite(self) -> Self:
        return self._compute(np.isfinite)

    def sign(self) -> Self:
        return self._compute(np.sign)

    def floor(self) -> Self:
        return self._compute(np.floor)

    def round(self) -> Self:
        return self._compute(np.round)

    def any(self, dim: Dims = None, keepdim: bool = False) -> Self:
        return self._compute(np.any, axis=self._dims(dim), keepdims=keepdim)

    def all(self, dim: Dims = None, keepdim: bool = False) -> Self:
        return self._compute(np.all, axis=self._dims(dim), keepdims=keepdim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Self:
        """The index of the largest element (of equal ones, the first); without `dim`, in the flattened tensor."""
        return self._place(np.argmax, dim, keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Self:
        """The index of the smallest element (of equal ones, the first); without `dim`, in the flattened tensor."""
        return self._place(np.argmin, dim, keepdim)

    def argsort(self, dim: int = -1, descending: bool = False) -> Self:
        """The indices that sort the elements; equal ones keep their order."""
        return self._along(lambda x, dim: x._compute(_argsort, dim=dim, descending=descending), dim)

    # --- element by element -------------------------------------------------------------------------------------

    def neg(self) -> Self:
        return self._apply(ops.neg)

    def abs(self) -> Self:
        return self._apply(ops.abs)

    __neg__, __abs__ = neg, abs

    def exp(self) -> Self:
        return self._smooth(ops.exp)

    def log(self) -> Self:
        return self._smooth(ops.log)

    def sqrt(self) -> Self:
        return self._smooth(ops.sqrt)

    def rsqrt(self) -> Self:
        """1 / sqrt(x)."""
        return self._smooth(ops.rsqrt)

    def square(self) -> Self:
        return self * self

    def sin(self) -> Self:
        return self._smooth(ops.sin)

    def cos(self) -> Self:
        return self._smooth(ops.cos)

    def tanh(self) -> Self:
        return self._smooth(ops.tanh)

    def sigmoid(self) -> Self:
        """1 / (1 + e^-x)."""
        return self._smooth(ops.sigmoid)

    def relu(self) -> Self:
        """max(x, 0)."""
        return self._apply(ops.relu)

    def gelu(self, approximate: str = "none") -> Self:
        """x Phi(x); `approximate="tanh"` is the form that BERT and GPT-2 use (Hendrycks & Gimpel 2016)."""
        if approximate not in ("none", "tanh"):
            raise ValueError(f"gelu: approximate is {approximate!r}; it must be 'none' or 'tanh'")
        return self._smooth(ops.gelu_tanh if approximate == "tanh" else ops.gelu)

    def silu(self) -> Self:
        """x sigmoid(x)."""
        return self._smooth(ops.silu)

    def clamp(self, min: Any = None, max: Any = None) -> Self:
        """x limited to [min, max], numbers or tensors that broadcast; one of the two may be left out."""
        if min is None and max is None:
            raise ValueError("clamp: pass min, max or both")
        return self._apply(ops.clamp, min, max)

    def softmax(self, dim: int) -> Self:
        """e^x_i / sum_j e^x_j along one axis; no finite x overflows."""
        return self._along(lambda x, dim: x._smooth(ops.softmax, dim=dim), dim)

    def log_softmax(self, dim: int) -> Self:
        """log of softmax, computed as x - logsumexp(x)."""
        return self._along(lambda x, dim: x._smooth(ops.log_softmax, dim=dim), dim)

    def logsumexp(self, dim: Dims, keepdim: bool = False) -> Self:
        """log sum e^x over axes; no finite x overflows."""
        return self._smooth(ops.logsumexp, dim=self._dims(dim), keepdim=keepdim)

    def masked_fill(self, mask: Any, value: Any) -> Self:
        """`value`, a number or a tensor without axes, where the mask is True, else x; the mask broadcasts to x."""
        return self._apply(ops.masked_fill, value, mask=mask)

    def where(self, condition: Any, other: Any) -> Self:
        """x where the condition is True, else `other`; the same as `handmade.where(condition, x, other)`."""
        return self._combine(_where(condition), other)

    # --- over axes ----------------------------------------------------------------------------------------------

    def sum(self, dim: Dims = None, keepdim: bool = False) -> Self:
        return self._apply(ops.sum, dim=self._dims(dim), keepdim=keepdim)

    def mean(self, dim: Dims = None, keepdim: bool = False) -> Self:
        return self._apply_float(ops.mean, dim=self._dims(dim), keepdim=keepdim)

    def var(
        self, dim: Dims = None, unbiased: bool = True, keepdim: bool = False, *, correction: int | None = None
    ) -> Self:
        """sum (x - mean)^2 / (n - correction); unbiased is correction 1, biased is 0; var(False) is biased."""
        return self._spread(ops.var, dim, unbiased, keepdim, correction)

    def std(
        self, dim: Dims = None, unbiased: bool = True, keepdim: bool = False, *, correction: int | None = None
    ) -> Self:
        """The square root of `var`."""
        return self._spread(ops.std, dim, unbiased, keepdim, correction)

    def amax(self, dim: Dims = None, keepdim: bool = False) -> Self:
        """The maximum over axes; equal elements share the gradient."""
        return self._apply(ops.amax, dim=self._dims(dim), keepdim=keepdim)

    def amin(self, dim: Dims = None, keepdim: bool = False) -> Self:
        """The minimum over axes; equal elements share the gradient."""
        return self._apply(ops.amin, dim=self._dims(dim), keepdim=keepdim)

    def max(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The maximum of all elements or over several axes; along one axis, (values, indices), the first of equal ones.

        With a tensor in place of `dim`, the larger of the two, element by element.
        """
        if isinstance(dim, Methods):
            return self.maximum(dim)
        return self._pick(self.argmax(dim, True), dim, keepdim) if isinstance(dim, int) else self.amax(dim, keepdim)

    def min(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The minimum of all elements or over several axes; along one axis, (values, indices), the first of equal ones.

        With a tensor in place of `dim`, the smaller of the two, element by element.
        """
        if isinstance(dim, Methods):
            return self.minimum(dim)
        return self._pick(self.argmin(dim, True), dim, keepdim) if isinstance(dim, int) else self.amin(dim, keepdim)

    def prod(self, dim: Dims = None, keepdim: bool = False) -> Self:
        return self._apply(ops.prod, dim=self._dims(dim), keepdim=keepdim)

    def cumsum(self, dim: int) -> Self:
        return self._along(lambda x, dim: x._apply(ops.cumsum, dim=dim), dim)

    def norm(self) -> Self:
        """The square root of the sum of all squares."""
        return self._apply_float(ops.norm, dim=self._dims(None))

    def sort(self, dim: int = -1, descending: bool = False) -> Extremes[Self]:
        """(values, indices), sorted along one axis; equal elements keep their order."""
        indices = self.argsort(dim, descending)
        return Extremes(self.gather(dim, indices), indices)

    def topk(self, k: int, dim: int = -1, largest: bool = True) -> Extremes[Self]:
        """The k largest (or smallest) along one axis, in order: (values, indices)."""
        x = self if self.ndim else self.reshape(1)
        if not 0 <= k <= x.shape[dim]:
            raise ValueError(f"topk: k is {k}, but axis {dim} of {self.shape} has {x.shape[dim]} elements")
        indices = x.argsort(dim, largest).narrow(dim, 0, k)
        values = x.gather(dim, indices)
        return Extremes(values, indices) if self.ndim else Extremes(values.reshape(()), indices.reshape(()))

    # --- the kinds of operation ------------------------------------------------------------------------------------

    def _apply_float(self, operation: Operation, **options: Any) -> Self:
        if self.array.dtype.kind != "f":
            raise TypeError(
                f"{operation.__name__}: the tensor is {self.array.dtype}, expected floats; convert with .float()"
            )
        return self._apply(operation, **options)

    def _smooth(self, operation: Operation, **options: Any) -> Self:
        """Apply a function whose values are not integers: integer tensors give float32."""
        return self._as_float()._apply(operation, **options)

    def _as_float(self) -> Any:
        return self if self.array.dtype.kind == "f" else self._apply(ops.cast, dtype=np.dtype(np.float32))

    def _spread(self, operation: Operation, dim: Dims, unbiased: bool, keepdim: bool, correction: int | None) -> Self:
        if isinstance(dim, bool):  # x.var(False)
            dim, unbiased = None, dim
        correction = int(unbiased) if correction is None else correction
        return self._apply_float(operation, dim=self._dims(dim), correction=correction, keepdim=keepdim)

    def _place(self, function: Any, dim: int | None, keepdim: bool) -> Self:
        if dim is None or self.ndim == 0:
            return self._compute(function, axis=None, keepdims=keepdim)
        return self._compute(function, axis=self._dim(dim), keepdims=keepdim)

    def _along(self, function: Callable[[Any, int], Any], dim: int) -> Any:
        """`function` of the tensor and an axis; a tensor without axes counts as one axis of size 1, as in PyTorch."""
        dim = self._dim(dim)
        return function(self, dim) if self.ndim else function(self.reshape(1), dim).reshape(())

    def _pick(self, indices: Any, dim: int, keepdim: bool) -> Extremes[Self]:
        values = self.gather(dim, indices)
        return Extremes(values, indices) if keepdim else Extremes(values.squeeze(dim), indices.squeeze(dim))


def _argsort(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    if not descending:
        return np.argsort(x, dim, kind="stable")
    # Sorting the reversed array and reversing the result keeps the order of equal elements.
    last = x.shape[dim] - 1 if x.ndim else 0
    return np.flip(last - np.argsort(np.flip(x, dim), dim, kind="stable"), dim)


def _where(condition: Any) -> Operation:
    """`where` with a given condition, as an operation with two operands."""
    mask = np.asarray(condition)

    def where(x: Any, y: Any) -> Any:
        return ops.where(x, y, condition=mask)

    return where
