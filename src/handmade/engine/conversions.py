"""Conversions of a tensor to NumPy and Python: arrays, numbers, lists, truth values."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.engine.dtypes import int64


class Conversions:
    """Methods that leave the tape: nothing computed from their results is recorded."""

    __slots__ = ()
    array: np.ndarray

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

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise ValueError(f"the truth of a tensor of shape {self.array.shape} is ambiguous; use .any() or .all()")
        return bool(self.array.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.dtype != int64:
            raise TypeError(f"a tensor of {self.array.dtype} cannot be an index")
        return self.item()

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.array.ndim == 0 else repr(self)
