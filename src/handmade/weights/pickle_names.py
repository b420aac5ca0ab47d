"""The names that the pickle of a state dict may use, and what each stands for here.

PyTorch writes a tensor as a call of `_rebuild_tensor_v2` on a storage, an ordered dictionary as a call of its class,
and so on. Each such name maps to a function of ours that makes plain data of its arguments. What is not in `NAMES` is
refused; what maps to None may be mentioned, as an argument, and not be called.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from handmade.weights.pickle_reader import Name, dict_key
from handmade.weights.storage import BFLOAT16, COMPLEX, INTEGERS, Foreign, Storage, StoredTensor, item_size, native

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
    "torch.ComplexDoubleStorage": "complex128",
    "torch.ComplexFloatStorage": "complex64",
    "torch.storage.UntypedStorage": "uint8",  # bytes; the tensor says of what type
}

UNTYPED_DTYPES = {f"torch.{dtype}": dtype for dtype in (BFLOAT16, *INTEGERS, *COMPLEX)} | {
    "torch.float16": "float16",
    "torch.float32": "float32",
    "torch.float64": "float64",
    "torch.bool": "bool",
}
"""PyTorch's types whose tensors may lie in a storage of bytes."""

NUMPY_DTYPES = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1")

TORCH_DTYPES = (
    *("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn_x2"),
    *("complex32", "quint8", "qint8", "qint32", "quint4x2", "quint2x4"),
)
"""More types that a checkpoint may mention beside its arrays, in a setting such as dtype."""


# ---- PyTorch's tensors


def _tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, requires_grad: Any = False, hooks: Any = (), marks: Any = None
) -> StoredTensor:
    """A view of a storage. `marks` are those that PyTorch sets in place of computing: "neg" and "conj"."""
    if not isinstance(storage, Storage):
        raise TypeError("a tensor without a storage")
    if type(requires_grad) is not bool or hooks:
        raise TypeError("a tensor with functions that are to run in its backward pass")
    marks = marks or {}
    if not isinstance(marks, dict) or not marks.keys() <= {"neg", "conj"}:
        raise ValueError(f"a tensor with unknown marks: {marks!r}")
    negative, conjugate = bool(marks.get("neg")), bool(marks.get("conj"))
    return StoredTensor(storage, storage.start + offset, tuple(shape), tuple(strides), negative, conjugate)


def _tensor_of_bytes(
    storage: Any, offset: Any, shape: Any, strides: Any, requires_grad: Any, hooks: Any, dtype: Any, marks: Any = None
) -> StoredTensor | Foreign:
    """A view of a storage of bytes, as numbers of `dtype`."""
    if not isinstance(storage, Storage) or not isinstance(dtype, Name):
        raise TypeError("a tensor without a storage or a type")
    if dtype.path not in UNTYPED_DTYPES:
        return Foreign(dtype.path)
    typed = UNTYPED_DTYPES[dtype.path]
    numbers, rest = divmod(storage.length, item_size(typed))
    if rest or storage.start:
        raise ValueError("a storage of bytes that is no row of numbers")
    return _tensor(Storage(storage.key, typed, numbers), offset, shape, strides, requires_grad, hooks, marks)


def _parameter(tensor: Any, requires_grad: Any = False, hooks: Any = (), state: Any = None) -> Any:
    """A parameter is its tensor; Python attributes that someone attached to it (`state`) are not numbers: left."""
    if hooks:
        raise TypeError("a parameter with functions that are to run in its backward pass")
    return tensor


def _with_attributes(function: Any, kind: Any, arguments: Any, state: Any) -> StoredTensor | Foreign:
    """A tensor to which someone attached Python attributes: the tensor."""
    build = function.build if isinstance(function, Name) else None
    if build is None or build not in (_tensor, _tensor_of_bytes):
        raise TypeError("a tensor with attributes that is no tensor")
    return build(*arguments)


# ---- Python's containers


def _ordered_dict(pairs: Any = ()) -> dict:
    return {dict_key(key): value for key, value in pairs}


def _counter(counts: dict) -> dict:
    return counts


def _default_dict(factory: Any = None, pairs: Any = ()) -> dict:
    """A defaultdict is its dict: what it would make of a key that it lacks is not needed here."""
    return _ordered_dict(pairs)


def _set(items: Any = ()) -> set:
    return {dict_key(item) for item in items}


def _bytearray(content: Any = b"", encoding: Any = "latin-1") -> bytes:
    if type(content) is int:  # bytearray(n) would be n zeros: a few bytes that ask for gigabytes
        raise TypeError("a bytearray made of a number")
    return _encode(content, encoding) if isinstance(content, str) else bytes(content)


class Attributes:
    """An object that is only its attributes, as argparse.Namespace: a training script's settings."""

    def __init__(self) -> None:
        self.attributes: dict = {}

    def set_state(self, state: Any) -> None:
        self.attributes = _ordered_dict(state.items())


def _plain_object(kind: Any, base: Any, state: Any) -> Attributes:
    """How protocols 0 and 1 write such an object."""
    if not isinstance(kind, Name) or kind.build is not Attributes:
        raise TypeError("an object of an unknown kind")
    return Attributes()


def _device(kind: str, index: int | None = None) -> str:
    return kind if index is None else f"{kind}:{index}"


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
    "torch._utils._rebuild_tensor_v3": _tensor_of_bytes,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _with_attributes,
    "torch.Tensor": None,
    "torch.nn.parameter.Parameter": None,
    "torch.Size": tuple,
    "torch.device": _device,
    **dict.fromkeys(STORAGE_DTYPES),
    **dict.fromkeys(UNTYPED_DTYPES),
    **dict.fromkeys(f"torch.{name}" for name in TORCH_DTYPES),
    "collections.OrderedDict": _ordered_dict,
    "collections.Counter": _counter,
    "collections.defaultdict": _default_dict,
    "argparse.Namespace": Attributes,
    "copy_reg._reconstructor": _plain_object,
    "copyreg._reconstructor": _plain_object,
    "_codecs.encode": _encode,
    "numpy.dtype": _NumpyDtype,
    "numpy.ndarray": None,
}
for _module in ("__builtin__", "builtins"):  # Python 2's name, which protocol 2 keeps, and today's
    NAMES[f"{_module}.set"] = _set
    NAMES[f"{_module}.frozenset"] = _set
    NAMES[f"{_module}.bytearray"] = _bytearray
    NAMES[f"{_module}.complex"] = complex
    NAMES |= dict.fromkeys(f"{_module}.{kind}" for kind in ("object", "int", "float", "str", "list", "dict", "bool"))
for _module in ("numpy.core", "numpy._core"):  # before and since NumPy 2
    NAMES[f"{_module}.multiarray.scalar"] = _numpy_scalar
    NAMES[f"{_module}.multiarray._reconstruct"] = NumpyArray
    NAMES[f"{_module}.numeric._frombuffer"] = _numpy_array
