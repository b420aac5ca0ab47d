"""HDF5 files of weights, as Keras writes them; and those that are refused."""

import contextlib
import re
import subprocess
import sys
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from handmade import weights
from handmade.errors import InputError
from handmade.weights import hdf5_file


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.h5"


@pytest.mark.slow
def test_arrays_by_their_path(path, rng):
    numbers = rng.normal(size=(3, 5)).astype("float32")
    with h5py.File(path, "w") as file:
        file["dense/dense/kernel:0"] = numbers
        file["dense/dense/bias:0"] = numbers[0].astype("float16")
        file["steps"] = np.int64(7)
        file.create_dataset("packed", data=numbers, compression="gzip")
        file.create_dataset("big_endian", data=numbers.astype(">f8"))
        file["empty"] = np.zeros((0, 2))
    found = weights.read(path)
    assert set(found) == {"dense/dense/kernel:0", "dense/dense/bias:0", "steps", "packed", "big_endian", "empty"}
    np.testing.assert_array_equal(found["dense/dense/kernel:0"], numbers)
    np.testing.assert_array_equal(found["packed"], numbers)
    np.testing.assert_array_equal(found["big_endian"], numbers.astype("float64"))
    assert found["big_endian"].dtype == np.float64
    assert found["big_endian"].dtype.isnative
    assert found["dense/dense/bias:0"].dtype == np.float32
    assert found["steps"] == 7
    assert found["empty"].shape == (0, 2)


@pytest.mark.slow
def test_links_to_other_files_are_not_followed(path, tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["secret"] = np.ones(3)
    with h5py.File(path, "w") as file:
        file["own"] = np.zeros(2)
        file["link"] = h5py.ExternalLink("secret.h5", "/secret")
    assert set(weights.read(path)) == {"own"}


@pytest.mark.slow
def test_numbers_in_another_file_are_refused(path, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(16))
    with h5py.File(path, "w") as file:
        file.create_dataset("outside", (2,), "f8", external=[(str(tmp_path / "secret"), 0, 16)])
    with pytest.raises(InputError, match=r"model\.h5: outside lies in another file; expected all numbers in this"):
        weights.read(path)


@pytest.mark.slow
def test_other_than_numbers_is_refused(path):
    with h5py.File(path, "w") as file:
        file["words"] = ["a", "b"]
    with pytest.raises(InputError, match=r"model\.h5: words is of type object; expected one of float64"):
        weights.read(path)


@pytest.mark.slow
def test_a_bomb_is_refused(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("zeros", (2**40,), "f4", chunks=(2**20,), compression="gzip")
    with pytest.raises(InputError, match="would unpack from .* to 4,398,046,511,104 bytes: refused as a possible bomb"):
        weights.read(path)


READER = """
import os, sys
from handmade.weights import hdf5_file
import h5py, numpy.lib.npyio
for line in sys.stdin:
    path, source, size = eval(line)
    child = os.fork()
    if child == 0:
        for descriptor, name in ((0, path), (1, path + ".out"), (2, path + ".err")):
            os.dup2(os.open(name, os.O_RDWR | (os.O_CREAT | os.O_TRUNC if descriptor else 0)), descriptor)
        sys.stdin, code = open(0), 0
        try:
            hdf5_file.main(source, int(size))
        except SystemExit as end:
            code = end.code
        except BaseException:
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture
def warm_reader(path, monkeypatch):
    """Reading processes as the library starts them, but forked from one that has loaded h5py: 100 of them in a second.

    Gives the exit codes so far.
    """
    codes = []
    with subprocess.Popen([sys.executable, "-c", READER], stdin=-1, stdout=-1, text=True) as reader:

        def run(command, stdin, **_):
            python, option, program, source, size, *_ = command
            assert (python, option, program) == (sys.executable, "-c", hdf5_file.PROGRAM)
            assert stdin.read() == path.read_bytes()
            reader.stdin.write(f"{(str(path), source, size)}\n")
            reader.stdin.flush()
            codes.append(int(reader.stdout.readline()))
            out, err = (path.with_name(path.name + end).read_bytes() for end in (".out", ".err"))
            return subprocess.CompletedProcess(command, codes[-1], out, err)

        monkeypatch.setattr(hdf5_file, "subprocess", SimpleNamespace(run=run, TimeoutExpired=subprocess.TimeoutExpired))
        yield codes


@pytest.mark.slow
def test_any_damage_gives_arrays_or_an_input_error(path, rng, warm_reader):
    with h5py.File(path, "w") as file:
        file["kernel"] = rng.normal(size=(20, 20))
    whole = path.read_bytes()
    assert weights.read(path)["kernel"].shape == (20, 20)
    for number in range(100):
        content = bytearray(whole if number % 2 else whole[: rng.integers(8, len(whole) + 1)])
        for at in rng.integers(8, len(content) + 1, 3):
            content[at - 1] = rng.integers(256)
        path.write_bytes(content)
        with contextlib.suppress(InputError):
            weights.read(path)
    assert {0, hdf5_file.REFUSED} <= set(warm_reader)
    assert len(warm_reader) == 101


@pytest.mark.slow
def test_a_file_that_is_cut_short(path):
    with h5py.File(path, "w") as file:
        file["kernel"] = np.ones((50, 50))
    for content in (path.read_bytes()[:5000], b"\x89HDF\r\n\x1a\n" + bytes(50)):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"model\.h5 is a damaged HDF5 file: "):
            weights.read(path)


def test_without_h5py(path, monkeypatch):
    with h5py.File(path, "w") as file:
        file["kernel"] = np.ones(2)
    monkeypatch.setitem(sys.modules, "h5py", None)
    message = f"{path} is an HDF5 file, which h5py reads: pip install 'handmade[hdf5]'"
    with pytest.raises(InputError, match=re.escape(message)):
        weights.read(path)
