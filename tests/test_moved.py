"""Old names of modules: who imports one is told where its contents are; none stands in the way of a function."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import handmade
from handmade import lens, optim, tasks, train
from handmade.moved import MOVED, MOVED_METHODS


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


@pytest.mark.parametrize("name", MOVED_METHODS)
def test_an_old_method_says_in_one_line_what_to_use(name):
    kind, method = name.split(".")
    (of,) = {getattr(room, kind) for room in (train, tasks, optim.lr_scheduler) if hasattr(room, kind)}
    instance = of.__new__(of)
    with pytest.raises(AttributeError, match=f"^{kind}.{method} has moved: use {re.escape(MOVED_METHODS[name])}$"):
        getattr(instance, method)
    assert not hasattr(instance, method)
    with pytest.raises(AttributeError, match=f"^'{kind}' object has no attribute 'wrote'$"):
        instance.wrote  # noqa: B018


def test_what_tasks_have_given_up_their_objects_in_use_have():
    used = {"ImageClassification": "Classifier", "LanguageModelling": "Writer", "MaskedLanguageModelling": "Filler"}
    used |= {"SpeechClassification": "Listener", "TriggerDetection": "TriggerListener", "TranslationTask": "Translator"}
    moved = [name for name, now in MOVED_METHODS.items() if now.startswith("task.use.")]
    assert len(moved) >= 10
    for name in moved:
        kind, method = name.split(".")
        assert MOVED_METHODS[name] == f"task.use.{method}"
        assert hasattr(getattr(tasks, used[kind]), method)


FORMER = Path(__file__).parent / "fixtures/former_names.txt"
"""The package before it was rearranged: a line for each module, its public names, the public methods of its classes."""

SETTINGS = {"LanguageRecipe.optimizer", "LanguageRecipe.schedule"}
"""Methods that are settings of the recipe now, under the same names: instances have them."""


@pytest.mark.slow
def test_every_public_name_of_before_works_or_says_where_it_went():
    lost = []
    lines = [line.split() for line in FORMER.read_text().splitlines()]
    for module, *names in lines:
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            assert "has moved: import its names from" in str(error), module  # noqa: PT017
            continue
        lost += [f"{module}.{name}" for name in names if name not in SETTINGS and not works_or_is_told(found, name)]
    assert (len(lines), sum(map(len, lines)), lost) == (271, 2289, [])


def works_or_is_told(module, name):
    *owner, last = name.split(".")
    of = getattr(module, owner[0]) if owner else module
    if hasattr(of, last):
        return True
    if owner:
        return any(f"{kind.__name__}.{last}" in MOVED_METHODS for kind in of.__mro__)
    with pytest.raises(AttributeError, match="has moved: use"):
        getattr(of, last)
    return True


def test_an_attribute_that_fails_within_says_its_own_error():
    class Broken(tasks.TriggerDetection):
        @property
        def steps_per_epoch(self):
            return self.model.nothing_of_the_kind

    broken = Broken.__new__(Broken)
    broken.model = None
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'nothing_of_the_kind'"):
        broken.steps_per_epoch  # noqa: B018
