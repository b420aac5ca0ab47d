"""Files that other programs load: onnxruntime, PyTorch, transformers, and what has torchvision's names."""

import json

import numpy as np
import onnxruntime
import pytest
import torch

import handmade
from handmade import models, nn, weights
from handmade.errors import InputError
from handmade.interop import export
from handmade.interop.torch import to_torch


def run_onnx(path, *arrays) -> np.ndarray:
    session = onnxruntime.InferenceSession(path)
    given = {wanted.name: array for wanted, array in zip(session.get_inputs(), arrays, strict=True)}
    return np.asarray(session.run(None, given)[0])


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the exporter's own, which the function keeps to itself at run time
def test_onnx_computes_the_same_for_other_sizes(tmp_path, rng, capfd):
    lenet = models.lenet5()
    export.save_onnx(lenet, [handmade.zeros(2, 1, 32, 32)], tmp_path / "lenet.onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["lenet.onnx"]
    images = rng.standard_normal((3, 1, 32, 32)).astype(np.float32)
    with handmade.no_grad():
        expected = lenet(handmade.tensor(images)).array
    np.testing.assert_allclose(run_onnx(tmp_path / "lenet.onnx", images), expected, atol=1e-5)  # float32

    gpt = models.gpt("gpt-cpu", n_layer=1).eval()
    export.save_onnx(gpt, [handmade.zeros(2, 64, dtype=handmade.int64)], tmp_path / "gpt.onnx")
    tokens = rng.integers(0, 65, (3, 20))
    with handmade.no_grad():
        expected = gpt(handmade.tensor(tokens))[0].array
    np.testing.assert_allclose(run_onnx(tmp_path / "gpt.onnx", tokens), expected, atol=1e-5)
    assert capfd.readouterr().out == ""


class Sorted(nn.Module):
    def forward(self, x):
        return handmade.tensor(np.sort(x.array))


class Erfinv(nn.Module):
    def forward(self, x):
        return x.erfinv()  # PyTorch's tensors have it, ONNX has not


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (
            nn.Sequential(nn.Linear(3, 3), Sorted()),
            r"exported: 1 \(Sorted, line \d+ of test_export.py",
        ),
        pytest.param(
            nn.Sequential(nn.Linear(3, 3), Erfinv()),
            r"exported: 1 \(Erfinv, line \d+ of test_export.py\): No ONNX function",
            marks=pytest.mark.slow,
        ),
        (models.spoken_digits(), r"network \(GRU, line \d+ of recurrent.py\): sequences of several lengths are packed"),
    ],
)
@pytest.mark.filterwarnings("default")
def test_a_layer_that_onnx_has_not_is_named(model, told, tmp_path):
    speech = (handmade.zeros(2, 9, 40), np.array([9, 5]))
    example = speech if isinstance(model, type(models.spoken_digits())) else [handmade.zeros(2, 3)]
    with pytest.raises(InputError, match=told) as raised:
        export.save_onnx(model, example, tmp_path / "x.onnx")
    assert "use operations on tensors" in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_without_onnx(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"need onnx and onnxscript: pip install 'handmade\[onnx\]'"):
        export.save_onnx(models.lenet5(), [handmade.zeros(2, 1, 32, 32)], tmp_path / "x.onnx")


def test_an_interrupted_export_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(state, file):
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export.save_torch(models.lenet5(), tmp_path / "x.pt")
    assert not list(tmp_path.iterdir())


def test_weights_that_pytorch_loads(tmp_path):
    model = models.lenet5()
    export.save_torch(model, tmp_path / "lenet.pt")
    state = torch.load(tmp_path / "lenet.pt", weights_only=True)
    theirs = to_torch(models.lenet5())
    theirs.load_state_dict(state)
    assert torch.equal(theirs.c1.weight, torch.from_numpy(model.c1.weight.array))


@pytest.mark.slow
def test_torchvisions_names(tmp_path, shared_data):
    path = shared_data.parent / "parity" / "torchvision.json"
    expected = json.loads(path.read_text())["resnet18"]["state_dict"]
    export.save_torch(models.resnet18(), tmp_path / "resnet18.pt")
    state = torch.load(tmp_path / "resnet18.pt", weights_only=True)
    assert {name: list(value.shape) for name, value in state.items()} == expected


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_classes_of_transformers(tmp_path, rng):
    import transformers
    from safetensors.torch import load_file

    from handmade.models.bert import BertConfig, BertForMaskedLM

    def loaded(model, theirs):
        weights.save(tmp_path / "x.safetensors", {name: x.array for name, x in model.eval().state_dict().items()})
        missing, unexpected = theirs.load_state_dict(load_file(tmp_path / "x.safetensors"), strict=False)
        assert not unexpected
        assert all(name.endswith((".attn.bias", "masked_bias", "position_ids")) for name in missing)
        return theirs.eval()

    tokens = rng.integers(1, 50, (2, 7))
    gpt = models.gpt("gpt2", n_layer=2, n_head=2, n_embd=16, vocab_size=50, block_size=8)
    config = transformers.GPT2Config(vocab_size=50, n_positions=8, n_embd=16, n_layer=2, n_head=2)
    theirs = loaded(gpt, transformers.GPT2LMHeadModel(config))
    with handmade.no_grad(), torch.no_grad():
        ours = gpt(handmade.tensor(tokens))[0].array
        np.testing.assert_allclose(theirs(torch.from_numpy(tokens)).logits.numpy(), ours, atol=1e-5)

    sizes = {
        "vocab_size": 50,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 8,
    }
    bert = BertForMaskedLM(BertConfig(**sizes))
    theirs = loaded(bert, transformers.BertForMaskedLM(transformers.BertConfig(**sizes)))
    with handmade.no_grad(), torch.no_grad():
        ours = bert(handmade.tensor(tokens)).array
        np.testing.assert_allclose(theirs(torch.from_numpy(tokens)).logits.numpy(), ours, atol=1e-5)
