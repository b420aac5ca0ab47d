"""What rearranges a tensor: shapes, axes, parts and places, each method under PyTorch's name and with its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from handmade import ops

Dims = int | Sequence[int] | None


class Rearranging:
    """Methods that move numbers and change none. Tensor, which inherits them, has `_apply`: run and record."""

    __slots__ = ()
    array: np.ndarray
    shape: tuple[int, ...]
    ndim: int
    _apply: Callable[..., Self]

    # --- shape --------------------------------------------------------------------------------------------------

    def reshape(self, *shape: Any) -> Self:
        return self._apply(ops.reshape, shape=numbers(shape))

    view = reshape

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Self:
        """The axes from start_dim to end_dim as one."""
        if self.ndim == 0:
            return self.reshape(1)
        start, end = self._dim(start_dim), self._dim(end_dim)
        return self.reshape(*self.shape[:start], -1, *self.shape[end + 1 :])

    def permute(self, *dims: Any) -> Self:
        """Axis i of the result is axis dims[i]."""
        return self._apply(ops.permute, dims=tuple(self._dim(dim) for dim in numbers(dims)))

    def transpose(self, dim0: int, dim1: int) -> Self:
        """Two axes exchanged."""
        dims = list(range(self.ndim))
        dim0, dim1 = self._dim(dim0), self._dim(dim1)
        dims[dim0], dims[dim1] = dim1, dim0
        return self.permute(dims)

    @property
    def T(self) -> Self:
        """All axes in reverse order: of a matrix, its transpose."""
        return self.permute(range(self.ndim)[::-1])

    @property
    def mT(self) -> Self:
        """The last two axes exchanged."""
        return self.transpose(-2, -1)

    def squeeze(self, dim: Dims = None) -> Self:
        """Without the axes of size 1, or without those of `dim` that have size 1."""
        dropped = {axis for axis in self._dims(dim) if self.shape[axis] == 1}
        return self.reshape([size for axis, size in enumerate(self.shape) if axis not in dropped])

    def unsqueeze(self, dim: int) -> Self:
        """With a new axis of size 1 at `dim`."""
        if not -self.ndim - 1 <= dim <= self.ndim:
            raise IndexError(
                f"unsqueeze: dim is {dim}, a new axis of {self.shape} goes from {-self.ndim - 1} to {self.ndim}"
            )
        shape = list(self.shape)
        shape.insert(dim % (self.ndim + 1), 1)
        return self.reshape(shape)

    def expand(self, *sizes: Any) -> Self:
        """Axes of size 1 repeated without copying; -1 keeps a size."""
        shape = numbers(sizes)
        own = (None,) * (len(shape) - self.ndim) + self.shape
        return self._apply(ops.expand, shape=tuple(o if s == -1 else s for s, o in zip(shape, own, strict=True)))

    def repeat(self, *repeats: Any) -> Self:
        """repeats[i] copies side by side along axis i."""
        return self._apply(ops.repeat, repeats=numbers(repeats))

    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[Self, ...]:
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

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Self, ...]:
        """`chunks` equal parts; the last may be smaller."""
        return self.split(-(-self.shape[dim] // chunks), dim)

    def narrow(self, dim: int, start: int, length: int) -> Self:
        """`length` elements of one axis from `start` on."""
        index = (slice(None),) * self._dim(dim) + (slice(start, start + length),)
        return self._apply(ops.getitem, index=index)

    def unbind(self, dim: int = 0) -> tuple[Self, ...]:
        """The parts along an axis, which is dropped."""
        return tuple(self.narrow(dim, i, 1).squeeze(dim) for i in range(self.shape[dim]))

    def pad(self, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Self:
        """(before, after) elements added for each axis, the LAST axis first, as torch.nn.functional.pad takes them."""
        if len(pad) % 2 or len(pad) > 2 * self.ndim:
            raise ValueError(
                f"pad: {len(pad)} numbers for {self.ndim} axes; give (before, after) for each of the last axes"
            )
        pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
        padding = [(0, 0)] * (self.ndim - len(pairs)) + pairs[::-1]
        return self._apply(ops.pad, padding=padding, mode=mode, value=value)

    def flip(self, *dims: Any) -> Self:
        return self._apply(ops.flip, dims=numbers(dims))

    def roll(self, shifts: int | Sequence[int], dims: Dims = None) -> Self:
        """Elements moved `shifts` places, those pushed out coming back at the other end; without dims, flattened."""
        if dims is None:
            return self.flatten().roll(shifts, 0).reshape(self.shape)
        shifts, dims = ((n,) if isinstance(n, int) else tuple(n) for n in (shifts, dims))
        return self._apply(ops.roll, shifts=shifts, dims=dims)

    def tril(self, diagonal: int = 0) -> Self:
        """The lower triangle of the last two axes, zero elsewhere."""
        return self._apply(ops.tril, diagonal=diagonal)

    def triu(self, diagonal: int = 0) -> Self:
        """The upper triangle of the last two axes, zero elsewhere."""
        return self._apply(ops.triu, diagonal=diagonal)

    # --- places -------------------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Self:
        return self._apply(ops.getitem, index=array_index(index))

    def gather(self, dim: int, index: Any) -> Self:
        """value[i][j] = x[index[i][j]][j] for dim 0, and so on."""
        return self._apply(ops.gather, dim=dim, index=index)

    def scatter_add(self, dim: int, index: Any, source: Any) -> Self:
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


def numbers(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """x.reshape(2, 3) and x.reshape((2, 3)) mean the same."""
    if len(arguments) == 1 and not isinstance(arguments[0], int | np.integer):
        arguments = tuple(arguments[0])
    return tuple(int(n) for n in arguments)


def array_index(index: Any) -> Any:
    """An index with its tensors as arrays."""
    if isinstance(index, tuple):
        return tuple(array_index(part) for part in index)
    if isinstance(index, list):
        return np.asarray(index)
    return getattr(index, "array", index)
