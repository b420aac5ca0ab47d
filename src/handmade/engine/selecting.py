"""Methods that read elements by index, and those that write some into a copy."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from handmade import ops
from handmade.engine.kinds import numpys_names
from handmade.engine.rearranging import Rearranging


@numpys_names
class Selecting(Rearranging):
    """Elements by index."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Self:
        plain, arrays = split_index(array_index(index))
        read = self if plain is None else self._apply(ops.getitem, index=plain)
        return read if arrays is None else read._apply(ops.getitem, index=arrays)

    def gather(self, dim: int, index: Any) -> Self:
        """value[i][j] = x[index[i][j]][j] for dim 0, and so on."""
        if self.ndim == 0:
            return self.reshape(1).gather(self._dim(dim), np.reshape(index, -1)).reshape(np.shape(index))
        return self._apply(ops.gather, dim=self._dim(dim), index=index)

    def scatter(self, dim: int, index: Any, src: Any, reduce: str | None = None) -> Self:
        """x with src[i][j], or one number, at [index[i][j]][j] for dim 0; reduce="add" adds it instead."""
        if reduce == "add":
            return self.scatter_add(dim, index, src)
        if reduce is not None:
            raise ValueError(f"scatter: reduce is {reduce!r}, expected None or 'add'")
        if self.ndim == 0:
            return self.reshape(1).scatter(dim, _flat(index), _flat(src)).reshape(())
        return self._apply(ops.scatter, src, dim=self._dim(dim), index=index)

    def scatter_add(self, dim: int, index: Any, src: Any) -> Self:
        """x with src[i][j] added at [index[i][j]][j] for dim 0, and so on."""
        if self.ndim == 0:
            return self.reshape(1).scatter_add(dim, _flat(index), _flat(src)).reshape(())
        return self._apply(ops.scatter_add, src, dim=self._dim(dim), index=index)

    def index_select(self, dim: int, index: Any) -> Self:
        """The slices along an axis at `index` (N,), in its order."""
        places = np.atleast_1d(np.asarray(index))
        if places.ndim != 1 or places.dtype.kind not in "iu":
            raise ValueError(f"index_select: index has shape {places.shape} and {places.dtype}; expected integers (N,)")
        size = self.shape[self._dim(dim)] if self.ndim else 1
        if places.size and not (places.min() >= 0 and places.max() < size):
            raise IndexError(f"index_select: index goes from {places.min()} to {places.max()}, axis {dim} has {size}")
        if self.ndim == 0:
            return self.reshape(1).index_select(0, index)[0]
        return self._apply(ops.getitem, index=self._at(dim, places))

    def index_add(self, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Self:
        """x with the slices of `source` times alpha added to those at `index` (N,)."""
        if np.shape(index)[1:] or (self.ndim and np.ndim(source) != self.ndim):
            raise ValueError(
                f"index_add: index {np.shape(index)} and source {np.shape(source)} do not fit the tensor {self.shape}: "
                "expected (N,), and as many axes as the tensor has"
            )
        axes = [1] * max(self.ndim, 1)
        axes[self._dim(dim)] = -1
        places = np.broadcast_to(np.reshape(np.asarray(index), axes), np.shape(source) or (1,))
        return self.scatter_add(dim, places if self.ndim else places[0], source if alpha == 1 else source * alpha)

    def masked_select(self, mask: Any) -> Self:
        """The elements where the mask is True, in a row; mask and tensor broadcast."""
        mask = np.asarray(mask)
        if mask.dtype != bool:
            raise TypeError(f"masked_select: mask is {mask.dtype}, expected bool: True where elements are wanted")
        shape = np.broadcast_shapes(self.shape, mask.shape)
        return self.expand(shape)._apply(ops.getitem, index=np.broadcast_to(mask, shape))

    def take_along_dim(self, indices: Any, dim: int | None = None) -> Self:
        """`gather`, with the shapes broadcast first; without dim, of the flattened tensor."""
        if dim is None:
            return self.reshape(-1).gather(0, _flat(indices))
        places, axis = np.asarray(indices), self._dim(dim)
        with_size = lambda shape, size: (*shape[:axis], size, *shape[axis + 1 :])
        rest = np.broadcast_shapes(with_size(self.shape, 1), with_size(places.shape, 1))
        x = self.expand(with_size(rest, self.shape[axis]))
        return x.gather(dim, np.broadcast_to(places, with_size(rest, places.shape[axis])))

    def take(self, index: Any) -> Self:
        """The elements at `index` of the flattened tensor."""
        return self.reshape(-1)._apply(ops.getitem, index=np.asarray(index))

    def select(self, dim: int, index: int) -> Self:
        """The slice at `index` along an axis, which is removed."""
        return self._apply(ops.getitem, index=self._at(dim, index))


def _flat(x: Any) -> Any:
    """An index or a source for a tensor without axes, as one with one axis."""
    return x.reshape(-1) if hasattr(x, "reshape") else x


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
        return int(array)  # a single integer, whatever its type
    return array
