"""Kernels become machine code that is kept on disk, found again, and never trusted where it is damaged."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from handmade.kernels.compiled import build, machine, store
from handmade.kernels.compiled.build import Bytes, Floats, Ints, KernelFailed, inline, kernel
from handmade.kernels.compiled.team import Team
from tests.support.compiled_forms import using

pytest.importorskip("numba")

LENGTH = 100


@inline
def twice(number):
    return number + number


def make_kernel():
    @kernel
    def scale(piece: int, scratch: Floats, x: Floats, flags: Bytes, order: Ints, y: Floats, n: int, by: float) -> None:
        for i in range(piece * LENGTH, min(n, (piece + 1) * LENGTH)):
            scratch[0] = x[order[i]] * by
            y[i] = twice(scratch[0]) if flags[i] else x[order[i]]

    return scale


def check(scale, rng, count=1050):
    x, flags, order = rng.normal(size=count).astype("f4"), rng.random(count) < 0.5, rng.permutation(count)
    y = np.empty_like(x)
    scale(-(-count // LENGTH), x, flags, order, y, count, 0.75, scratch=1)
    np.testing.assert_array_equal(y, np.where(flags, x[order] * np.float32(1.5), x[order]))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "folder", lambda: tmp_path / "kernels")
    store._say_once.cache_clear()
    return tmp_path / "kernels"


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 4])
def test_arrays_numbers_scratch_and_helpers(count, rng, folder):
    with using("compiled", count):
        check(make_kernel(), rng)


def test_helpers_are_woken_only_for_work_that_repays_it(rng, folder, monkeypatch):
    woken = []
    run = Team.run
    monkeypatch.setattr(Team, "run", lambda self, *given: woken.append(given[-1]) or run(self, *given))
    scale = make_kernel()
    with using("auto", 2):
        check(scale, rng)
        monkeypatch.setattr(build, "WAKING", 0.0)
        check(scale, rng)
    assert woken == [False, True]


def test_the_second_time_it_is_found_on_disk(rng, folder, monkeypatch):
    check(make_kernel(), rng)
    assert [path.name for path in folder.iterdir()] == ["test_compiling.scale.o"]
    monkeypatch.setattr("handmade.kernels.compiled.build.object_code", lambda kernel: pytest.fail("compiled anew"))
    check(make_kernel(), rng)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cut off", "changed", "empty"])
def test_a_damaged_file_is_rebuilt(how, rng, folder):
    check(make_kernel(), rng)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    assert store.read("test_compiling.scale") is not None
    damaged = {"cut off": whole[:-9], "changed": whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], "empty": b""}
    path.write_bytes(damaged[how])
    assert store.read("test_compiling.scale") is None
    check(make_kernel(), rng)
    assert store.read("test_compiling.scale") is not None


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_said_once(rng, folder, capsys):
    folder.write_text("a file is in the way")
    check(make_kernel(), rng)
    check(make_kernel(), rng)
    assert capsys.readouterr().err.count("compiled kernels cannot be kept") == 1


def test_arrays_that_do_not_fit_are_refused(rng, folder):
    scale = make_kernel()
    x = np.zeros(10, "f4")
    for wrong in (x.astype("f8"), np.zeros(20, "f4")[::2]):
        with pytest.raises(TypeError, match="scale"):
            scale(1, wrong, x > 0, np.arange(10), x, 10, 1.0, scratch=1)


def test_what_cannot_be_compiled_names_the_kernel(folder):
    @kernel
    def impossible(piece: int, x: Floats) -> None:
        x[0] = open("file")  # noqa: SIM115

    for _ in range(2):
        with pytest.raises(KernelFailed, match=r"test_compiling.impossible: TypingError"):
            impossible(1, np.zeros(1, "f4"))


@pytest.mark.slow
def test_code_that_needs_a_library_is_refused(folder):
    @kernel
    def allocates(piece: int, x: Floats) -> None:
        x[0] = np.zeros(int(x[1]))[3]

    with pytest.raises(KernelFailed, match="is not part of it"):
        allocates(1, np.zeros(2, "f4"))


def test_the_folder_depends_on_the_machine(monkeypatch):
    first = store.folder.__wrapped__()
    monkeypatch.setattr(machine, "identity", lambda: "another processor")
    assert store.folder.__wrapped__() != first


def test_importing_handmade_loads_neither_numba_nor_llvmlite():
    code = "import sys, handmade, handmade.nn; print([m for m in ('numba', 'llvmlite') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
