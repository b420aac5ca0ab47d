"""`handmade` loads its names when they are first asked for, and nothing before."""

import re
import subprocess
import sys

import pytest
import torch

import handmade
from handmade import namespace


def in_a_new_process(program: str) -> str:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def test_import_handmade_loads_no_numpy_before_a_name_is_asked_for():
    asked = (
        "import sys, handmade; before = 'numpy' in sys.modules; handmade.Tensor; print(before, 'numpy' in sys.modules)"
    )
    assert in_a_new_process(asked) == "False True"


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [
        "import handmade; print(handmade.tensor(1.0).item())",  # a function where a module once was
        "from handmade import tensor; print(tensor(1.0).item())",
        "from handmade import *; print(tensor(1.0).item())",
        "from handmade import nn; import handmade; print(handmade.tensor(1.0).item())",
        "import handmade.engine.random, handmade; print(handmade.tensor(1.0).item())",
        "import handmade.text; print(handmade.tensor(1.0).item())",
        "import handmade.nn; print(handmade.tensor(1.0).item())",
    ],
)
def test_names_are_had_in_every_way(program):
    assert in_a_new_process(program) == "1.0"


def test_threads_may_ask_for_the_first_name_at_once():
    program = """
import handmade
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    print(len(set(pool.map(lambda n: handmade.tensor, range(8)))))
"""
    assert in_a_new_process(program) == "1"


def test_all_names_are_there_and_shown():
    names = [name for name in vars(namespace) if not name.startswith("_")]
    assert {"Tensor", "tensor", "exp", "manual_seed"} <= set(names)
    for name in names:
        assert getattr(handmade, name) is getattr(namespace, name)
    assert {*names, "nn", "optim", "__version__"} <= set(dir(handmade))


def test_objects_are_saved_and_loaded_as_pytorch_does(tmp_path):
    handmade.save({"epoch": 3, "weight": handmade.tensor([1.0, 2.0])}, tmp_path / "checkpoint.pt")
    there = torch.load(tmp_path / "checkpoint.pt")
    assert (there["epoch"], there["weight"].tolist()) == (3, [1.0, 2.0])
    assert handmade.load(tmp_path / "checkpoint.pt")["weight"].tolist() == [1.0, 2.0]
    assert {"open", "save", "load"} <= set(dir(handmade))


def test_limits_of_numbers():
    assert handmade.finfo(handmade.float32).eps == torch.finfo(torch.float32).eps
    assert handmade.iinfo(handmade.int64).max == torch.iinfo(torch.int64).max


def test_every_name_of_pytorchs_that_is_missing_is_explained():
    """What it does, and the nearest thing here."""
    import inspect

    import torch

    from handmade import nn, optim
    from handmade.absent import explanation

    internal = re.compile("has_torch|handle_torch|assert_int|boolean_|Uninit|scaled_|.*_with_indices|conv_tbc|native_")
    rooms = [(torch.nn, nn, inspect.isclass), (torch.optim, optim, inspect.isclass)]
    rooms.append((torch.nn.functional, nn.functional, lambda f: inspect.isroutine(f) and f.__module__ != "typing"))
    for theirs, ours, counts in rooms:
        wanted = [name for name, value in vars(theirs).items() if name[0] != "_" and counts(value)]
        missing = [name for name in wanted if not hasattr(ours, name) and not internal.match(name)]
        assert len(wanted) > 12
        assert [name for name in missing if explanation(f"{theirs.__name__}.{name}") is None] == []
    with pytest.raises(AttributeError, match="nn.Bilinear is not in handmade: x1 W x2 for each output"):
        nn.Bilinear  # noqa: B018
    with pytest.raises(AttributeError, match="acosh is not in handmade: the inverse of a function that is here"):
        handmade.acosh  # noqa: B018
    assert explanation("torch.no_such_name") is None
