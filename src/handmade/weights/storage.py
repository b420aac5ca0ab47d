"""From the bytes of a weights file to arrays.

Every format keeps numbers the same way: a run of bytes and the name of a number type. NumPy has all of these types but
bfloat16, the upper half of a float32. Both half-precision types become float32 here, as handmade computes in that.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

BFLOAT16 = "bfloat16"
INTEGERS = ("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8")
DTYPES = ("float64", "float32", "float16", BFLOAT16, *INTEGERS, "bool")
LARGEST = 2**58
"""Numbers of which an array may be a part, even one that holds none: with their bytes NumPy counts no further."""
COMPLEX = ("complex128", "complex64")
"""PyTorch's files may hold them beside the weights; no network here computes in them."""


def item_size(dtype: str) -> int:
    """Bytes per number of a type of `DTYPES`."""
    return 2 if dtype == BFLOAT16 else np.dtype(dtype).itemsize


def decode(raw: np.ndarray, dtype: str, byte_order: str = "little") -> np.ndarray:
    """The numbers in `raw` (uint8, one axis), in this machine's byte order; half precision as float32."""
    order = ">" if byte_order == "big" else "<"
    if dtype == BFLOAT16:
        return (raw.view(order + "u2").astype(np.uint32) << 16).view(np.float32)
    if dtype == "bool":
        return raw != 0
    return native(raw.view(np.dtype(dtype).newbyteorder(order)))


def native(numbers: np.ndarray) -> np.ndarray:
    """`numbers` in this machine's byte order, half precision as float32; the same array where nothing changes."""
    dtype = np.dtype(np.float32) if numbers.dtype.name == "float16" else numbers.dtype.newbyteorder("=")
    with np.errstate(invalid="ignore"):  # a NaN stays a NaN
        return numbers.astype(dtype, copy=False)


@dataclass(frozen=True)
class Storage:
    """A run of numbers somewhere in the file, known by its key; `start` and `length` count numbers."""

    key: str
    dtype: str
    length: int
    start: int = 0


@dataclass(frozen=True)
class Foreign:
    """A tensor of numbers that NumPy does not have; harmless beside the weights, refused among them."""

    dtype: str


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as PyTorch keeps it: a view of a storage. `offset` and `strides` count numbers, not bytes.

    PyTorch negates and conjugates without touching the numbers: it marks the tensor, as it does for
    `torch.conj(z).imag`. `negative` and `conjugate` are these marks.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    negative: bool = False
    conjugate: bool = False

    def __post_init__(self):
        if len(self.shape) != len(self.strides) or len(self.shape) > 64:
            raise ValueError(f"a tensor with {len(self.shape)} sizes and {len(self.strides)} strides")
        if not all(type(n) is int and 0 <= n < 2**48 for n in (self.offset, *self.shape, *self.strides)):
            raise ValueError("a tensor whose sizes, strides or offset are no sensible integers")
        if prod(max(n, 1) for n in self.shape) > LARGEST:
            raise ValueError(f"a tensor of shape {self.shape}, which no array has")
        if prod(self.shape) and self.last >= self.storage.length:
            raise ValueError(f"a tensor that reaches number {self.last} of a storage of {self.storage.length}")

    @property
    def last(self) -> int:
        """The place in the storage of the tensor's last number."""
        return self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))

    def view(self, numbers: np.ndarray) -> np.ndarray:
        """The tensor as a view of its storage's numbers; tensors that share a storage share memory here too."""
        if not prod(self.shape):
            return np.empty(self.shape, numbers.dtype)
        if self.last >= len(numbers):  # NumPy does not look where an empty buffer ends
            raise ValueError(f"a tensor that reaches number {self.last} of a storage of {len(numbers)}")
        step = numbers.itemsize
        seen = np.ndarray(
            self.shape,
            numbers.dtype,
            buffer=numbers,
            offset=self.offset * step,
            strides=[stride * step for stride in self.strides],
        )
        if self.conjugate:
            seen = seen.conj()
        return -seen if self.negative else seen
