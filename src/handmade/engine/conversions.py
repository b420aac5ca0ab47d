"""Conversions of a tensor: to other dtypes, and to arrays, numbers, lists and truth values."""

from __future__ import annotations

import builtins
from typing import Any, Self

import numpy as np

from handmade import ops
from handmade.engine.devices import CPU, check_device, dtype_asked
from handmade.engine.dtypes import as_array, as_dtype, bool_, float32, float64, int64
from handmade.engine.kinds import Kinds, numbers


class Conversions(Kinds):
    """Dtypes and devices; then methods whose results are off the tape: nothing computed from them is recorded."""

    __slots__ = ()

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[self._dim(dim)]

    def dim(self) -> int:
        return self.ndim

    ndimension = dim

    # --- types ------------------------------------------------------------------------------------------------

    def to(
        self,
        *target: Any,
        dtype: Any = None,
        device: Any = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
        memory_format: Any = None,
    ) -> Self:
        """The same values in another dtype; between float types the gradient is converted back.

        target: a dtype, a device (the CPU), both, or a tensor whose dtype is taken. non_blocking and memory_format
        change nothing here; `copy` asks for a copy even where the dtype is the same.
        """
        dtype = dtype_asked(target, dtype, device)
        if copy:
            return self._apply(ops.cast, dtype=self.array.dtype if dtype is None else as_dtype(dtype))
        return self._cast(dtype)

    type = to

    def float(self, memory_format: Any = None) -> Self:
        return self.to(float32)

    def double(self, memory_format: Any = None) -> Self:
        return self.to(float64)

    def long(self, memory_format: Any = None) -> Self:
        return self.to(int64)

    int = long
    """Integers have 64 bits here, all of them."""

    def bool(self, memory_format: Any = None) -> Self:
        return self.to(bool_)

    def type_as(self, other: Any) -> Self:
        return self.to(other.dtype)

    @property
    def device(self) -> Any:
        return CPU

    def cpu(self) -> Self:
        return self

    def cuda(self, device: Any = "cuda", non_blocking: builtins.bool = False) -> Self:
        """Raises: there is no GPU here."""
        return self.to(device="cuda" if device is None else device)

    is_cuda = False

    # --- memory -----------------------------------------------------------------------------------------------

    def is_contiguous(self, memory_format: Any = None) -> builtins.bool:
        return self.array.flags.c_contiguous

    def stride(self, dim: int | None = None) -> Any:
        """Elements from one element of an axis to the next, for each axis."""
        strides = tuple(step // self.array.itemsize for step in self.array.strides)
        return strides if dim is None else strides[dim]

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.array.itemsize

    # --- new tensors of this one's dtype -----------------------------------------------------------------------

    def new_tensor(self, data: Any, dtype: Any = None, device: Any = None) -> Self:
        return self._new(np.array(as_array(getattr(data, "array", data), dtype or self.array.dtype)), dtype, device)

    def new_empty(self, *size: Any, dtype: Any = None, device: Any = None) -> Self:
        return self._new(np.empty(numbers(size)), dtype, device)

    def new_zeros(self, *size: Any, dtype: Any = None, device: Any = None) -> Self:
        return self._new(np.zeros(numbers(size)), dtype, device)

    def new_ones(self, *size: Any, dtype: Any = None, device: Any = None) -> Self:
        return self._new(np.ones(numbers(size)), dtype, device)

    def new_full(self, size: Any, fill_value: Any, dtype: Any = None, device: Any = None) -> Self:
        return self._new(np.full(numbers((size,)), fill_value), dtype, device)

    def _new(self, array: np.ndarray, dtype: Any, device: Any) -> Self:
        check_device(device)
        return self._around(array.astype(as_dtype(dtype or self.array.dtype)))

    # --- to Python ------------------------------------------------------------------------------------------------

    def numpy(self) -> np.ndarray:
        """The values as a read-only view: the tape would not see writes. `.numpy().copy()` gives a writable array."""
        view = self.array.view()
        view.flags.writeable = False
        return view

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype, copy=copy) if dtype or copy else self.numpy()

    def item(self) -> Any:
        if self.array.size != 1:
            raise ValueError(
                f"item(): a tensor of shape {self.array.shape} has {self.array.size} elements, not 1; use tolist()"
            )
        return self.array.item()

    def tolist(self) -> Any:
        return self.array.tolist()

    def __bool__(self) -> builtins.bool:
        if self.array.size != 1:
            raise ValueError(f"the truth of a tensor of shape {self.array.shape} is ambiguous; use .any() or .all()")
        return builtins.bool(self.array.item())

    def __float__(self) -> builtins.float:
        return builtins.float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.dtype != int64:
            raise TypeError(f"a tensor of {self.array.dtype} cannot be an index")
        return self.item()

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.array.ndim == 0 else repr(self)
