"""Methods that rearrange a tensor: its shape, axes, parts and elements, with PyTorch's names and arguments."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from handmade import ops
from handmade.engine.kinds import Dims, Kinds, numbers, numpys_names
from handmade.ops.op import Operation


@numpys_names
class Rearranging(Kinds):
    """Methods that move elements without changing them."""

    __slots__ = ()

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
        if self.ndim:
            dims[dim0], dims[dim1] = dim1, dim0
        return self.permute(dims)

    swapaxes = swapdims = transpose

    def t(self) -> Self:
        """The transpose of a matrix; a vector stays as it is."""
        if self.ndim > 2:
            raise ValueError(f"t: a tensor of shape {self.shape} has more than two axes; use transpose or mT")
        return self.permute(range(self.ndim)[::-1])

    def movedim(self, source: int | Sequence[int], destination: int | Sequence[int]) -> Self:
        """The axes `source` moved to the positions `destination`; the others keep their order."""
        taken, places = self._dims(source), self._dims(destination)
        if len(taken) != len(places):
            raise ValueError(f"movedim: source {source} and destination {destination} must have as many axes")
        rest = iter(axis for axis in range(self.ndim) if axis not in taken)
        moved = dict(zip(places, taken, strict=True))
        return self.permute([moved[i] if i in moved else next(rest) for i in range(self.ndim)])

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

    def unflatten(self, dim: int, sizes: Sequence[int]) -> Self:
        """One axis cut into several, of `sizes`; one of them may be -1."""
        dim = self._dim(dim)
        return self.reshape(*self.shape[:dim], *sizes, *self.shape[dim + 1 :])

    def ravel(self) -> Self:
        return self.reshape(-1)

    def view_as(self, other: Any) -> Self:
        return self.reshape(other.shape)

    reshape_as = view_as

    def expand_as(self, other: Any) -> Self:
        return self.expand(other.shape)

    def broadcast_to(self, size: Sequence[int]) -> Self:
        return self.expand(size)

    def expand(self, *sizes: Any) -> Self:
        """Repeat along axes of size 1, without copying; -1 keeps a size."""
        shape = numbers(sizes)
        if len(shape) < self.ndim:
            raise ValueError(f"expand: {shape} has fewer axes than the tensor, which has shape {self.shape}")
        own = (None,) * (len(shape) - self.ndim) + self.shape
        return self._apply(ops.expand, shape=tuple(o if s == -1 else s for s, o in zip(shape, own, strict=True)))

    def repeat(self, *repeats: Any) -> Self:
        """repeats[i] copies next to each other along axis i."""
        counts = numbers(repeats)
        if len(counts) < self.ndim or min(counts, default=0) < 0:
            raise ValueError(
                f"repeat: {counts} for shape {self.shape}: expected a number >= 0 for each axis, or more axes"
            )
        return self._apply(ops.repeat, repeats=counts)

    def tile(self, *dims: Any) -> Self:
        """Like `repeat`; missing numbers count as 1."""
        counts = numbers(dims)
        return self.repeat((1,) * (self.ndim - len(counts)) + counts)

    def repeat_interleave(self, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Self:
        """Each element `repeats` times in a row along an axis; without dim, of the flattened tensor."""
        if dim is None:
            return self.reshape(-1).repeat_interleave(repeats, 0)
        if self.ndim == 0:
            return self.reshape(1).repeat_interleave(repeats, dim)
        counts, size = np.asarray(repeats).reshape(-1), self.shape[self._dim(dim)]
        if counts.size not in (1, size) or (counts < 0).any() or counts.dtype.kind not in "iu":
            raise ValueError(f"repeat_interleave: repeats must be one integer >= 0 or {size}, got {counts.tolist()}")
        return self._apply(ops.getitem, index=self._at(dim, np.repeat(np.arange(size), counts)))

    def unfold(self, dimension: int, size: int, step: int) -> Self:
        """Every window of `size` elements along an axis, `step` apart, as a new last axis."""
        if self.ndim == 0:
            return self.reshape(1).unfold(dimension, size, step)._apply(ops.getitem, index=0)
        dim = self._dim(dimension)
        if not 0 <= size <= self.shape[dim] or step < 1:
            raise ValueError(f"unfold: size {size} and step {step} do not fit axis {dimension} of shape {self.shape}")
        starts = np.arange(0, self.shape[dim] - size + 1, step)
        windows = self._apply(ops.getitem, index=self._at(dim, starts[:, None] + np.arange(size)))
        return windows.movedim(dim + 1, -1)

    # --- diagonals ------------------------------------------------------------------------------------------------

    def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Self:
        """The elements [i, i + offset] of two axes, as a new last axis."""
        axes = self._dim(dim1), self._dim(dim2)
        if axes[0] == axes[1] or self.ndim < 2:
            raise ValueError(
                f"diagonal: dim1 {dim1} and dim2 {dim2} must be two axes of a tensor of shape {self.shape}"
            )
        return self._apply(ops.diagonal, offset=offset, dim1=axes[0], dim2=axes[1])

    def diag(self, diagonal: int = 0) -> Self:
        """The diagonal of a matrix, or a matrix with this vector on its diagonal."""
        if self.ndim not in (1, 2):
            raise ValueError(f"diag: a tensor of shape {self.shape} must have one or two axes")
        return self.diag_embed(diagonal) if self.ndim == 1 else self.diagonal(diagonal)

    def diag_embed(self, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Self:
        """The last axis as the diagonals of matrices, whose axes are dim1 and dim2."""
        n = self.shape[-1] + abs(offset)
        axes = [axis if axis >= 0 else axis + self.ndim + 1 for axis in (dim1, dim2)]
        if axes[0] == axes[1]:
            raise ValueError(f"diag_embed: dim1 and dim2 are both {dim1}; expected two axes")
        line = self.pad((abs(offset), 0)) if offset else self  # of the matrix's columns, or of its rows
        line = line.unsqueeze(-1 if offset < 0 else -2)
        whole = line.expand(*self.shape[:-1], n, n)
        off = ~np.eye(n, k=offset, dtype=bool)
        return whole._apply(ops.masked_fill, 0.0, mask=off).movedim((-2, -1), axes)

    def trace(self) -> Any:
        """The sum of a matrix's diagonal."""
        if self.ndim != 2:
            raise ValueError(f"trace: a tensor of shape {self.shape} is not a matrix")
        return self.diagonal()._apply(ops.sum, dim=(0,))

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
        if min(sizes, default=0) < 0:
            raise ValueError(f"split: sizes {sizes} must be 0 or more")
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
        if self.ndim == 0:
            raise ValueError("narrow: a tensor without axes has no parts")
        size = self.shape[self._dim(dim)]
        start = operator.index(start)  # a number, or a tensor with one
        first = start + size if start < 0 else start
        if not (0 <= first <= size and 0 <= length <= size - first):
            raise ValueError(f"narrow: {length} elements from {start} on, but axis {dim} of {self.shape} has {size}")
        return self._apply(ops.getitem, index=self._at(dim, slice(first, first + length)))

    def unbind(self, dim: int = 0) -> tuple[Self, ...]:
        """The slices along an axis, which is removed."""
        dim = self._dim(dim)
        if self.ndim == 0:
            raise IndexError("unbind: a tensor without axes has no slices")
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
        return self._apply(ops.flip, dims=self._dims(numbers(dims)))

    def fliplr(self) -> Self:
        if self.ndim < 2:
            raise ValueError(f"fliplr: a tensor of shape {self.shape} needs at least two axes")
        return self.flip(1)

    def flipud(self) -> Self:
        if self.ndim < 1:
            raise ValueError("flipud: a tensor without axes cannot be flipped")
        return self.flip(0)

    def roll(self, shifts: int | Sequence[int], dims: Dims = None) -> Self:
        """Shift elements by `shifts`; those pushed over the end come back at the start. Without dims, flattened."""
        if dims is None or dims == ():
            return self.flatten().roll(shifts, 0).reshape(self.shape)
        shifts, dims = ((n,) if isinstance(n, int) else tuple(n) for n in (shifts, dims))
        if len(shifts) != len(dims):
            raise ValueError(f"roll: {len(shifts)} shifts {shifts} for {len(dims)} axes {dims}; expected one for each")
        if self.ndim == 0 and dims:
            raise IndexError(f"roll: dims are {dims}, but the tensor has no axes")
        return self._apply(ops.roll, shifts=shifts, dims=tuple(self._dim(dim) for dim in dims))

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
