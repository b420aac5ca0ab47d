"""What a tensor gives to NumPy and to Python: arrays, numbers, lists, truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.engine.dtypes import int64


class Conversions:
    """Methods that leave the tape: what they give is computed with outside it."""

    __slots__ = ()
    array: np.ndarray

    def numpy(self) -> np.ndarray:
        """The values as a read-only view: NumPy's writes would escape the tape. `.numpy().copy()` may be written to."""
        view = self.array.view()
        view.flags.writeable = False
        return view

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype, copy=copy) if dtype or copy else self.numpy()

    def item(self) -> Any:
        if self.array.size != 1:
            raise ValueError(
                f"item(): a tensor of shape {self.array.shape} has {self.array.size} elements, not one; use tolist()"
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
