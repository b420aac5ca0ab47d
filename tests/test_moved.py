"""Old names of modules: who imports one is told where its contents are; none stands in the way of a function."""

import importlib
import inspect
import subprocess
import sys

import pytest

import handmade
from handmade import lens
from handmade.moved import MOVED


@pytest.mark.parametrize("name", MOVED)
def test_an_old_module_says_in_one_line_where_it_went(name):
    with pytest.raises(ModuleNotFoundError, match=f"^{name} has moved: import its names from {MOVED[name]}$"):
        importlib.import_module(name)
    assert importlib.import_module(MOVED[name])


@pytest.mark.parametrize("statement", ["from handmade.tensor import Tensor, apply", "import handmade.gradcheck"])
def test_so_does_a_program_of_before(statement):
    ran = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True, check=False)
    assert ran.stderr.splitlines()[-1].endswith("has moved: import its names from handmade.engine")


def test_an_old_module_as_an_attribute():
    with pytest.raises(AttributeError, match="handmade.tape has moved: import its names from handmade.engine$"):
        handmade.tape  # noqa: B018


def test_other_names_are_missed_as_always():
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'handmade\.tape_recorder'"):
        importlib.import_module("handmade.tape_recorder")
    with pytest.raises(AttributeError, match="module 'handmade' has no attribute 'tape_recorder'"):
        handmade.tape_recorder  # noqa: B018


def test_functions_are_no_modules():
    for package, names in ((handmade, ("tensor", "gradcheck")), (lens, ("logit_lens", "attention_maps", "grad_cam"))):
        for name in names:
            assert inspect.isfunction(getattr(package, name))
            assert f"{package.__name__}.{name}" not in sys.modules
    assert handmade.random.generator() is handmade.engine.random.generator()
