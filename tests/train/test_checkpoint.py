"""Checkpoints come back as they were, or not at all."""

import errno
import zlib
from pathlib import Path

import numpy as np
import pytest

import handmade
from handmade import random
from handmade.errors import InputError
from handmade.train.checkpoint import first_nonfinite, load_checkpoint, save_checkpoint


@pytest.fixture
def tree(rng):
    return {
        "model": {"a.weight": rng.normal(size=(3, 5)).astype(np.float32), "count": np.array(7, np.int64)},
        "optimizer": {"state": {"0": {"step": 3, "m": rng.normal(size=(2, 3, 4)).transpose(2, 0, 1)}}},
        "groups": [{"lr": 0.1 + 0.2, "betas": [0.9, 0.999], "nesterov": False, "name": None}],
        "random": random.get_state(),
    }


def same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def test_everything_comes_back_as_it_was(tmp_path, tree):
    save_checkpoint(tmp_path / "checkpoint", tree)
    assert same(load_checkpoint(tmp_path / "checkpoint"), tree)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_numbers_go_on_from_the_saved_state_of_the_generator(tmp_path, tree):
    save_checkpoint(tmp_path / "checkpoint", tree)
    then = handmade.rand(5)
    random.set_state(load_checkpoint(tmp_path / "checkpoint")["random"])
    assert np.array_equal(handmade.rand(5).array, then.array)


@pytest.mark.parametrize("length", [0, 5, 8, 100, 700, -1])
def test_a_file_that_is_cut_short_is_refused(tmp_path, tree, length):
    path = tmp_path / "checkpoint"
    save_checkpoint(path, tree)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=r"checkpoint is damaged or no checkpoint of handmade"):
        load_checkpoint(path)


def test_a_single_flipped_bit_is_noticed(tmp_path, tree, rng):
    path = tmp_path / "checkpoint"
    save_checkpoint(path, tree)
    content = path.read_bytes()
    arrays_begin = 8 + int.from_bytes(content[:8], "little")
    for place in rng.integers(arrays_begin, len(content), 20):
        changed = bytearray(content)
        changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(changed))
        with pytest.raises(InputError, match="checksum"):
            load_checkpoint(path)


@pytest.mark.slow
def test_any_changed_byte_of_the_header_is_noticed(tmp_path, tree):
    path = tmp_path / "checkpoint"
    save_checkpoint(path, tree)
    content = path.read_bytes()
    for place in range(8 + int.from_bytes(content[:8], "little")):
        changed = bytearray(content)
        changed[place] ^= 0x10
        path.write_bytes(bytes(changed))
        with pytest.raises(InputError, match="damaged"):
            load_checkpoint(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "its tree is no object"),
        ("5", "its tree is no object"),
        ('{"a": ', "the tree of .*checkpoint is not JSON: line 1, column 7"),
        ("[" * 99_999, "the tree of .*checkpoint is nested more than 100 levels deep"),
        ('{"a": "array:b"}', "its tree names an array that it does not hold, 'b'"),
    ],
    ids=lambda text: text[:20],
)
def test_a_wrong_tree_with_the_right_checksum_is_refused(tmp_path, text, message):
    from safetensors.numpy import save_file

    save_file({}, tmp_path / "checkpoint", {"tree": text, "crc32": f"{zlib.crc32(text.encode()):08x}"})
    with pytest.raises(InputError, match=message):
        load_checkpoint(tmp_path / "checkpoint")


def test_weights_of_someone_else_are_no_checkpoint(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "checkpoint")
    with pytest.raises(InputError, match="no checkpoint of handmade"):
        load_checkpoint(tmp_path / "checkpoint")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*checkpoint"):
        load_checkpoint(tmp_path / "checkpoint")


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, tree, monkeypatch):
    path = tmp_path / "checkpoint"
    save_checkpoint(path, tree)
    before = path.read_bytes()

    def half(self: Path, content: bytes) -> None:
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(InputError, match=r"cannot write .*checkpoint: No space left on device\."):
        save_checkpoint(path, {**tree, "more": 1})
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_the_first_array_that_is_not_finite_is_found():
    good = np.ones(3)
    assert first_nonfinite({"a": good, "b": [{"c": np.arange(3)}], "d": "text"}) is None
    assert first_nonfinite({"a": good, "b": [{"c": np.array([1.0, np.nan])}], "d": np.array(np.inf)}) == "b/0/c"
