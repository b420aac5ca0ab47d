"""Weights' files: safetensors, torch's two formats, npz, HDF5."""

import io
import json
import random
import struct
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzzing.format import Files, Format
from benchmarks.fuzzing.mutators import Mutate, changed_value, damaged, damaged_json, damaged_pickle, inside_zip, one_of
from handmade import weights

NAME = "w.bin"


def _arrays() -> dict[str, np.ndarray]:
    numbers = np.random.default_rng(0)
    return {
        "layer.weight": numbers.normal(size=(2, 3)).astype(np.float32),
        "layer.bias": numbers.normal(size=3),
        "count": np.array(7),
        "half": numbers.normal(size=(2, 2)).astype(np.float16),
        "mask": np.array([True, False]),
    }


def _torch_objects() -> list[Any]:
    import torch

    tensors = OrderedDict((name, torch.from_numpy(array)) for name, array in _arrays().items())
    tied = torch.arange(6.0)
    special = {
        "a": tied,
        "b": tied[2:].reshape(2, 2).T,
        "c": torch.ones(2, dtype=torch.bfloat16),
        "d": torch.tensor([1 + 2j]).conj().imag,
    }
    checkpoint = {
        "state_dict": special,
        "epoch": 3,
        "best": np.float64(0.5),
        "kind": torch.float32,
        "names": {"x"},  # of one: the order of several is not the same in every process
    }
    return [tensors, checkpoint]


def _torch(zipped: bool) -> list[Files]:
    import torch

    files = []
    for content in _torch_objects():
        stream = io.BytesIO()
        torch.save(content, stream, _use_new_zipfile_serialization=zipped)
        files.append({NAME: stream.getvalue()})
    return files


def _npz() -> list[Files]:
    files = []
    for save in (np.savez, np.savez_compressed):
        stream = io.BytesIO()
        save(stream, **_arrays())
        files.append({NAME: stream.getvalue()})
    return files


def _safetensors() -> list[Files]:
    from safetensors.numpy import save

    return [{NAME: save(_arrays())}, {NAME: save({"a": np.zeros((0, 3), np.float32)}, {"format": "pt"})}]


def _hdf5() -> list[Files]:
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for name, array in _arrays().items():
            file[name.replace(".", "/")] = array
        file.create_dataset("packed", data=np.arange(20.0), chunks=(5,), compression="gzip", fletcher32=True)
    return [{NAME: stream.getvalue()}]


def _header(rng: random.Random, content: bytes) -> bytes:
    """A safetensors file whose header was changed; its length is right."""
    length = int.from_bytes(content[:8], "little")
    header = damaged_json(rng, content[8 : 8 + length])
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


def _npy_header(rng: random.Random, content: bytes) -> bytes:
    """An array of NumPy's whose header was changed; its length is right."""
    (length,) = struct.unpack("<H", content[8:10])
    header = damaged(rng, content[10 : 10 + length])
    return content[:8] + struct.pack("<H", len(header) % 2**16) + header + content[10 + length :]


def _read(folder: Path) -> Any:
    return weights.read(folder / NAME)


def _alone(mutate: Mutate) -> dict[str, Mutate]:
    return {NAME: mutate}


# --- weights that are whole, but of another model -----------------------------------------------------------------


@cache
def _models() -> dict[str, Any]:
    from handmade.models.bert import BertConfig, BertForMaskedLM
    from handmade.models.gpt import GPT, GPTConfig
    from handmade.models.lenet import lenet5
    from handmade.models.textgenrnn import textgenrnn

    config = BertConfig(
        vocab_size=5,
        hidden_size=4,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=4,
        max_position_embeddings=3,
    )
    return {
        "gpt": GPT(GPTConfig(5, 3, 1, 2, 4)),
        "bert": BertForMaskedLM(config),
        "lenet5": lenet5(),
        "textgenrnn": textgenrnn(),
    }


def _model_files() -> list[Files]:
    """The names and shapes of each model's arrays: small files, of which the arrays are made when they are read."""
    files = []
    for name, model in _models().items():
        shapes = {key: list(tensor.shape) for key, tensor in model.state_dict().items()}
        files.append({"model": name.encode(), NAME: json.dumps(shapes).encode()})
    return files


def _other_shapes(rng: random.Random, content: bytes) -> bytes:
    return json.dumps(changed_value(rng, json.loads(content))).encode()


def _load(folder: Path) -> None:
    shapes = json.loads((folder / NAME).read_bytes())
    arrays = {}
    for name, shape in shapes.items() if isinstance(shapes, dict) else ():
        whole = isinstance(shape, list) and len(shape) < 9 and all(type(n) is int and 0 <= n < 600 for n in shape)
        small = whole and np.prod(shape, dtype=object) <= 200_000
        arrays[name.encode("utf-8", "replace").decode() or "x"] = np.zeros(shape if small else 0, np.float32)
    weights.save(folder / NAME, arrays)
    weights.load(_models()[(folder / "model").read_text()], folder / NAME)


def _zip_index(rng: random.Random, content: bytes) -> bytes:
    """A zip archive with the sizes, checksums and flags of its directory changed."""
    changed = bytearray(content)
    start = content.find(b"PK\x01\x02")
    while start >= 0 and rng.randrange(3):
        offset = start + rng.randrange(6, 46)
        changed[offset : offset + 2] = rng.choice((b"\0\0", b"\xff\xff", b"\1\0", rng.randbytes(2)))
        start = content.find(b"PK\x01\x02", start + 4)
    return bytes(changed)


FORMATS = [
    Format("safetensors", 110, _safetensors, _read, _alone(one_of(damaged, _header)), named=NAME),
    Format(
        "torch zip",
        60,
        lambda: _torch(True),
        _read,
        _alone(one_of(damaged, _zip_index)),
        named=NAME,
        checked=True,
    ),
    Format(
        "torch zip, its pickle",
        40,
        lambda: _torch(True),
        _read,
        _alone(inside_zip({"data.pkl": damaged_pickle, "": damaged})),
        named=NAME,
    ),
    Format("torch legacy", 110, lambda: _torch(False), _read, _alone(one_of(damaged, damaged_pickle)), named=NAME),
    Format("npz", 45, _npz, _read, _alone(one_of(damaged, _zip_index)), named=NAME, checked=True),
    Format("npz, its headers", 25, _npz, _read, _alone(inside_zip({".npy": one_of(_npy_header, damaged)})), named=NAME),
    Format("HDF5", 1, _hdf5, _read, _alone(damaged), named=NAME),
    Format("weights of another model", 4, _model_files, _load, _alone(_other_shapes), named=NAME),
]
