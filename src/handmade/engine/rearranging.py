"""Methods that rearrange a tensor: its shape, axes, parts and elements, with PyTorch's names and arguments."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from handmade import ops
from handmade.ops.op import Operation

Dims = int | Sequence[int] | None


class Rearranging:
    """Methods that move elements and change none. Tensor, which inherits them, defines `_apply`: run and record."""

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
        """Merge the axes from start_dim to end_dim into one."""
        if self.ndim == 0:
            return self.reshape(1)
        start, end = self._dim(start_dim), self._dim(end_dim)
        return self.reshape(*self.shape[:start], -1, *self.shape[end + 1 :])

    def permute(self, *dims: Any) -> Self:
        """Axis i of the result is axis dims[i]."""
        return self._apply(ops.permute, dims=tuple(self._dim(dim) for dim in numbers(dims)))

    def transpose(self, dim0: int, dim1: int) -> Self:
        """Swap two axes."""
        dims = list(range(self.ndim))
        dim0, dim1 = self._dim(dim0), self._dim(dim1)
        dims[dim0], dims[dim1] = dim1, dim0
        return self.permute(dims)

    @property
    def T(self) -> Self:
        """All axes in reverse order: the transpose, for a matrix."""
        return self.permute(range(self.ndim)[::-1])

    @property
    def mT(self) -> Self:
        """The last two axes swapped: a batch of matrices, each transposed."""
        return self.transpose(-2, -1)

    def squeeze(self, dim: Dims = None) -> Self:
        """Remove all axes of size 1, or those of `dim` that have size 1."""
        dropped = {axis for axis in self._dims(dim) if self.shape[axis] == 1}
        return self.reshape([size for axis, size in enumerate(self.shape) if axis not in dropped])

    def unsqueeze(self, dim: int) -> Self:
        """Add an axis of size 1 at `dim`."""
        if not -self.ndim - 1 <= dim <= self.ndim:
            raise IndexError(
                f"unsqueeze: dim is {dim}; for shape {self.shape} it must be from {-self.ndim - 1} to {self.ndim}"
            )
        shape = list(self.shape)
        shape.insert(dim % (self.ndim + 1), 1)
        return self.reshape(shape)

    def expand(self, *sizes: Any) -> Self:
        """Repeat along axes of size 1, without copying; -1 keeps a size."""
        shape = numbers(sizes)
        own = (None,) * (len(shape) - self.ndim) + self.shape
        return self._apply(ops.expand, shape=tuple(o if s == -1 else s for s, o in zip(shape, own, strict=True)))

    def repeat(self, *repeats: Any) -> Self:
        """repeats[i] copies next to each other along axis i."""
        return self._apply(ops.repeat, repeats=numbers(repeats))

    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[Self, ...]:
        """Parts of a given size (the last may be smaller), or of the listed sizes."""
        size = self.shape[dim]
        if isinstance(split_size, int):
            if split_size < 1 and size:
                raise ValueError(f"split: split_size is {split_size}, expected at least 1")
            sizes = [min(split_size, size - start) for start in range(0, size, split_size)] if size else [0]
        else:
            sizes = list(split_size)
        if sum(sizes) != size:
            raise ValueError(f"split: sizes {sizes} add up to {sum(sizes)}, but axis {dim} of {self.shape} has {size}")
        starts = np.cumsum([0, *sizes])
        return tuple(self.narrow(dim, int(start), n) for start, n in zip(starts, sizes, strict=False))

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Self, ...]:
        """`chunks` equal parts; the last may be smaller."""
        if chunks < 1:
            raise ValueError(f"chunk: chunks is {chunks}, expected at least 1")
        size = self.shape[dim]
        return self.split(-(-size // chunks), dim) if size else (self,) * chunks

    def narrow(self, dim: int, start: int, length: int) -> Self:
        """`length` elements along one axis, beginning at `start`."""
        size = self.shape[self._dim(dim)]
        first = start + size if start < 0 else start
        if not (0 <= first <= size and 0 <= length <= size - first):
            raise ValueError(f"narrow: {length} elements from {start} on, but axis {dim} of {self.shape} has {size}")
        index = (slice(None),) * self._dim(dim) + (slice(first, first + length),)
        return self._apply(ops.getitem, index=index)

    def unbind(self, dim: int = 0) -> tuple[Self, ...]:
        """The slices along an axis, which is removed."""
        return tuple(self.narrow(dim, i, 1).squeeze(dim) for i in range(self.shape[dim]))

    def pad(self, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Self:
        """(before, after) elements added for each axis, the LAST axis first, as torch.nn.functional.pad takes them."""
        if len(pad) % 2 or len(pad) > 2 * self.ndim:
            raise ValueError(
                f"pad: {len(pad)} numbers for {self.ndim} axes; expected (before, after) for some of the last axes"
            )
        pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
        padding = [(0, 0)] * (self.ndim - len(pairs)) + pairs[::-1]
        x = self
        for axis, (before, after) in enumerate(padding):  # negative numbers remove elements
            if before < 0 or after < 0:
                first, last = max(-before, 0), max(-after, 0)
                x = x.narrow(axis, first, x.shape[axis] - first - last)
        padding = [(max(before, 0), max(after, 0)) for before, after in padding]
        return x._apply(ops.pad, padding=padding, mode=mode, value=value)

    def flip(self, *dims: Any) -> Self:
        return self._apply(ops.flip, dims=numbers(dims))

    def roll(self, shifts: int | Sequence[int], dims: Dims = None) -> Self:
        """Shift elements by `shifts`; those pushed over the end come back at the start. Without dims, flattened."""
        if dims is None:
            return self.flatten().roll(shifts, 0).reshape(self.shape)
        shifts, dims = ((n,) if isinstance(n, int) else tuple(n) for n in (shifts, dims))
        if len(shifts) != len(dims):
            raise ValueError(f"roll: {len(shifts)} shifts {shifts} for {len(dims)} axes {dims}; expected one for each")
        return self._apply(ops.roll, shifts=shifts, dims=dims)

    def tril(self, diagonal: int = 0) -> Self:
        """The lower triangle of the last two axes, zero elsewhere."""
        return self._triangle(ops.tril, diagonal)

    def triu(self, diagonal: int = 0) -> Self:
        """The upper triangle of the last two axes, zero elsewhere."""
        return self._triangle(ops.triu, diagonal)

    def _triangle(self, operation: Operation, diagonal: int) -> Self:
        if self.ndim < 2:
            raise ValueError(f"{operation.__name__}: a tensor of shape {self.shape} needs at least two axes")
        return self._apply(operation, diagonal=diagonal)

    # --- elements by index --------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Self:
        plain, arrays = split_index(array_index(index))
        read = self if plain is None else self._apply(ops.getitem, index=plain)
        return read if arrays is None else read._apply(ops.getitem, index=arrays)

    def gather(self, dim: int, index: Any) -> Self:
        """value[i][j] = x[index[i][j]][j] for dim 0, and so on."""
        if self.ndim == 0:
            return self.reshape(1).gather(self._dim(dim), np.reshape(index, -1)).reshape(np.shape(index))
        return self._apply(ops.gather, dim=self._dim(dim), index=index)

    def scatter_add(self, dim: int, index: Any, source: Any) -> Self:
        """x with source[i][j] added at [index[i][j]][j] for dim 0, and so on."""
        return self._apply(ops.scatter_add, source, dim=dim, index=index)

    # --- arguments ----------------------------------------------------------------------------------------------

    def _dim(self, dim: int) -> int:
        if isinstance(dim, bool):
            raise TypeError(f"dim is {dim}, expected the number of an axis; pass keepdim={dim} by name")
        dim = operator.index(dim)  # any integer, even a tensor with one element
        if self.ndim == 0 and dim in (-1, 0):
            return 0  # a tensor without axes counts as one axis of size 1, as in PyTorch
        if not -self.ndim <= dim < self.ndim:
            raise IndexError(f"dim is {dim}; a tensor of shape {self.shape} has axes {-self.ndim} to {self.ndim - 1}")
        return dim % self.ndim

    def _dims(self, dim: Dims) -> tuple[int, ...]:
        """Axes as a tuple of non-negative numbers: all of them for None."""
        if dim is None:
            return tuple(range(self.ndim))
        found = tuple(self._dim(axis) for axis in (dim if isinstance(dim, Sequence) else (dim,)))
        if len(set(found)) < len(found):
            raise ValueError(f"dim is {dim}: an axis of a tensor of shape {self.shape} occurs twice")
        return found if self.ndim else ()


def numbers(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """x.reshape(2, 3) and x.reshape((2, 3)) mean the same."""
    if len(arguments) == 1 and not isinstance(arguments[0], int | np.integer):
        arguments = tuple(arguments[0])
    return tuple(int(n) for n in arguments)


def split_index(index: Any) -> tuple[Any, Any]:
    """An index split into two steps, either of which may be None: integers and slices first, then arrays and masks.

    In x[0, :, places] NumPy treats the integer as an index array as well, and moves the axes of index arrays that are
    separated by a slice to the front. PyTorch applies integers first: x[0][:, places].
    """
    parts = index if isinstance(index, tuple) else (index,)
    is_array = [isinstance(part, np.ndarray) for part in parts]
    if not any(is_array):
        return parts, None
    if not any(isinstance(part, int | np.integer) and not isinstance(part, bool) for part in parts):
        return None, parts
    plain: list[Any] = []
    arrays: list[Any] = []
    for part, array in zip(parts, is_array, strict=True):
        if array:
            plain += [slice(None)] * (part.ndim if part.dtype == bool else 1)
            arrays.append(part)
        else:
            plain.append(part)
            if not isinstance(part, int | np.integer):
                arrays.append(part if part is Ellipsis else slice(None))
    return tuple(plain), tuple(arrays)


def array_index(index: Any) -> Any:
    """An index with its tensors as arrays."""
    if isinstance(index, tuple):
        return tuple(array_index(part) for part in index)
    array = np.asarray(index) if isinstance(index, list) else getattr(index, "array", index)
    if isinstance(array, np.ndarray) and array.ndim == 0 and array.dtype.kind in "iu":
        return int(array)  # one integer, in whatever container
    return array
