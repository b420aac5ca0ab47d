"""Scripts written for PyTorch run unchanged, and what is missing is told."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPTS = Path(__file__).parent / "scripts"


def run(*arguments, check=True):
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "handmade.astorch", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=check, env=environment, timeout=120)


def losses(ran):
    """The first and the last loss that a script prints."""
    return [float(number) for number in re.search(r"loss (\S+) -> (\S+)", ran.stdout).groups()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "arguments", "bar"),
    [
        ("gpt_by_hand.py", ["FOLDER"], 0.8),
        ("sorter.py", [], 0.75),
        ("digits.py", ["--steps", "6"], 0.97),
        ("words.py", ["LSTM"], 0.97),
        ("words.py", ["Transformer"], 0.8),
        ("reverser.py", [], 0.75),
    ],
)
def test_training_in_the_style_of_well_known_scripts(script, arguments, bar, tmp_path):
    ran = run(SCRIPTS / script, *(tmp_path if argument == "FOLDER" else argument for argument in arguments))
    first, last = losses(ran)
    assert last < bar * first
    assert "does not have" not in ran.stderr
    for file in tmp_path.glob("*.pt"):  # PyTorch itself reads the checkpoint
        checkpoint = torch.load(file, weights_only=True)
        assert checkpoint["iter"] == 25
        assert checkpoint["optimizer"]["state"][0]["exp_avg"].shape == checkpoint["model"]["lm_head.weight"].shape


MISSING = """
import torch
from torch import nn
from torch.distributed import init_process_group
from torch.nn.parallel import DistributedDataParallel as DDP
assert not isinstance(nn.Linear(2, 2), DDP)
assert not hasattr(torch.nn, "Conv3d")
for _ in range(2):
    try:
        torch.bincount(torch.tensor([1]))
    except AttributeError as error:
        print(error)
try:
    torch.zeros(2).bernoulli_().geometric_(0.5)
except AttributeError:
    pass
try:
    torch.zeros(2, dtype=torch.float16)
except TypeError as error:
    print(error)
torch.zeros(2).to("cuda") if torch.cuda.is_available() else init_process_group("nccl")
"""


def test_what_is_missing_is_told_at_the_end_with_counts(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(MISSING)
    ran = run(script, check=False)
    assert ran.returncode == 1
    assert "NotImplementedError: torch.distributed.init_process_group is not in handmade: training on" in ran.stderr
    assert "torch.bincount is not in handmade: counts of integers; see numpy.bincount" in ran.stdout
    assert "dtype float16: tensors are float32, float64, int64 or bool" in ran.stdout
    assert re.search(r"2 x torch\.bincount", ran.stderr)
    assert re.search(r"1 x torch\.nn\.Conv3d is not in handmade: for three axes of an image", ran.stderr)
    assert re.search(r"1 x torch\.Tensor\.geometric_", ran.stderr)


@pytest.mark.slow
def test_pytorch_itself_is_not_replaced_once_imported():
    program = "import sys, types; sys.modules['torch'] = types.ModuleType('torch'); import handmade.astorch"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "PyTorch itself is imported already; import handmade.astorch before it" in ran.stderr
    assert run("no_such_script.py", check=False).stderr == "handmade.astorch: there is no script 'no_such_script.py'\n"
