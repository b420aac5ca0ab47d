import gzip
import struct

import numpy as np
import pytest

from handmade.data import read_idx
from handmade.data.idx import TYPES
from handmade.errors import InputError


def idx_bytes(array: np.ndarray, code: int = 0x08) -> bytes:
    header = bytes((0, 0, code, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(TYPES[code]).tobytes()


@pytest.fixture
def array(rng) -> np.ndarray:
    return rng.integers(0, 256, (5, 3, 4), np.uint8)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("code", TYPES)
def test_reads_what_was_written(tmp_path, rng, pack, code):
    array = rng.integers(0, 100, (2, 3, 5)).astype(np.dtype(TYPES[code]).newbyteorder("="))
    path = tmp_path / "a-idx3"
    path.write_bytes(pack(idx_bytes(array, code)))
    read = read_idx(path)
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)
    read[0] = 0  # belongs to the caller


def test_an_axis_of_length_zero(tmp_path):
    path = tmp_path / "none"
    path.write_bytes(idx_bytes(np.zeros((0, 28, 28), np.uint8)))
    assert read_idx(path).shape == (0, 28, 28)


def refused(path, content: bytes, match: str) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match=match) as error:
        read_idx(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
class TestDamage:
    def test_wrong_magic(self, tmp_path, pack):
        refused(tmp_path / "a", pack(b"\x89PNG\r\n\x1a\n"), "not an idx file: it starts with bytes 89 50 4e 47")

    def test_unknown_type(self, tmp_path, pack):
        refused(tmp_path / "a", pack(b"\0\0\x07\1\0\0\0\0"), "expected 00 00, a type")

    def test_empty(self, tmp_path, pack):
        refused(tmp_path / "a", pack(b""), "not an idx file: it starts with bytes \\(none\\)")

    def test_cut_in_the_header(self, tmp_path, pack, array):
        refused(tmp_path / "a", pack(idx_bytes(array)[:9]), "ends within its header of 16 bytes")

    def test_cut_in_the_content(self, tmp_path, pack, array):
        refused(tmp_path / "a", pack(idx_bytes(array)[:-1]), "cut short: 59 bytes of 60|says 60 bytes")

    def test_trailing_bytes(self, tmp_path, pack, array):
        refused(tmp_path / "a", pack(idx_bytes(array) + b"x"), "has more than the 60 bytes")

    def test_a_size_that_no_memory_holds(self, tmp_path, pack):
        header = b"\0\0\x0e\3" + b"\xff" * 12 + b"only this"
        refused(tmp_path / "a", pack(header), "says .* more than the file holds")


def test_every_cut_of_a_packed_file_is_refused(tmp_path, array):
    packed = gzip.compress(idx_bytes(array))
    for length in range(len(packed)):
        refused(tmp_path / "a.gz", packed[:length], "cut short|not an idx file")


def test_every_flipped_byte_of_a_packed_file_is_refused_or_harmless(tmp_path, array):
    packed = gzip.compress(idx_bytes(array), mtime=0)
    path = tmp_path / "a.gz"
    for place in range(len(packed)):
        path.write_bytes(packed[:place] + bytes((packed[place] ^ 0x55,)) + packed[place + 1 :])
        try:
            np.testing.assert_array_equal(read_idx(path), array)  # a changed time stamp changes nothing
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017


def test_a_wrong_checksum_in_gzip(tmp_path, array):
    packed = bytearray(gzip.compress(idx_bytes(array)))
    packed[-8] ^= 1
    refused(tmp_path / "a.gz", bytes(packed), "damaged .CRC check failed")


def test_another_content_than_the_known(tmp_path, array):
    path = tmp_path / "a"
    path.write_bytes(idx_bytes(array))
    with pytest.raises(InputError, match=r"a is not the expected file .*0{64}"):
        read_idx(path, sha256="0" * 64)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="cannot read .*nothing: No such file"):
        read_idx(tmp_path / "nothing")
    with pytest.raises(InputError, match="cannot read .*: Is a directory"):
        read_idx(tmp_path)


def test_more_axes_than_an_array_can_have(tmp_path):
    path = tmp_path / "many.idx"
    path.write_bytes(bytes([0, 0, 8, 65]) + b"\0\0\0\1" * 65 + b"\7")
    with pytest.raises(InputError, match=r"many\.idx is damaged: its header says 65 axes"):
        read_idx(path)


def test_an_empty_array_with_more_numbers_than_addresses(tmp_path):
    path = tmp_path / "none.idx"
    path.write_bytes(bytes((0, 0, 0x0E, 3)) + struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1))
    with pytest.raises(InputError, match=r"none\.idx is damaged: no array has the shape \(0, 4294967295, 4294967295\)"):
        read_idx(path)
