"""The names that the pickle of a state dict may use, and what each stands for here.

PyTorch writes a tensor as a call of `_rebuild_tensor_v2` on a storage, an ordered dictionary as a call of its class,
and so on. Each such name maps to a function of ours that makes plain data of its arguments. What is not in `NAMES` is
refused; what maps to None may be mentioned, as an argument, and not be called.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from handmade.weights.pickle_reader import Name, dict_key
from handmade.weights.storage import Storage, StoredTensor, native

STORAGE_DTYPES = {
    "torch.DoubleStorage": "float64",
    "torch.FloatStorage": "float32",
    "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": "bfloat16",
    "torch.LongStorage": "int64",
    "torch.IntStorage": "int32",
    "torch.ShortStorage": "int16",
    "torch.CharStorage": "int8",
    "torch.ByteStorage": "uint8",
    "torch.BoolStorage": "bool",
}

NUMPY_DTYPES = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "b1")


# ---- PyTorch's tensors


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> StoredTensor:
    if not isinstance(storage, Storage):
        raise TypeError("a tensor without a storage")
    return StoredTensor(storage, storage.start + offset, tuple(shape), tuple(strides))


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


def _with_attributes(function: Any, kind: Any, arguments: Any, state: Any) -> StoredTensor:
    """A tensor to which someone attached Python attributes: the tensor."""
    if not isinstance(function, Name) or function.build is not _tensor:
        raise TypeError("a tensor with attributes that is no tensor")
    return _tensor(*arguments)


# ---- Python's containers


def _ordered_dict(pairs: Any = ()) -> dict:
    return {dict_key(key): value for key, value in pairs}


def _counter(counts: dict) -> dict:
    return counts


def _encode(text: str, encoding: str) -> bytes:
    """How protocol 2 writes bytes: as text in which each letter is one byte."""
    if encoding not in ("latin1", "latin-1"):
        raise ValueError("bytes in an unknown encoding")
    return text.encode("latin-1")


# ---- NumPy's scalars and arrays (an accuracy noted beside the weights is often one)


class _NumpyDtype:
    def __init__(self, code: Any, *_: Any):
        if code not in NUMPY_DTYPES:
            raise ValueError("a NumPy type that is no number")
        self.dtype = np.dtype(code)

    def set_state(self, state: tuple) -> None:
        if state[1] not in ("|", "=", "<", ">"):
            raise ValueError("a NumPy type of unknown byte order")
        self.dtype = self.dtype.newbyteorder(state[1])


class NumpyArray:
    """A NumPy array that the pickle holds itself; `array` is there once its state is set."""

    def __init__(self, *_: Any):
        self.array: np.ndarray | None = None

    def set_state(self, state: tuple) -> None:
        _, shape, dtype, is_fortran, raw = state
        numbers = np.frombuffer(_as_bytes(raw), dtype.dtype)
        self.array = native(numbers).reshape(shape, order="F" if is_fortran else "C")


def _numpy_array(raw: bytes, dtype: _NumpyDtype, shape: tuple, order: str) -> NumpyArray:
    """How protocol 5 writes an array, in one call."""
    array = NumpyArray()
    array.set_state((1, shape, dtype, order == "F", raw))
    return array


def _numpy_scalar(dtype: _NumpyDtype, raw: Any) -> Any:
    return np.frombuffer(_as_bytes(raw), dtype.dtype)[0]


def _as_bytes(raw: Any) -> bytes:
    return raw.encode("latin-1") if isinstance(raw, str) else raw  # Python 2 wrote bytes as text


NAMES: dict[str, Callable[..., Any] | None] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _with_attributes,
    "torch.Tensor": None,
    "torch.Size": tuple,
    **dict.fromkeys(STORAGE_DTYPES),
    "collections.OrderedDict": _ordered_dict,
    "collections.Counter": _counter,
    "_codecs.encode": _encode,
    "numpy.dtype": _NumpyDtype,
    "numpy.ndarray": None,
}
for _module in ("numpy.core", "numpy._core"):  # before and since NumPy 2
    NAMES[f"{_module}.multiarray.scalar"] = _numpy_scalar
    NAMES[f"{_module}.multiarray._reconstruct"] = NumpyArray
    NAMES[f"{_module}.numeric._frombuffer"] = _numpy_array
