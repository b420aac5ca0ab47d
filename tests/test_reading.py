"""Files that came from elsewhere: pipes, devices, too much, nested too deeply."""

import json
import os
import sys
import tracemalloc

import pytest

from handmade.data import read_image, read_text, read_wav
from handmade.data.idx import read_idx
from handmade.errors import InputError
from handmade.reading import DEEPEST_JSON, parse_json, read_bytes, read_json
from handmade.text import load_tokenizer
from handmade.weights import read

READERS = [read_image, read_text, read_wav, read_idx, load_tokenizer, read, read_json]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes among its files")
@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_in_place_of_a_file_is_refused_at_once(reader, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe is no file but a device or a pipe"):
        reader(tmp_path / "pipe")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="the system has no such device")
@pytest.mark.parametrize("reader", READERS)
def test_a_device_without_end_is_refused(reader):
    with pytest.raises(InputError, match="no file but a device"):
        reader("/dev/zero")


def test_a_folder_is_the_systems_error(tmp_path):
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path)


def test_no_more_is_read_than_asked_for(tmp_path):
    (tmp_path / "large").write_bytes(bytes(11))
    assert read_bytes(tmp_path / "large", 11) == bytes(11)
    with pytest.raises(InputError, match="large has 11 bytes, expected at most 10"):
        read_bytes(tmp_path / "large", 10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a": 1,\n "b": }', r"some\.json is not JSON: line 2, column 7"),
        (b"\xff\xfe", r"some\.json is not UTF-8: byte 0 is 0xFF"),
        (b"[" * 100_000, r"some\.json is nested more than 100 levels"),
        (b"[" * 101 + b"]" * 101, r"some\.json is nested more than 100 levels"),
        (b'{"a":' * 50_000, r"some\.json is nested more than 100 levels"),
        (b"9" * 5_000, r"some\.json is not JSON that can be used"),
    ],
)
def test_json_that_is_none(text, message):
    with pytest.raises(InputError, match=message):
        parse_json(text, "some.json")


def test_json_as_deep_as_allowed():
    nested: list = []
    for _ in range(DEEPEST_JSON - 2):
        nested = [nested]
    assert parse_json(json.dumps({"a": nested}), "some.json") == {"a": nested}


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": []},
        {"kind": {}},
        {"kind": "bpe", "tokens": "abc", "special": [], "unk": None, "merges": "x"},
        {"kind": "bpe", "tokens": ["a"], "special": [], "unk": None, "merges": "x"},
        {"kind": "bpe", "tokens": ["a"], "special": [], "unk": None, "merges": [1]},
        {"kind": "characters", "tokens": [1], "special": [], "unk": None},
        {"kind": "characters", "tokens": ["a"], "special": 3, "unk": None},
        {"kind": "characters", "tokens": ["a"], "special": [], "unk": []},
    ],
)
def test_tokenizer_files_of_wrong_kinds(fields, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(fields))
    with pytest.raises(InputError, match=r"tokenizer\.json"):
        load_tokenizer(path)


def test_no_more_memory_is_taken_than_the_file_needs(tmp_path):
    path = tmp_path / "small"
    path.write_bytes(b"small")
    tracemalloc.start()
    try:
        assert read_bytes(path) == b"small"
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
