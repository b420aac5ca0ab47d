"""Reading and writing files of weights: safetensors, npz, and what is none of them."""

import json
import os
import pickle
import stat
import struct
import warnings
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors.numpy import load_file

from handmade import weights
from handmade.errors import InputError
from handmade.weights.storage import Storage, StoredTensor

# ---- safetensors


def test_safetensors_as_torch_writes_them(tmp_path):
    values = torch.tensor([[0.0, 1.0, 2.5], [100.0, 3.0, 7.0]])
    dtypes = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]
    tensors = {name: values.to(getattr(torch, name)) for name in dtypes} | {"scalar": values[1, 2].clone()}
    tensors["empty"] = torch.zeros(0, 3)
    path = tmp_path / "named.anything"
    safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})
    found = weights.read(path)
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        wide = tensor.float() if name in ("float16", "bfloat16") else tensor
        assert found[name].dtype == wide.numpy().dtype
        np.testing.assert_array_equal(found[name], wide.numpy(), err_msg=name)
        assert found[name].flags.writeable


def test_a_type_of_safetensors_that_is_not_computed_in(tmp_path):
    path = tmp_path / "eight.safetensors"
    safetensors.torch.save_file({"w": torch.ones(2).to(torch.float8_e4m3fn)}, path)
    with pytest.raises(InputError, match=r"eight\.safetensors: w is of type F8_E4M3"):
        weights.read(path)


@pytest.mark.parametrize(
    "header",
    [
        {"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}},
        {"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}},
        {"w": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}},
        {"w": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 8]}},
        {"w": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}},
        {"w": {"dtype": "F32", "shape": [2]}},
        {"w": {"dtype": "O", "shape": [2], "data_offsets": [0, 8]}},
        {
            "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
        },
    ],
    ids=range(8),
)
def test_safetensors_that_lie(header, tmp_path):
    raw = json.dumps(header).encode()
    path = tmp_path / "evil.safetensors"
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + b"\0" * 8)
    with pytest.raises(InputError, match=r"evil\.safetensors is a damaged safetensors file"):
        weights.read(path)


def test_safetensors_with_a_name_that_is_said_twice(tmp_path):
    entry = '"w":{"dtype":"F32","shape":[%d],"data_offsets":[%d,%d]}'
    raw = ("{" + entry % (1, 0, 4) + "," + entry % (2, 4, 12) + "}").encode()
    path = tmp_path / "twice.safetensors"
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + b"\0" * 12)
    with pytest.raises(InputError, match="damaged"):
        weights.read(path)


# ---- writing


def test_what_is_saved_is_read_again(tmp_path, rng):
    arrays = {
        "w": rng.standard_normal((3, 4)),
        "transposed": rng.standard_normal((3, 4)).astype(np.float32).T,
        "stepped": rng.integers(0, 9, (6, 5))[::2, 1::2],
        "big endian": np.arange(3, dtype=">f4"),
        "scalar": np.array(3.5, np.float32),
        "empty": np.zeros((0, 2), np.float32),
        "flags": np.array([True, False]),
    }
    path = tmp_path / "model.safetensors"
    weights.save(path, arrays)
    for found in (weights.read(path), load_file(path)):
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert found[name].shape == array.shape
            assert found[name].dtype == array.dtype.newbyteorder("=")
            np.testing.assert_array_equal(found[name], array)


def test_saving_replaces_the_file_at_once_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "model.safetensors"
    weights.save(path, {"w": np.zeros(3)})
    weights.save(path, {"w": np.ones(3)})
    np.testing.assert_array_equal(weights.read(path)["w"], [1, 1, 1])
    assert os.listdir(tmp_path) == ["model.safetensors"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    weights.save(path, {"w": np.zeros(3)})

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(InputError, match=r"cannot write .*model\.safetensors.*No space left"):
        weights.save(path, {"w": np.ones(3)})
    np.testing.assert_array_equal(weights.read(path)["w"], [0, 0, 0])
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match=r"cannot write .*nowhere.model\.safetensors"):
        weights.save(tmp_path / "nowhere" / "model.safetensors", {"w": np.zeros(3)})


@pytest.mark.parametrize("array", [np.array([None]), np.array(["a"]), np.zeros(2, np.complex64)])
def test_arrays_that_are_no_weights_are_not_saved(array, tmp_path):
    with pytest.raises(TypeError, match=r"save: w is of type .*expected one of float64"):
        weights.save(tmp_path / "model.safetensors", {"w": array})
    assert not os.listdir(tmp_path)


# ---- npz


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_npz(write, tmp_path, rng):
    arrays = {
        "w": rng.standard_normal((3, 4)),
        "fortran": np.asfortranarray(rng.standard_normal((3, 4))),
        "big": np.arange(3, dtype=">i4"),
        "half": np.ones((2, 2), np.float16),
        "scalar": np.array(2.0),
        "empty": np.zeros((0, 3)),
        "module.b": np.array([True]),
    }
    path = tmp_path / "arrays.npz"
    write(path, **arrays)
    found = weights.read(path)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype.isnative
    assert found["half"].dtype == np.float32
    found["w"] += 1


