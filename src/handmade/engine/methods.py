"""What a tensor can do: every basic operation as a method, under PyTorch's name, arguments and defaults.

Wherever PyTorch takes one axis as `dim`, so do these; reductions take a tuple of axes, too. Negative axes count from
the end. Each method is also a function of the package: `handmade.exp(x)` is `x.exp()`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from handmade import ops
from handmade.ops.op import Operation

if TYPE_CHECKING:
    from handmade.engine.tensor import Tensor

Dims = int | Sequence[int] | None
Number = builtins.bool | int | float


class Extremes(NamedTuple):
    """What `max`, `min`, `sort` and `topk` along an axis give: the values, and where they stood."""

    values: Tensor
    indices: Tensor


class Methods:
    """Base of Tensor, which gives `_apply` (run and record), `_combine` (two operands) and `_compute` (no gradient)."""

    __slots__ = ()
    array: np.ndarray
    shape: tuple[int, ...]
    ndim: int
    _apply: Callable[..., Tensor]
    _combine: Callable[..., Tensor]
    _compute: Callable[..., Tensor]

    # --- two operands, with broadcasting --------------------------------------------------------------------------

    def add(self, other: Any) -> Tensor:
        return self._combine(ops.add, other)

    def sub(self, other: Any) -> Tensor:
        return self._combine(ops.sub, other)

    def mul(self, other: Any) -> Tensor:
        return self._combine(ops.mul, other)

    def div(self, other: Any) -> Tensor:
        return self._as_float()._combine(ops.div, other)

    def pow(self, exponent: Any) -> Tensor:
        return self._combine(ops.pow, exponent)

    def maximum(self, other: Any) -> Tensor:
        return self._combine(ops.maximum, other)

    def minimum(self, other: Any) -> Tensor:
        return self._combine(ops.minimum, other)

    def matmul(self, other: Any) -> Tensor:
        return self._combine(ops.matmul, other)

    __add__, __sub__, __mul__, __truediv__, __pow__, __matmul__ = add, sub, mul, div, pow, matmul

    def __radd__(self, other: Any) -> Tensor:
        return self._combine(ops.add, other, reflected=True)

    def __rsub__(self, other: Any) -> Tensor:
        return self._combine(ops.sub, other, reflected=True)

    def __rmul__(self, other: Any) -> Tensor:
        return self._combine(ops.mul, other, reflected=True)

    def __rtruediv__(self, other: Any) -> Tensor:
        return self._as_float()._combine(ops.div, other, reflected=True)

    def __rpow__(self, other: Any) -> Tensor:
        return self._combine(ops.pow, other, reflected=True)

    def __rmatmul__(self, other: Any) -> Tensor:
        return self._combine(ops.matmul, other, reflected=True)

    # --- comparisons and whole numbers: no gradient ---------------------------------------------------------------

    def __eq__(self, other: object) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._compute(np.equal, other)

    def __ne__(self, other: object) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._compute(np.not_equal, other)

    __hash__ = object.__hash__  # by identity, as PyTorch's

    def __lt__(self, other: Any) -> Tensor:
        return self._compute(np.less, other)

    def __le__(self, other: Any) -> Tensor:
        return self._compute(np.less_equal, other)

    def __gt__(self, other: Any) -> Tensor:
        return self._compute(np.greater, other)

    def __ge__(self, other: Any) -> Tensor:
        return self._compute(np.greater_equal, other)

    def __and__(self, other: Any) -> Tensor:
        return self._compute(np.bitwise_and, other)

    def __or__(self, other: Any) -> Tensor:
        return self._compute(np.bitwise_or, other)

    def __xor__(self, other: Any) -> Tensor:
        return self._compute(np.bitwise_xor, other)

    def __invert__(self) -> Tensor:
        return self._compute(np.invert)

    def __floordiv__(self, other: Any) -> Tensor:
        return self._compute(np.floor_divide, other)

    def __mod__(self, other: Any) -> Tensor:
        return self._compute(np.remainder, other)

    def isnan(self) -> Tensor:
        return self._compute(np.isnan)

    def isfinite(self) -> Tensor:
        return self._compute(np.isfinite)

    def sign(self) -> Tensor:
        return self._compute(np.sign)

    def floor(self) -> Tensor:
        return self._compute(np.floor)

    def round(self) -> Tensor:
        return self._compute(np.round)

    def any(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        return self._compute(np.any, axis=self._dims(dim), keepdims=keepdim)

    def all(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        return self._compute(np.all, axis=self._dims(dim), keepdims=keepdim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Where the largest element stands (the first of equals); without `dim`, in the flattened tensor."""
        return self._compute(np.argmax, axis=dim, keepdims=keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Where the smallest element stands (the first of equals); without `dim`, in the flattened tensor."""
        return self._compute(np.argmin, axis=dim, keepdims=keepdim)

    def argsort(self, dim: int = -1, descending: bool = False) -> Tensor:
        """The places that put the elements in order; equal ones keep theirs."""
        return self._compute(_argsort, dim=dim, descending=descending)

    # --- element by element -------------------------------------------------------------------------------------

    def neg(self) -> Tensor:
        return self._apply(ops.neg)

    def abs(self) -> Tensor:
        return self._apply(ops.abs)

    __neg__, __abs__ = neg, abs

    def exp(self) -> Tensor:
        return self._smooth(ops.exp)

    def log(self) -> Tensor:
        return self._smooth(ops.log)

    def sqrt(self) -> Tensor:
        return self._smooth(ops.sqrt)

    def rsqrt(self) -> Tensor:
        """1 / sqrt(x)."""
        return self._smooth(ops.rsqrt)

    def square(self) -> Tensor:
        return self * self

    def sin(self) -> Tensor:
        return self._smooth(ops.sin)

    def cos(self) -> Tensor:
        return self._smooth(ops.cos)

    def tanh(self) -> Tensor:
        return self._smooth(ops.tanh)

    def sigmoid(self) -> Tensor:
        """1 / (1 + e^-x)."""
        return self._smooth(ops.sigmoid)

    def relu(self) -> Tensor:
        """max(x, 0)."""
        return self._apply(ops.relu)

    def gelu(self, approximate: str = "none") -> Tensor:
        """x Phi(x); `approximate="tanh"` gives the form of BERT's and GPT-2's authors (Hendrycks & Gimpel 2016)."""
        if approximate not in ("none", "tanh"):
            raise ValueError(f"gelu: approximate is {approximate!r}; it must be 'none' or 'tanh'")
        return self._smooth(ops.gelu_tanh if approximate == "tanh" else ops.gelu)

    def silu(self) -> Tensor:
        """x sigmoid(x)."""
        return self._smooth(ops.silu)

    def clamp(self, min: Number | None = None, max: Number | None = None) -> Tensor:
        """Limited to [min, max]; either may be left out, not both."""
        if min is None and max is None:
            raise ValueError("clamp: give min, max or both")
        return self._apply(ops.clamp, min=min, max=max)

    def softmax(self, dim: int) -> Tensor:
        """e^x_i / sum_j e^x_j along one axis; any finite x works."""
        return self._smooth(ops.softmax, dim=dim)

    def log_softmax(self, dim: int) -> Tensor:
        """log of softmax, computed as x - logsumexp(x)."""
        return self._smooth(ops.log_softmax, dim=dim)

    def logsumexp(self, dim: Dims, keepdim: bool = False) -> Tensor:
        """log sum e^x over axes; any finite x works."""
        return self._smooth(ops.logsumexp, dim=self._dims(dim), keepdim=keepdim)

    def masked_fill(self, mask: Tensor | np.ndarray, value: Number) -> Tensor:
        """`value` wherever the mask is True; the mask may broadcast."""
        return self._apply(ops.masked_fill, mask=mask, value=value)

    def where(self, condition: Tensor | np.ndarray, other: Any) -> Tensor:
        """These elements where the condition holds, else those of `other` (`handmade.where(condition, x, y)`)."""
        return self._combine(_where(condition), other)

    # --- over axes ----------------------------------------------------------------------------------------------

    def sum(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        return self._apply(ops.sum, dim=self._dims(dim), keepdim=keepdim)

    def mean(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        return self._apply_float(ops.mean, dim=self._dims(dim), keepdim=keepdim)

    def var(
        self, dim: Dims = None, unbiased: bool = True, keepdim: bool = False, *, correction: int | None = None
    ) -> Tensor:
        """sum (x - mean)^2 / (n - correction), where unbiased means correction 1 and biased 0."""
        correction = int(unbiased) if correction is None else correction
        return self._apply_float(ops.var, dim=self._dims(dim), correction=correction, keepdim=keepdim)

    def std(
        self, dim: Dims = None, unbiased: bool = True, keepdim: bool = False, *, correction: int | None = None
    ) -> Tensor:
        """The square root of `var`."""
        return self.var(dim, unbiased, keepdim, correction=correction).sqrt()

    def amax(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        """The largest over axes; equal ones share the gradient."""
        return self._apply(ops.amax, dim=self._dims(dim), keepdim=keepdim)

    def amin(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        """The smallest over axes; equal ones share the gradient."""
        return self._apply(ops.amin, dim=self._dims(dim), keepdim=keepdim)

    def max(self, dim: Dims = None, keepdim: bool = False) -> Any:
        """The largest of all, or of several axes; along one axis, (values, indices), the first of equals."""
        return self._pick(self.argmax(dim, True), dim, keepdim) if isinstance(dim, int) else self.amax(dim, keepdim)

    def min(self, dim: Dims = None, keepdim: bool = False) -> Any:
        """The smallest of all, or of several axes; along one axis, (values, indices), the first of equals."""
        return self._pick(self.argmin(dim, True), dim, keepdim) if isinstance(dim, int) else self.amin(dim, keepdim)

    def prod(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        return self._apply(ops.prod, dim=self._dims(dim), keepdim=keepdim)

    def cumsum(self, dim: int) -> Tensor:
        return self._apply(ops.cumsum, dim=dim)

    def norm(self) -> Tensor:
        """The square root of the sum of all squares."""
        return (self * self).sum().sqrt()

    def sort(self, dim: int = -1, descending: bool = False) -> Extremes:
        """(values, indices) in order along one axis; equal elements keep their order."""
        indices = self.argsort(dim, descending)
        return Extremes(self.gather(dim, indices), indices)

    def topk(self, k: int, dim: int = -1, largest: bool = True) -> Extremes:
        """The k largest (or smallest) along one axis, in order: (values, indices)."""
        if not 0 <= k <= self.shape[dim]:
            raise ValueError(f"topk: k is {k}, axis {dim} of {self.shape} has {self.shape[dim]} elements")
        indices = self.argsort(dim, largest).narrow(dim, 0, k)
        return Extremes(self.gather(dim, indices), indices)

    # --- shape --------------------------------------------------------------------------------------------------

    def reshape(self, *shape: Any) -> Tensor:
        return self._apply(ops.reshape, shape=numbers(shape))

    view = reshape

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """The axes from start_dim to end_dim as one."""
        if self.ndim == 0:
            return self.reshape(1)
        start, end = self._dim(start_dim), self._dim(end_dim)
        return self.reshape(*self.shape[:start], -1, *self.shape[end + 1 :])

    def permute(self, *dims: Any) -> Tensor:
        """Axis i of the result is axis dims[i]."""
        return self._apply(ops.permute, dims=tuple(self._dim(dim) for dim in numbers(dims)))

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """Two axes exchanged."""
        dims = list(range(self.ndim))
        dim0, dim1 = self._dim(dim0), self._dim(dim1)
        dims[dim0], dims[dim1] = dim1, dim0
        return self.permute(dims)

    @property
    def T(self) -> Tensor:
        """All axes in reverse order: of a matrix, its transpose."""
        return self.permute(range(self.ndim)[::-1])

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return self.transpose(-2, -1)

    def squeeze(self, dim: Dims = None) -> Tensor:
        """Without the axes of size 1, or without those of `dim` that have size 1."""
        dropped = {axis for axis in self._dims(dim) if self.shape[axis] == 1}
        return self.reshape([size for axis, size in enumerate(self.shape) if axis not in dropped])

    def unsqueeze(self, dim: int) -> Tensor:
        """With a new axis of size 1 at `dim`."""
        if not -self.ndim - 1 <= dim <= self.ndim:
            raise IndexError(
                f"unsqueeze: dim is {dim}, a new axis of {self.shape} goes from {-self.ndim - 1} to {self.ndim}"
            )
        shape = list(self.shape)
        shape.insert(dim % (self.ndim + 1), 1)
        return self.reshape(shape)

    def expand(self, *sizes: Any) -> Tensor:
        """Axes of size 1 repeated without copying; -1 keeps a size."""
        shape = numbers(sizes)
        own = (None,) * (len(shape) - self.ndim) + self.shape
        return self._apply(ops.expand, shape=tuple(o if s == -1 else s for s, o in zip(shape, own, strict=True)))

    def repeat(self, *repeats: Any) -> Tensor:
        """repeats[i] copies side by side along axis i."""
        return self._apply(ops.repeat, repeats=numbers(repeats))

    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
        """Parts of a given size (the last may be smaller), or of the sizes listed."""
        size = self.shape[dim]
        if isinstance(split_size, int):
            sizes = [min(split_size, size - start) for start in range(0, size, split_size)]
        else:
            sizes = list(split_size)
        if sum(sizes) != size:
            raise ValueError(f"split: sizes {sizes} add up to {sum(sizes)}, axis {dim} of {self.shape} has {size}")
        starts = np.cumsum([0, *sizes])
        return tuple(self.narrow(dim, int(start), n) for start, n in zip(starts, sizes, strict=False))

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        """`chunks` equal parts; the last may be smaller."""
        return self.split(-(-self.shape[dim] // chunks), dim)

    def narrow(self, dim: int, start: int, length: int) -> Tensor:
        """`length` elements of one axis from `start` on."""
        index = (slice(None),) * self._dim(dim) + (slice(start, start + length),)
        return self._apply(ops.getitem, index=index)

    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        """The parts along an axis, which is dropped."""
        return tuple(self.narrow(dim, i, 1).squeeze(dim) for i in range(self.shape[dim]))

    def pad(self, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Tensor:
        """(before, after) elements added for each axis, the LAST axis first, as torch.nn.functional.pad takes them."""
        if len(pad) % 2 or len(pad) > 2 * self.ndim:
            raise ValueError(
                f"pad: {len(pad)} numbers for {self.ndim} axes; give (before, after) for each of the last axes"
            )
        pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
        padding = [(0, 0)] * (self.ndim - len(pairs)) + pairs[::-1]
        return self._apply(ops.pad, padding=padding, mode=mode, value=value)

    def flip(self, *dims: Any) -> Tensor:
        return self._apply(ops.flip, dims=numbers(dims))

    def roll(self, shifts: int | Sequence[int], dims: Dims = None) -> Tensor:
        """Elements moved `shifts` places, those pushed out coming back at the other end; without dims, flattened."""
        if dims is None:
            return self.flatten().roll(shifts, 0).reshape(self.shape)
        shifts, dims = ((n,) if isinstance(n, int) else tuple(n) for n in (shifts, dims))
        return self._apply(ops.roll, shifts=shifts, dims=dims)

    def tril(self, diagonal: int = 0) -> Tensor:
        """The lower triangle of the last two axes, zero elsewhere."""
        return self._apply(ops.tril, diagonal=diagonal)

    def triu(self, diagonal: int = 0) -> Tensor:
        """The upper triangle of the last two axes, zero elsewhere."""
        return self._apply(ops.triu, diagonal=diagonal)

    # --- places -------------------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Tensor:
        return self._apply(ops.getitem, index=array_index(index))

    def gather(self, dim: int, index: Tensor | np.ndarray) -> Tensor:
        """value[i][j] = x[index[i][j]][j] for dim 0, and so on."""
        return self._apply(ops.gather, dim=dim, index=index)

    def scatter_add(self, dim: int, index: Tensor | np.ndarray, source: Tensor) -> Tensor:
        """With source[i][j] added at [index[i][j]][j] for dim 0, and so on."""
        return self._apply(ops.scatter_add, source, dim=dim, index=index)

    # --- arguments ----------------------------------------------------------------------------------------------

    def _dim(self, dim: int) -> int:
        if not -self.ndim <= dim < self.ndim:
            raise IndexError(f"dim is {dim}, a tensor of shape {self.shape} has axes {-self.ndim} to {self.ndim - 1}")
        return dim % self.ndim

    def _dims(self, dim: Dims) -> tuple[int, ...]:
        """Axes as a tuple of numbers from 0: all of them for None."""
        if dim is None:
            return tuple(range(self.ndim))
        return tuple(self._dim(axis) for axis in ((dim,) if isinstance(dim, int) else dim))

    def _apply_float(self, operation: Operation, **options: Any) -> Tensor:
        if self.array.dtype.kind != "f":
            raise TypeError(
                f"{operation.__name__}: the tensor is {self.array.dtype}, which has none; convert with .float()"
            )
        return self._apply(operation, **options)

    def _smooth(self, operation: Operation, **options: Any) -> Tensor:
        """A function with values between the whole numbers: of an integer tensor it gives float32."""
        return self._as_float()._apply(operation, **options)

    def _as_float(self) -> Any:
        return self if self.array.dtype.kind == "f" else self._apply(ops.cast, dtype=np.dtype(np.float32))

    def _pick(self, indices: Tensor, dim: int, keepdim: bool) -> Extremes:
        values = self.gather(dim, indices)
        return Extremes(values, indices) if keepdim else Extremes(values.squeeze(dim), indices.squeeze(dim))


def numbers(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """x.reshape(2, 3) and x.reshape((2, 3)) mean the same."""
    if len(arguments) == 1 and not isinstance(arguments[0], int | np.integer):
        arguments = tuple(arguments[0])
    return tuple(int(n) for n in arguments)


def _argsort(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    if not descending:
        return np.argsort(x, dim, kind="stable")
    # Sorting the reversed array and reversing the result keeps the order of equal elements.
    last = x.shape[dim] - 1 if x.ndim else 0
    return np.flip(last - np.argsort(np.flip(x, dim), dim, kind="stable"), dim)


def _where(condition: Any) -> Operation:
    """`where` with its condition filled in, as an operation of two operands."""
    mask = np.asarray(condition)

    def where(x: Any, y: Any) -> Any:
        return ops.where(x, y, condition=mask)

    return where


def array_index(index: Any) -> Any:
    """An index with its tensors as arrays."""
    if isinstance(index, tuple):
        return tuple(array_index(part) for part in index)
    if isinstance(index, list):
        return np.asarray(index)
    return getattr(index, "array", index)
