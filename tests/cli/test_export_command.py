"""handmade export: a file appears, or one sentence says why not."""

import sys

import numpy as np
import pytest

from handmade import models, weights
from handmade.recipes import recipe_of
from handmade.tasks import changed
from handmade.train import Trainer, new_run
from handmade.train.display import PlainDisplay


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a small character GRU that has learned for a step."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "text.txt").write_text("the cat sat on the mat.\n" * 30)
    settings = ["hidden_size=8", "num_layers=1", "batch_size=2", "sequence_length=10", "steps=1"]
    recipe = changed(recipe_of("char-gru"), [f"data=text:{folder / 'text.txt'}", *settings])
    task = recipe.task()
    run = new_run(recipe, task.facts, folder / "char-gru-1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(task), "evaluate", lambda self: {"loss": 0.0})
        patch.setattr(type(task), "draw", lambda self, folder: [])
        Trainer(task, run, PlainDisplay(task)).train()
    return run.folder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_run_as_safetensors(handmade, run, tmp_path):
    ran = handmade("export", run, "--to", "safetensors")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("char-gru-1.safetensors: char-gru, ")
    assert "network.weight_ih_l0" in weights.read(tmp_path / "char-gru-1.safetensors")
    again = handmade("export", run, "--to", "safetensors")
    assert again.code == 2
    assert "char-gru-1.safetensors exists already: give another name with --out, or delete it." in again.err


def test_a_network_with_weights_for_pytorch(handmade, tmp_path):
    import torch

    model = models.lenet5()
    weights.save(tmp_path / "lenet.safetensors", {name: x.array for name, x in model.state_dict().items()})
    ran = handmade("export", "lenet5", "--weights", "lenet.safetensors", "--to", "torch", "--out", "x.pt")
    assert (ran.code, ran.out) == (0, "x.pt: lenet5, 61,706 parameters\n")
    state = torch.load(tmp_path / "x.pt", weights_only=True)
    np.testing.assert_array_equal(state["c1.weight"].numpy(), model.c1.weight.array)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # the exporter's own
def test_a_run_as_onnx(handmade, run, tmp_path):
    import onnxruntime

    ran = handmade("export", run, "--to", "onnx", "--out", "net.onnx")
    assert (ran.code, ran.err) == (0, "")
    (tokens,) = onnxruntime.InferenceSession("net.onnx").get_inputs()
    assert tokens.name == "tokens"
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere", "--to", "torch"], "'nowhere' is neither the folder of a run nor a model of the zoo"),
        (["lenet", "--to", "torch"], "did you mean 'lenet5'?"),
        (["lenet5", "--to", "torch"], "lenet5 is untrained: give a weights file"),
        (["lenet5", "--to", "onnx", "--out", "no/such/x.onnx"], "there is no folder no/such to write x.onnx into"),
        (["lenet5", "--to", "tensorflow"], "'tensorflow' is not one of 'safetensors', 'torch', 'onnx'"),
        (["lenet5"], "say what to write. For example: `handmade export lenet5 --to safetensors`, torch or onnx."),
    ],
)
def test_what_cannot_be_written_is_told(handmade, tmp_path, arguments, told):
    ran = handmade("export", *arguments)
    assert ran.code == 2
    assert told in " ".join(ran.err.split())
    assert not list(tmp_path.iterdir())


def test_without_pytorch(handmade, run, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("handmade.interop.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("handmade.interop.export", None, raising=False)
    monkeypatch.delattr("handmade.interop.export", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    ran = handmade("export", run, "--to", "torch")
    assert ran.code == 2
    assert "pip install 'handmade[torch]'" in " ".join(ran.err.split())
    assert not list(tmp_path.iterdir())
