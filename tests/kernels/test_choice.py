"""Which form of a kernel runs, and what is said about it."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import handmade
from handmade.kernels import choice
from handmade.kernels.compiled.build import KernelFailed


@pytest.fixture(autouse=True)
def _same_choice_afterwards(monkeypatch):
    monkeypatch.setattr(choice._State, "failed", {})
    asked = choice._asked()
    yield
    monkeypatch.undo()
    choice.use_kernels(asked)


@pytest.fixture
def function(monkeypatch):
    """A kernel that tells which form ran."""

    def plain(x):
        return "plain"

    fast = {"answer": "fast"}

    def form(module, name):
        return lambda x: fast["answer"]

    monkeypatch.setattr(choice, "_fast_form", form)
    return choice.has_compiled_form(plain), fast


def test_the_variable_and_the_type_decide(function):
    f, fast = function
    single, double = np.zeros(3, "f4"), np.zeros(3)
    pytest.importorskip("numba")
    for form in ("auto", "compiled"):
        choice.use_kernels(form)
        assert (f(single), f(double)) == ("fast", "plain")
    choice.use_kernels("numpy")
    assert f(single) == "plain"
    choice.use_kernels("auto")
    fast["answer"] = NotImplemented
    assert f(single) == "plain"


def test_small_work_stays_in_numpy():
    pytest.importorskip("numba")
    choice.use_kernels("auto")
    assert choice.worth(1000, 1000)
    assert not choice.worth(999, 1000)
    choice.use_kernels("compiled")
    assert choice.worth(1, 1000)


def test_wrong_values_name_those_that_exist(monkeypatch):
    monkeypatch.setenv("HANDMADE_KERNELS", "fast")
    monkeypatch.setattr(choice._State, "asked", None)
    with pytest.raises(ValueError, match="HANDMADE_KERNELS is 'fast', expected one of auto, compiled, numpy"):
        choice._asked()
    monkeypatch.setenv("HANDMADE_KERNELS", "NumPy")
    assert handmade.kernels_in_use().form == "numpy"


def test_kernels_in_use_says_what_and_why():
    choice.use_kernels("numpy")
    assert str(handmade.kernels_in_use()).startswith("numpy (HANDMADE_KERNELS=numpy), ")
    pytest.importorskip("numba")
    choice.use_kernels("auto")
    in_use = handmade.kernels_in_use()
    assert in_use.form == "compiled"
    assert in_use.vector_bits in (128, 256, 512)
    assert str(in_use).endswith(f"vectors of {in_use.vector_bits} bits, numba {in_use.numba}")


def test_a_failure_warns_once_and_numpy_does_the_work(monkeypatch):
    import types

    def fast(x):
        raise KernelFailed("room.kernel: TypingError: no way")

    monkeypatch.setattr(choice.importlib, "import_module", lambda name: types.SimpleNamespace(plain=fast))

    def plain(x):
        return "plain"

    f = choice.has_compiled_form(plain)
    choice._fast_form.cache_clear()
    choice.use_kernels("auto")
    with pytest.warns(UserWarning, match="the kernel room.kernel cannot be compiled, NumPy does its work"):
        assert f(np.zeros(1, "f4")) == "plain"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert f(np.zeros(1, "f4")) == "plain"
    assert handmade.kernels_in_use().failed == ("room.kernel",)
    choice._fast_form.cache_clear()


def test_without_numba_everything_works_in_numpy_and_says_so_once(monkeypatch):
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    with pytest.warns(UserWarning, match="numba is not installed: all kernels run in NumPy"):
        choice.use_kernels("auto")
    assert handmade.kernels_in_use().form == "numpy"
    assert "numba is not installed" in handmade.kernels_in_use().why
    with pytest.raises(ValueError, match="'compiled', but numba is not installed"):
        choice.use_kernels("compiled")


def test_a_wrong_variable_stops_a_program_with_its_name():
    code = "import handmade; print(handmade.kernels_in_use())"
    environment = {"HANDMADE_KERNELS": "best", "PATH": ""}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "HANDMADE_KERNELS is 'best', expected one of auto, compiled, numpy" in ran.stderr