def test_npz_with_objects_is_refused_and_nothing_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    class Evil:
        def __reduce__(self):
            return os.system, ("echo ran > canary",)

    np.savez("evil.npz", w=np.array([Evil()], dtype=object))
    with pytest.raises(InputError, match=r"evil\.npz: w\.npy holds Python objects"):
        weights.read("evil.npz")
    assert not os.path.exists("canary")
    np.load("evil.npz", allow_pickle=True)["w"]
    assert os.path.exists("canary")


def npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


HEADER = "{'descr': %s, 'fortran_order': False, 'shape': %s, }"


@pytest.mark.parametrize(
    "content",
    [
        npy(HEADER % ("'<f4'", "(10**12,)"), b"\0" * 8),
        npy(HEADER % ("'<f4'", "(1000000000000,)"), b"\0" * 8),
        npy(HEADER % ("'<f4'", "(-1,)"), b"\0" * 8),
        npy(HEADER % ("'<f4'", "(3,)"), b"\0" * 8),
        npy(HEADER % ("'<f4'", "(2.0,)"), b"\0" * 8),
        npy(HEADER % ("'<f4'", "(True, 2)"), b"\0" * 8),
        npy(HEADER % ("'<U2'", "(1,)"), b"\0" * 8),
        npy(HEADER % ("[('a', '<f4')]", "(2,)"), b"\0" * 8),
        npy(HEADER % ("'<c8'", "(1,)"), b"\0" * 8),
        npy(HEADER % ("__import__('os').system('echo ran > canary')", "(2,)"), b"\0" * 8),
        npy("(" * 5000 + ")" * 5000),
        npy("[1L, 0x, 1and]"),
        npy("{}"),
        b"\x93NUMPY\x09\x00",
        b"\x93NUM",
        b"",
    ],
    ids=range(16),
)
def test_npz_that_lies(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("evil.npz", "w") as archive:
        archive.writestr("w.npy", content)
    with warnings.catch_warnings(action="error"), pytest.raises(InputError, match=r"evil\.npz"):
        weights.read("evil.npz")
    assert os.listdir() == ["evil.npz"]


def test_an_npz_bomb(tmp_path):
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, w=np.zeros(3_000_000))
    with pytest.raises(InputError, match=r"bomb\.npz would unpack from .* to 24,000,\d+ bytes"):
        weights.read(path)


def test_an_encrypted_entry(tmp_path):
    path = tmp_path / "locked.npz"
    np.savez(path, w=np.zeros(3))
    raw = bytearray(path.read_bytes())
    raw[6] |= 1  # the flag in the entry
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # ... and in the directory
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"locked\.npz is a damaged zip archive: .*encrypted"):
        weights.read(path)


def test_another_zip_archive(tmp_path):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("photo.jpg", b"...")
    with pytest.raises(InputError, match=r"photos\.zip is a zip archive, but neither"):
        weights.read(path)


# ---- what is not a weights file


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"hello world, this is text",
        b"<!DOCTYPE html>",
        b"corpus\nsystem\n.",
    ],
)
def test_other_files(content, tmp_path):
    path = tmp_path / "file.pth"
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=rf"file\.pth is not a weights file .*it has {len(content)} bytes and begins with b['\"]"
    ):
        weights.read(path)


def test_a_pickle_that_torch_did_not_write(tmp_path):
    path = tmp_path / "plain.pkl"
    path.write_bytes(pickle.dumps({"w": 1}, 2))
    with pytest.raises(InputError, match="is not a weights file"):
        weights.read(path)


def test_a_plain_malicious_pickle_is_named_for_what_it_is(tmp_path):
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"\x80\x02cos\nsystem\nX\x01\x00\x00\x00a\x85R.")
    with pytest.raises(InputError, match=r"evil\.pkl asks to run os\.system"):
        weights.read(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*none\.pth: No such file"):
        weights.read(tmp_path / "none.pth")


def test_a_folder(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*: Is a directory"):
        weights.read(tmp_path)


@pytest.mark.parametrize("shape", [[0, 2**62, 2**62], [0] + [2**31] * 2, [0] * 65])
def test_empty_arrays_of_shapes_that_no_array_has(tmp_path, shape):
    header = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}}).encode()
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(InputError, match=r"w\.safetensors"):
        weights.read(tmp_path / "w.safetensors")


def test_an_empty_tensor_of_a_shape_that_no_array_has():
    with pytest.raises(ValueError, match=r"a tensor of shape \(0, 1099511627776, 1099511627776\), which no array has"):
        StoredTensor(Storage("0", "float32", 0), 0, (0, 2**40, 2**40), (1, 1, 1))
