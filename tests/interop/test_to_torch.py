"""One's own networks and single layers under PyTorch, modes and ties, the way back, and PyTorch's absence."""

import copy
import subprocess
import sys

import numpy as np
import pytest
import torch

import handmade
from handmade import models, nn
from handmade.interop.torch import from_torch, to_torch
from handmade.models.resnet import ZeroPadding
from tests.interop.cards import LEARNERS, example, small, without_dropout
from tests.interop.comparing import TOLERANCE, assert_same, described, twin

# --- one's own networks ----------------------------------------------------------------------------------------------


@pytest.fixture
def learners(tmp_path, monkeypatch):
    """A network that somebody wrote in a file of their own."""
    (tmp_path / "own_network.py").write_text(LEARNERS)
    monkeypatch.syspath_prepend(tmp_path)
    import own_network

    yield own_network
    del sys.modules["own_network"]


def test_a_network_in_a_file_of_ones_own(learners):
    model = learners.Net()
    model.gate.mask = model.gate.mask.double()
    theirs = to_torch(model.double())
    assert described(theirs) == described(model)
    assert type(theirs).__name__ == "Net"
    assert isinstance(theirs.first, torch.nn.Linear)
    assert_same(model, theirs, handmade.randn(2, 5, 6, dtype=handmade.float64))


def test_the_original_is_left_alone(learners):
    model = learners.Net()
    x = handmade.randn(2, 5, 6)
    before = model(x).array
    to_torch(model)(twin(x)).sum().backward()
    assert isinstance(model(x), handmade.Tensor)
    np.testing.assert_array_equal(model(x).array, before)
    assert model.first.weight.grad is None
    assert isinstance(learners.SCALE, handmade.Tensor)


def test_a_function_that_is_written_anew_counts_from_the_next_translation(learners):
    model, x = learners.Net(), handmade.randn(2, 5, 6)
    before = to_torch(model)(twin(x))
    learners.SCALE = handmade.tensor([[1.0, 4.0]])
    assert torch.equal(to_torch(model)(twin(x)), 2 * before)


class Arrays(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 3)

    def forward(self, x):
        return handmade.tensor(np.sort(self.inner(x).array))


def test_what_computes_with_arrays_says_so():
    with pytest.raises(AttributeError, match="array"):
        to_torch(Arrays())(torch.ones(2, 3))
    with pytest.raises(NotImplementedError, match=r"handmade.ops.attention.causal_mask computes with NumPy arrays"):
        to_torch(models.gpt("gpt-cpu", n_layer=1, block_size=8)).transformer.h[0].attn.forward.__globals__[
            "causal_mask"
        ](3, 3)


# --- modes, ties, losses, devices ------------------------------------------------------------------------------------


def test_training_and_evaluation():
    model = models.gpt("gpt-baby", n_layer=1, vocab_size=30, block_size=8).eval()
    theirs = to_torch(model)
    assert not theirs.training
    assert not theirs.transformer.drop.training
    tokens = torch.arange(8)[None]
    assert torch.equal(theirs(tokens)[0], theirs(tokens)[0])
    theirs.train()
    assert not torch.equal(theirs(tokens)[0], theirs(tokens)[0])  # dropout
    logits, loss = theirs(tokens, tokens)
    assert torch.isclose(loss, torch.nn.functional.cross_entropy(logits[0], tokens[0]))


def test_what_is_tied_or_frozen_stays_so():
    model = models.gpt("gpt-cpu", n_layer=1)
    model.transformer.wpe.requires_grad_(False)
    theirs = to_torch(model)
    assert theirs.lm_head.weight is theirs.transformer.wte.weight
    assert not theirs.transformer.wpe.weight.requires_grad
    assert theirs.transformer.wte.weight.requires_grad
    assert len(list(theirs.parameters())) == len(list(model.parameters()))


def test_a_loss_beside_forward():
    model = small("lenet5-paper")
    x, labels = example("lenet5-paper")[0], handmade.tensor([3, 7])
    theirs = to_torch(model)
    ours, other = model.loss(model(x), labels), theirs.loss(theirs(twin(x)), twin(labels))
    assert abs(ours.item() - other.item()) <= TOLERANCE * ours.item()


