"""What PyTorch's checkpoints hold beside the arrays, marks on tensors, and zip directories that lie."""

import argparse
import io
import struct
import zipfile
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest
import torch

from handmade import weights
from handmade.errors import InputError

W = torch.arange(6.0).reshape(2, 3)


@pytest.fixture(params=["zip", "legacy"])
def read_back(request, tmp_path):
    """What `weights.read` gives of an object that torch.save wrote."""

    def run(content: object) -> dict[str, np.ndarray]:
        path = tmp_path / "some.pth"
        torch.save(content, path, _use_new_zipfile_serialization=request.param == "zip")
        return weights.read(path)

    return run


def test_negative_and_conjugate_tensors_have_their_own_signs(read_back):
    z = torch.complex(torch.randn(3, 4), torch.randn(3, 4))
    state = {"imag": torch.conj(z.clone()).imag, "conj": torch.conj(z.clone()), "plain": z}
    assert state["imag"].is_neg()
    assert state["conj"].is_conj()
    found = read_back(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(found[name], tensor.resolve_neg().resolve_conj().numpy(), err_msg=name)


def test_harmless_data_beside_the_arrays_do_not_stop_the_reading(read_back):
    settings = argparse.Namespace(lr=0.1, layers=[1, 2])
    beside = {
        "dtype": torch.float32,
        "float8": torch.float8_e4m3fn,
        "device": torch.device("cuda", 1),
        "size": torch.Size([1, 2]),
        "set": {1, 2, "a"},
        "frozen": frozenset({3}),
        "bytes": bytearray(b"ab\xff"),
        "complex": 1 + 2j,
        "default": defaultdict(list, {"a": [1]}),
        "counter": Counter("aab"),
        "arguments": settings,
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    assert set(read_back({"state_dict": {"w": W}, **beside})) == {"w"}


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64", "complex64", "complex128"])
def test_numbers_of_rarer_types(read_back, dtype):
    numbers = (np.arange(12) * 5_000).astype(dtype).reshape(3, 4)[:, 1:]
    np.testing.assert_array_equal(read_back({"n": torch.from_numpy(numbers)})["n"], numbers)


@pytest.mark.parametrize(
    "key", ["state_dict", "model_state_dict", "model_state", "model", "net", "params", "my_own_name"]
)
def test_weights_are_found_one_level_down(read_back, key):
    content = {"epoch": 3, "optimizer": {"state": {0: {"exp_avg": W}}, "param_groups": []}, key: {"w": W}}
    np.testing.assert_array_equal(read_back(content)["w"], W)


def test_two_unknown_keys_with_arrays_are_a_question(read_back):
    with pytest.raises(InputError, match=r"holds no arrays by name \(its keys: left, right\)"):
        read_back({"left": {"w": W}, "right": {"w": W}})


def test_the_state_of_an_averaged_model(read_back):
    averaged = torch.optim.swa_utils.AveragedModel(torch.nn.Linear(3, 2))
    assert set(read_back(averaged.state_dict())) == {"weight", "bias"}
    assert set(read_back(OrderedDict({"module._orig_mod.w": W}))) == {"w"}


def test_backward_hooks_are_refused():
    from handmade.weights.pickle_names import NAMES
    from handmade.weights.storage import Storage

    rebuild = NAMES["torch._utils._rebuild_tensor_v2"]
    storage = Storage("0", "float32", 4)
    assert rebuild(storage, 0, (4,), (1,), True, {}).shape == (4,)
    with pytest.raises(TypeError, match="functions that are to run"):
        rebuild(storage, 0, (4,), (1,), True, {1: print})
    with pytest.raises(ValueError, match="unknown marks"):
        rebuild(storage, 0, (4,), (1,), True, {}, {"quantized": True})


# ---- zip directories that lie


def damaged(path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        weights.read(path)
    return str(caught.value)


def directory_entry(content: bytes, name: bytes) -> int:
    """Where the central directory's entry of a name begins."""
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(name))
    assert content[at + 46 :].startswith(name)
    return at


def test_a_storage_whose_sizes_and_checksum_are_zeroed(tmp_path):
    stream = io.BytesIO()
    torch.save({"w": torch.randn(1000)}, stream)
    content = bytearray(stream.getvalue())
    at = directory_entry(content, b"archive/data/0")
    for fields in [(16, 12), (16, 8), (20, 4)]:  # checksum and both sizes; checksum and packed size; packed size
        changed = content.copy()
        start, length = fields
        changed[at + start : at + start + length] = bytes(length)
        assert "damaged" in damaged(tmp_path / "zeroed.pth", changed)


def test_an_array_that_a_damaged_name_swallows(tmp_path):
    stream = io.BytesIO()
    np.savez(stream, a=np.arange(3.0), b=np.arange(4.0))
    content = bytearray(stream.getvalue())
    first, second = (directory_entry(content, name) for name in (b"a.npy", b"b.npy"))
    struct.pack_into("<H", content, first + 32, second - first)  # its comment takes the next entry
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["a.npy"]  # what Python makes of it, without a word
    assert "promises 2 entries and has 1" in damaged(tmp_path / "one.npz", content)


def test_an_npz_header_of_brackets(tmp_path):
    header = b"(" * 9_000
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.npy", array)
    assert "a.npy is damaged" in damaged(tmp_path / "brackets.npz", stream.getvalue())


def test_numpy_arrays_of_protocol_2_are_not_taken_for_a_bomb(tmp_path):
    """Their bytes come as text that becomes bytes that become numbers: each is handed on once more."""
    array = np.arange(3000, dtype=np.uint8)
    torch.save({"w": array, "v": torch.ones(2)}, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    assert np.array_equal(weights.read(tmp_path / "w.pth")["w"], array)
