"""A frame: what a question is answered with, arrays by name and JSON beside them, in one safetensors file.

One format for small and large: the browser reads it in twenty lines (static/lib/frame.js), NumPy with
`safetensors.numpy.load`. Arrays that are pictures are float16, what is shown as a number float32, images uint8.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from safetensors.numpy import save

MEDIA_TYPE = "application/vnd.safetensors"

LARGEST = 4 << 20
"""Bytes of a frame."""

KINDS = ("float16", "float32", "float64", "uint8", "int32", "int64")
"""The types of arrays that the browser reads."""


@dataclass(frozen=True)
class Answer:
    """What an explorer answers: `meta`, which JSON can hold, and arrays by name."""

    meta: dict[str, Any]
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    def frame(self) -> bytes:
        """The answer as bytes. ValueError for a type that the browser does not read, and for more than `LARGEST`."""
        for name, array in self.arrays.items():
            if array.dtype.name not in KINDS:
                raise ValueError(f"{name} is {array.dtype}, expected one of {', '.join(KINDS)}")
        size = sum(array.nbytes for array in self.arrays.values())
        if size > LARGEST:
            raise ValueError(f"the arrays have {size:,} bytes, and a frame has {LARGEST:,} at most")
        return packed(self.meta, self.arrays)


def packed(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """JSON and arrays in one safetensors file."""
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return save(whole, {"meta": json.dumps(meta, allow_nan=False)})