@pytest.mark.slow
def test_small_classifiers_of_inception():
    model = small("inception_v3")
    assert_same(
        model.AuxLogits.train(), to_torch(model.AuxLogits), handmade.randn(2, 768, 17, 17, dtype=handmade.float64)
    )


class Made(torch.overrides.TorchFunctionMode):
    """Refuses tensors that are made without saying on which device: on a GPU they would meet those that are there."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        creating = {torch.arange, torch.zeros, torch.ones, torch.full, torch.tensor, torch.as_tensor, torch.empty}
        assert function not in creating or "device" in (kwargs or {}), function
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", ["bert", "gpt", "gpt-stage", "char-mlp", "textgenrnn", "transformer"])
def test_nothing_is_made_on_another_device(name):
    theirs, inputs = to_torch(small(name)), [twin(x) for x in example(name)]
    with Made():
        theirs(*inputs)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # PyTorch's own, as it loads its compiler
def test_it_compiles_as_one_graph(learners):
    padding = ZeroPadding(3, 5, 2)
    for model, shape in ((learners.Net(), (2, 5, 6)), (nn.Sequential(padding, nn.Flatten()), (2, 3, 4, 4))):
        theirs, x = to_torch(model), torch.randn(shape)
        compiled = torch.compile(theirs, fullgraph=True, backend="eager")
        assert torch.allclose(compiled(x), theirs(x), atol=1e-6)  # float32
        assert torch.allclose(torch.export.export(theirs, (x,)).module()(x), theirs(x), atol=1e-6)


# --- layers ----------------------------------------------------------------------------------------------------------

RECURRENT = [
    nn.GRU(4, 5, num_layers=2, bidirectional=True, reset_after=False),
    nn.LSTM(4, 5, batch_first=True, bidirectional=True, peepholes=True),
    nn.LSTM(4, 5, num_layers=2, bidirectional=True),
    nn.LSTM(4, 5, proj_size=3),
    nn.RNN(4, 5, nonlinearity="relu", bias=False),
]


class WithLengths(nn.Module):
    def __init__(self, layer, lengths):
        super().__init__()
        self.layer, self.lengths = layer, lengths

    def forward(self, x):
        return self.layer(x, None, self.lengths)


@pytest.mark.parametrize("lengths", [None, [6, 2, 4]])
@pytest.mark.parametrize("layer", RECURRENT, ids=repr)
def test_recurrent_layers(layer, lengths):
    layer = layer.double()
    layer.zero_grad()
    x = handmade.randn(*((3, 6, 4) if layer.batch_first else (6, 3, 4)), dtype=handmade.float64)
    model = WithLengths(layer, lengths)
    assert_same(model, to_torch(model), x)


OTHERS = [
    (nn.Sequential(nn.Linear(4, 6), nn.PReLU(6), nn.Dropout(0.0), nn.RMSNorm(6), nn.Tanh()), (3, 4)),
    (nn.GroupedQueryAttention(8, 4, 2, rotary=nn.RotaryEmbedding(2)), (2, 5, 8)),
    (nn.MultiheadAttention(8, 2, add_bias_kv=True, add_zero_attn=True, batch_first=True), (2, 5, 8)),
    (nn.Sequential(nn.ConvTranspose2d(3, 4, 3, stride=2), nn.GroupNorm(2, 4), nn.Upsample((9, 8))), (2, 3, 5, 4)),
    (nn.Sequential(nn.Conv1d(3, 4, 3, padding="same"), nn.InstanceNorm1d(4, affine=True), nn.GELU("tanh")), (2, 3, 9)),
    (nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.ELU(0.3), nn.Flatten()), (2, 3, 5, 4)),
    (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu"), 2, nn.LayerNorm(8)), (5, 2, 8)),
    (nn.Sequential(nn.LearnedPositions(9, 8), nn.SwiGLU(8, 12), nn.Softmax(-1), nn.Unflatten(2, (4, 2))), (2, 5, 8)),
    (nn.LSTMCell(4, 5, peepholes=True), (3, 4)),
    (nn.GRUCell(4, 5, reset_after=False), (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "shape"), OTHERS, ids=[type(layer).__name__ for layer, _ in OTHERS])
def test_other_layers(layer, shape):
    layer = without_dropout(layer.double())
    layer.zero_grad()
    x = handmade.randn(*shape, dtype=handmade.float64)
    inputs = (x, x, x) if isinstance(layer, nn.MultiheadAttention) else (x,)
    assert_same(layer, to_torch(layer), *inputs)


class Contained(nn.Module):
    def __init__(self):
        super().__init__()
        self.scales = nn.ParameterList([handmade.ones(1) * 2, handmade.ones(1) * 3])
        self.named = nn.ParameterDict({"shift": handmade.ones(1)})
        self.parts = nn.ModuleDict({"up": nn.Linear(3, 5), "down": nn.Linear(5, 3)})

    def forward(self, x):
        for part in self.parts.values():
            x = part(x)
        for scale in self.scales:
            x = x * scale
        return x + self.named["shift"]


def test_containers():
    model = Contained().double()
    theirs = to_torch(model)
    assert described(theirs) == described(model)
    assert_same(model, theirs, handmade.randn(2, 3, dtype=handmade.float64))


# --- back ------------------------------------------------------------------------------------------------------------


def test_weights_come_back():
    model = models.lenet5()
    theirs = torch.nn.DataParallel(copy.deepcopy(to_torch(model)).bfloat16())
    with torch.no_grad():
        theirs.module.f6.weight += 1.0
    before = model.f6.weight.array.copy()
    assert from_torch(theirs, model) is model
    np.testing.assert_allclose(model.f6.weight.array, before + 1.0, atol=2**-7)  # bfloat16 has 8 binary digits
    assert model.f6.weight.dtype == handmade.float32


def test_running_statistics_come_back():
    model = small("resnet20")
    theirs = to_torch(model)
    theirs(twin(example("resnet20")[0]))
    from_torch(theirs, model)
    np.testing.assert_array_equal(model.bn1.running_mean.array, theirs.bn1.running_mean.numpy())
    assert model.bn1.num_batches_tracked.item() == 1


def test_a_network_that_does_not_fit_is_told_and_nothing_is_copied():
    model = models.lenet5()
    before = model.f6.weight.array.copy()
    with pytest.raises(RuntimeError, match=r"misshapen: out.weight: given \(7, 84\), expected \(10, 84\)"):
        from_torch(to_torch(models.lenet5(num_classes=7)), model)
    theirs = to_torch(models.lenet5())
    theirs.more, theirs.f6.bias = torch.nn.Linear(1, 1), None
    with pytest.raises(RuntimeError, match=r"(?s)missing: f6.bias \(84,\).*unexpected: more.weight \(1, 1\)"):
        from_torch(theirs, model)
    np.testing.assert_array_equal(model.f6.weight.array, before)
    with pytest.raises(TypeError, match="module is a LeNet5"):
        from_torch(model, model)
    with pytest.raises(TypeError, match="model is a Linear; expected a handmade.nn.Module"):
        to_torch(torch.nn.Linear(2, 2))


# --- without PyTorch -------------------------------------------------------------------------------------------------

HALTED = "this needs PyTorch (import of torch halted; None in sys.modules). Install it: pip install 'handmade[torch]'"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("absent", "told"),
    [("sys.modules['torch'] = None", HALTED), ("import handmade.astorch", "`import torch` means handmade")],
)
def test_without_pytorch(absent, told):
    program = f"import sys; {absent}\nimport handmade.interop.torch"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert told in ran.stderr.splitlines()[-1]


@pytest.mark.slow
def test_handmade_alone_loads_no_pytorch():
    program = (
        "import handmade, handmade.interop, handmade.cli.export, sys; handmade.models; print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "False\n"
