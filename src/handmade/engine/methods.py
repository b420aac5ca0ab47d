"""The methods of a tensor: every basic operation, with PyTorch's name, arguments and defaults.

Wherever PyTorch takes one axis as `dim`, so do these; reductions also take a tuple of axes. Negative axes count from
the end. Each method is also a function of the package: `handmade.exp(x)` is `x.exp()`. Here are those that compute each
element from the elements at the same position; `reducing` has those over axes, `rearranging` those that only move
elements, `selecting` reads by index, and what has no gradient is in `comparing`.
"""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from handmade import ops
from handmade.engine.kinds import Dims, numpys_names
from handmade.engine.reducing import Reducing
from handmade.ops.op import Operation


@numpys_names
class Methods(Reducing):
    """All methods but those of the tape and in-place changes, which Tensor defines."""

    __slots__ = ()

    # --- two operands, with broadcasting --------------------------------------------------------------------------

    def add(self, other: Any, *, alpha: float = 1) -> Self:
        """x + alpha other."""
        return self._combine(ops.add, other if alpha == 1 else other * alpha)

    def sub(self, other: Any, *, alpha: float = 1) -> Self:
        """x - alpha other."""
        return self._combine(ops.sub, other if alpha == 1 else other * alpha)

    def mul(self, other: Any) -> Self:
        return self._combine(ops.mul, other)

    def div(self, other: Any, *, rounding_mode: str | None = None) -> Self:
        """x / other; rounding_mode "trunc" rounds towards 0, "floor" down."""
        if rounding_mode is None:
            return self._as_float()._combine(ops.div, other)
        if rounding_mode not in ("trunc", "floor"):
            raise ValueError(f"div: rounding_mode is {rounding_mode!r}, expected None, 'trunc' or 'floor'")
        if self.array.dtype.kind in "iu" and np.asarray(other).dtype.kind in "iu":
            rest = self.fmod(other) if rounding_mode == "trunc" else self.remainder(other)
            return (self - rest).floor_divide(other)
        rounded = lambda x, y: ops.div_rounded(x, y, rounding_mode=rounding_mode)
        return self._as_float()._combine(rounded, other)

    def pow(self, exponent: Any) -> Self:
        return self._combine(ops.pow, exponent)

    multiply, subtract, divide = mul, sub, div

    def true_divide(self, other: Any) -> Self:
        return self.div(other)

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

    def lerp(self, end: Any, weight: Any) -> Self:
        """x + weight (end - x)."""
        return self + weight * (end - self)

    def addcmul(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Self:
        """x + value tensor1 tensor2."""
        return self + value * (tensor1 * tensor2)

    def addcdiv(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Self:
        """x + value tensor1 / tensor2."""
        return self + value * (tensor1 / tensor2)

    # --- products of vectors and matrices: matmul for the numbers of axes in the name ------------------------

    def dot(self, tensor: Any) -> Self:
        return self._product("dot", tensor, 1, 1)

    def mv(self, vec: Any) -> Self:
        return self._product("mv", vec, 2, 1)

    def mm(self, mat2: Any) -> Self:
        return self._product("mm", mat2, 2, 2)

    def bmm(self, mat2: Any) -> Self:
        if self.shape[:1] != np.shape(mat2)[:1]:
            raise ValueError(f"bmm: shapes {self.shape} and {np.shape(mat2)}: expected one number of matrices in both")
        return self._product("bmm", mat2, 3, 3)

    def outer(self, vec2: Any) -> Self:
        """x_i y_j: (N,), (M,) -> (N, M)."""
        if self.ndim != 1 or np.ndim(vec2) != 1:
            raise ValueError(f"outer: shapes {self.shape} and {np.shape(vec2)}; expected two vectors")
        return self.unsqueeze(1) * vec2

    def addmm(self, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Self:
        """beta x + alpha mat1 mat2."""
        return self._scaled(beta) + mat1.mm(mat2)._scaled(alpha)

    def addmv(self, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Self:
        """beta x + alpha mat vec."""
        return self._scaled(beta) + mat.mv(vec)._scaled(alpha)

    def baddbmm(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Self:
        """beta x + alpha batch1 batch2."""
        return self._scaled(beta) + batch1.bmm(batch2)._scaled(alpha)

    def _scaled(self, factor: float) -> Self:
        return self if factor == 1 else self * factor

    def _product(self, name: str, other: Any, ndim: int, other_ndim: int) -> Self:
        if self.ndim != ndim or np.ndim(other) != other_ndim:
            raise ValueError(
                f"{name}: shapes {self.shape} and {np.shape(other)}; expected {ndim} and {other_ndim} axes; see matmul"
            )
        return self.matmul(other)

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

    # --- element by element -------------------------------------------------------------------------------------

    def neg(self) -> Self:
        if self.array.dtype.kind == "b":
            raise TypeError("neg: the tensor is bool; use ~x, or convert it with .long()")
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

    def reciprocal(self) -> Self:
        """1 / x."""
        return 1 / self

    def log2(self) -> Self:
        return self.log() / math.log(2)

    def log10(self) -> Self:
        return self.log() / math.log(10)

    def log1p(self) -> Self:
        """log(1 + x), exact where x is small."""
        return self._smooth(ops.log1p)

    def expm1(self) -> Self:
        """e^x - 1, exact where x is small."""
        return self._smooth(ops.expm1)

    def exp2(self) -> Self:
        """2^x."""
        return 2.0 ** self._as_float()

    def erf(self) -> Self:
        return self._smooth(ops.erf)

    def logit(self, eps: float | None = None) -> Self:
        """log(x / (1 - x)); with eps, x is limited to [eps, 1 - eps] first."""
        return self._smooth(ops.logit, eps=eps)

    def sign(self) -> Self:
        return self._apply(ops.sign) if self.array.dtype.kind != "b" else self

    def floor(self) -> Self:
        return self._stepped(ops.floor)

    def ceil(self) -> Self:
        return self._stepped(ops.ceil)

    def trunc(self) -> Self:
        return self._stepped(ops.trunc)

    def frac(self) -> Self:
        """x - trunc(x)."""
        return self - self.trunc()

    def round(self, *, decimals: int = 0) -> Self:
        """Round to `decimals` decimal places; a half goes to the even neighbour."""
        return self._stepped(ops.round, decimals=decimals)

    def _stepped(self, operation: Operation, **options: Any) -> Self:
        return self._apply(operation, **options) if self.array.dtype.kind == "f" else self

    def tan(self) -> Self:
        return self._smooth(ops.tan)

    def asin(self) -> Self:
        return self._smooth(ops.asin)

    def acos(self) -> Self:
        return self._smooth(ops.acos)

    def atan(self) -> Self:
        return self._smooth(ops.atan)

    def sinh(self) -> Self:
        return self._smooth(ops.sinh)

    def cosh(self) -> Self:
        return self._smooth(ops.cosh)

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

    clip = clamp

    def clamp_min(self, min: Any) -> Self:
        return self.clamp(min=min)

    def clamp_max(self, max: Any) -> Self:
        return self.clamp(max=max)

    def nan_to_num(self, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Self:
        """x with numbers in place of NaN and infinities; by default 0, and the dtype's largest and smallest numbers."""
        if self.array.dtype.kind != "f":
            return self._apply(ops.clone)
        limits = np.finfo(self.array.dtype)
        x = self.masked_fill(np.isnan(self.array), nan)
        x = x.masked_fill(np.isposinf(self.array), float(limits.max) if posinf is None else posinf)
        return x.masked_fill(np.isneginf(self.array), float(limits.min) if neginf is None else neginf)

    def softplus(self, beta: float = 1.0, threshold: float = 20.0) -> Self:
        """log(1 + e^(beta x)) / beta, and x itself where beta x > threshold, as in PyTorch."""
        scaled = self if beta == 1 else self * beta
        smooth = scaled._smooth(ops.softplus)
        return self.where(scaled.array > threshold, smooth if beta == 1 else smooth / beta)

    def softmax(self, dim: int, dtype: Any = None) -> Self:
        """e^x_i / sum_j e^x_j along one axis; no finite x overflows. `dtype` converts the tensor first."""
        return self._cast(dtype)._along(lambda x, dim: x._smooth(ops.softmax, dim=dim), dim)

    def log_softmax(self, dim: int, dtype: Any = None) -> Self:
        """log of softmax, computed as x - logsumexp(x)."""
        return self._cast(dtype)._along(lambda x, dim: x._smooth(ops.log_softmax, dim=dim), dim)

    def logsumexp(self, dim: Dims, keepdim: bool = False) -> Self:
        """log sum e^x over axes; no finite x overflows."""
        return self._smooth(ops.logsumexp, dim=self._dims(dim), keepdim=keepdim)

    def masked_fill(self, mask: Any, value: Any) -> Self:
        """`value`, a number or a tensor without axes, where the mask is True, else x; the mask broadcasts to x."""
        return self._apply(ops.masked_fill, value, mask=mask)

    def masked_scatter(self, mask: Any, source: Any) -> Self:
        """x with the elements of `source`, in order, where the mask is True; x and the mask broadcast."""
        shape = np.broadcast_shapes(self.shape, np.shape(mask))
        mask, x = np.broadcast_to(np.asarray(mask), shape), self.broadcast_to(shape)
        if mask.dtype != bool or source.array.dtype != self.array.dtype or source.array.size < mask.sum():
            raise ValueError(
                f"masked_scatter: mask is {mask.dtype} with {int(mask.sum())} True, source {source.array.dtype} of "
                f"{source.array.size} elements; expected a bool mask, and a source of {self.array.dtype} with as many"
            )
        if not source.array.size:
            return x._apply(ops.clone)
        places = np.maximum(np.cumsum(mask).reshape(shape) - 1, 0)
        return source.reshape(-1).take(self._around(places)).where(mask, x)

    def where(self, condition: Any, other: Any) -> Self:
        """x where the condition is True, else `other`; the same as `handmade.where(condition, x, other)`."""
        return self._combine(_where(condition), other)


def _where(condition: Any) -> Operation:
    """`where` with a given condition, as an operation with two operands."""
    mask = np.asarray(condition)

    def where(x: Any, y: Any) -> Any:
        return ops.where(x, y, condition=mask)

    return where
