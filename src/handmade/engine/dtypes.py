"""The four dtypes that a tensor can have, and the rules by which data are converted to them."""

import builtins
from typing import Any

import numpy as np

float32 = np.dtype(np.float32)
float64 = np.dtype(np.float64)
int64 = np.dtype(np.int64)
bool_ = np.dtype(np.bool_)

Number = builtins.bool | int | float


def as_dtype(dtype: Any) -> np.dtype:
    """One of the four dtypes, from its name or from a NumPy or Python type; TypeError for others.

    int32 is int64, which holds every number of it.
    """
    known = {float: float32, int: int64, builtins.bool: bool_}
    try:
        found = known[dtype] if isinstance(dtype, type) and dtype in known else np.dtype(dtype)
    except TypeError:
        raise TypeError(f"dtype {dtype}: tensors are float32, float64, int64 or bool") from None
    if found == np.int32:
        return int64
    if found not in (float32, float64, int64, bool_):
        raise TypeError(f"dtype {found}: tensors are float32, float64, int64 or bool")
    return found


def as_array(data: Any, dtype: Any) -> np.ndarray:
    """An array of one of the four dtypes: Python floats become float32, integers of any width int64."""
    array = np.asarray(data)
    if dtype is not None:
        return array.astype(as_dtype(dtype), copy=False)
    if array.dtype == np.float64 and not isinstance(data, np.ndarray | np.generic):
        return array.astype(float32)
    if array.dtype.kind in "iu":
        return array.astype(int64, copy=False)
    if array.dtype not in (float32, float64, bool_):
        raise TypeError(f"a tensor cannot hold {array.dtype}: pass numbers, or convert with .astype(np.float32)")
    return array
