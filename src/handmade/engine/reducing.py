"""Methods over axes: sums, means, extremes, products, norms, order."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, Self, TypeVar

from handmade import ops
from handmade.engine.comparing import Comparing
from handmade.engine.kinds import Dims, Kinds, numpys_names
from handmade.engine.selecting import Selecting
from handmade.ops.op import Operation

T = TypeVar("T")


class Extremes(NamedTuple, Generic[T]):
    """What `max`, `min`, `sort` and `topk` along an axis return: the values, and the indices where they were."""

    values: T
    indices: T


@numpys_names
class Reducing(Comparing, Selecting):
    """Wherever PyTorch takes one axis as `dim`, so do these; reductions also take a tuple of axes."""

    __slots__ = ()

    def sum(self, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        """`dtype` converts the tensor first."""
        return self._cast(dtype)._apply(ops.sum, dim=self._dims(dim), keepdim=keepdim)

    def mean(self, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        return self._cast(dtype)._apply_float(ops.mean, dim=self._dims(dim), keepdim=keepdim)

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
        if isinstance(dim, Kinds):
            return self._combine(ops.maximum, dim)
        return self._pick(self.argmax(dim, True), dim, keepdim) if isinstance(dim, int) else self.amax(dim, keepdim)

    def min(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The minimum of all elements or over several axes; along one axis, (values, indices), the first of equal ones.

        With a tensor in place of `dim`, the smaller of the two, element by element.
        """
        if isinstance(dim, Kinds):
            return self._combine(ops.minimum, dim)
        return self._pick(self.argmin(dim, True), dim, keepdim) if isinstance(dim, int) else self.amin(dim, keepdim)

    def prod(self, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        return self._cast(dtype)._apply(ops.prod, dim=self._dims(dim), keepdim=keepdim)

    def cumsum(self, dim: int, *, dtype: Any = None) -> Self:
        return self._cast(dtype)._along(lambda x, dim: x._apply(ops.cumsum, dim=dim), dim)

    def cumprod(self, dim: int, *, dtype: Any = None) -> Self:
        return self._cast(dtype)._along(lambda x, dim: x._apply(ops.cumprod, dim=dim), dim)

    def norm(self, p: Any = 2, dim: Dims = None, keepdim: bool = False, dtype: Any = None) -> Self:
        """(sum |x|^p)^(1/p) over axes; p may be inf (the largest), -inf, 0 (the number of nonzeros), "fro" (2)."""
        if p == "nuc":
            raise ValueError("norm: p='nuc' needs singular values, which are not here; pass a number or 'fro'")
        p = 2.0 if p in ("fro", None) else float(p)
        return self._cast(dtype)._apply_float(ops.norm, dim=self._dims(dim), p=p, keepdim=keepdim)

    def median(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The median: of two middle elements, the lower one. Along one axis, (values, indices)."""
        if dim is None:
            return self.reshape(-1).median(0).values
        middle = (
            self.argsort(dim).narrow(dim, (max(self.shape[dim], 1) - 1) // 2, 1) if self.ndim else self.argsort(dim)
        )
        return self._pick(middle, dim, keepdim)

    def aminmax(self, *, dim: int | None = None, keepdim: bool = False) -> tuple[Self, Self]:
        return self.amin(dim, keepdim), self.amax(dim, keepdim)

    def sort(self, dim: int = -1, descending: bool = False, stable: bool = True) -> Extremes[Self]:
        """(values, indices), sorted along one axis; equal elements keep their order, so it is always `stable`."""
        indices = self.argsort(dim, descending)
        return Extremes(self.gather(dim, indices), indices)

    def topk(self, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Extremes[Self]:
        """The k largest (or smallest) along one axis, (values, indices), always `sorted`."""
        x = self if self.ndim else self.reshape(1)
        if not 0 <= k <= x.shape[dim]:
            raise ValueError(f"topk: k is {k}, but axis {dim} of {self.shape} has {x.shape[dim]} elements")
        indices = x.argsort(dim, largest).narrow(dim, 0, k)
        values = x.gather(dim, indices)
        return Extremes(values, indices) if self.ndim else Extremes(values.reshape(()), indices.reshape(()))

    def _spread(self, operation: Operation, dim: Dims, unbiased: bool, keepdim: bool, correction: int | None) -> Self:
        if isinstance(dim, bool):  # x.var(False)
            dim, unbiased = None, dim
        correction = int(unbiased) if correction is None else correction
        return self._apply_float(operation, dim=self._dims(dim), correction=correction, keepdim=keepdim)

    def _pick(self, indices: Any, dim: int, keepdim: bool) -> Extremes[Self]:
        values = self.gather(dim, indices)
        return Extremes(values, indices) if keepdim else Extremes(values.squeeze(dim), indices.squeeze(dim))
