"""Recurrent layers and cells: PyTorch's results, layers equal to loops of cells, lengths, carried state, bad input."""

import re

import numpy as np
import pytest
import torch

import handmade
from handmade import nn, tensor
from handmade.engine.functions import stack
from tests.support.against_torch import assert_close

T, B, I, H = 6, 4, 3, 5
KINDS = ["RNN", "LSTM", "GRU"]


def flat(result):
    """output, h_n and, of an LSTM, c_n."""
    output, state = result
    return [output, *(state if isinstance(state, tuple) else (state,))]


def leaf(rng, *shape, dtype="float64"):
    return handmade.tensor(rng.normal(size=shape).astype(dtype), requires_grad=True)


def initial_state(kind, tensors):
    return tuple(tensors) if kind == "LSTM" else tensors[0]


def pytorchs(kind, layer, x, state, lengths):
    """PyTorch's results from a packed batch, its layer in the same setting as ours."""
    batch_axis = 0 if layer.batch_first else 1
    if lengths is None:
        return flat(layer(x, initial_state(kind, state)))
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        x, torch.tensor(lengths), batch_first=layer.batch_first, enforce_sorted=False
    )
    output, final = layer(packed, initial_state(kind, state))
    output, _ = torch.nn.utils.rnn.pad_packed_sequence(
        output, batch_first=layer.batch_first, total_length=x.shape[1 - batch_axis]
    )
    return flat((output, final))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("lengths", [None, [3, 5, 1, 4]])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RNN", {}),
        ("RNN", {"nonlinearity": "relu", "num_layers": 3, "batch_first": True}),
        ("LSTM", {"num_layers": 2, "bidirectional": True}),
        ("LSTM", {"bias": False, "batch_first": True}),
        ("GRU", {"num_layers": 2, "bidirectional": True, "batch_first": True}),
        ("GRU", {"bias": False, "num_layers": 2}),
    ],
)
def test_results_and_all_gradients_equal_pytorchs(rng, kind, options, lengths, dtype):
    ours = getattr(nn, kind)(I, H, **options).to(np.dtype(dtype))
    theirs = getattr(torch.nn, kind)(I, H, **options).to(getattr(torch, dtype))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    shape = (B, T, I) if ours.batch_first else (T, B, I)
    directions = 2 if ours.bidirectional else 1
    x = leaf(rng, *shape, dtype=dtype)
    state = [leaf(rng, directions * ours.num_layers, B, H, dtype=dtype) for _ in range(2 if kind == "LSTM" else 1)]
    leaves = [torch.tensor(one.numpy().copy(), requires_grad=True) for one in (x, *state)]

    got = flat(ours(x, initial_state(kind, state), lengths))
    expected = pytorchs(kind, theirs, leaves[0], leaves[1:], lengths)
    cotangents = [rng.normal(size=one.shape).astype(dtype) for one in expected]
    sum((one * tensor(g)).sum() for one, g in zip(got, cotangents, strict=True)).backward()
    torch.autograd.backward(expected, [torch.tensor(g) for g in cotangents])

    for what, one, other in zip(["output", "h_n", "c_n"], got, expected, strict=False):
        assert_close(one.numpy(), other.detach().numpy(), what)
    for one, other in zip((x, *state), leaves, strict=True):
        assert_close(one.grad.numpy(), other.grad.numpy(), "gradient of x or a state")
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert_close(one.grad.numpy(), other.grad.numpy(), f"gradient of {name}")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RNN", {}),
        ("RNN", {"nonlinearity": "relu"}),
        ("LSTM", {}),
        ("LSTM", {"peepholes": True}),
        ("LSTM", {"bias": False, "peepholes": True}),
        ("GRU", {}),
        ("GRU", {"reset_after": False}),
        ("GRU", {"reset_after": False, "bias": False}),
    ],
)
def test_a_layer_is_a_loop_of_its_cell(rng, kind, options):
    layer = getattr(nn, kind)(I, H, **options).double()
    cell = getattr(nn, kind + "Cell")(I, H, **options).double()
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x, state = rng.normal(size=(T, B, I)), [rng.normal(size=(1, B, H)) for _ in range(2 if kind == "LSTM" else 1)]
    g, h_g = rng.normal(size=(T, B, H)), rng.normal(size=(B, H))
    results = []
    for form in (layer, cell):
        inputs = [tensor(one, requires_grad=True) for one in (x, *state)]
        if form is layer:
            output, final, *_ = flat(layer(inputs[0], initial_state(kind, inputs[1:])))
        else:
            carried, outputs = initial_state(kind, [one[0] for one in inputs[1:]]), []
            for t in range(T):
                carried = cell(inputs[0][t], carried)
                outputs.append(carried[0] if kind == "LSTM" else carried)
            output, final = stack(outputs), outputs[-1].unsqueeze(0)
        ((output * tensor(g)).sum() + (final[0] * tensor(h_g)).sum()).backward()
        gradients = [one.grad for one in (*inputs, *form.parameters())]
        results.append([output, final, *gradients])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_cells_equal_pytorchs(rng, kind):
    ours, theirs = getattr(nn, kind + "Cell")(I, H), getattr(torch.nn, kind + "Cell")(I, H)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    x = rng.normal(size=(B, I)).astype("float32")
    got, expected = ours(tensor(x)), theirs(torch.tensor(x))
    got, expected = (got, expected) if kind == "LSTM" else ((got,), (expected,))
    for one, other in zip(got, expected, strict=True):
        assert_close(one.numpy(), other.detach().numpy(), "state")


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_carries_over(rng, kind):
    """Two halves, the second from the state of the first, are the whole; no state is zero state."""
    layer = getattr(nn, kind)(I, H, num_layers=2)
    x = tensor(rng.normal(size=(T, B, I)).astype("float32"))
    whole, *final = flat(layer(x))
    first, state = layer(x[:2])
    second, *final_of_second = flat(layer(x[2:], state))
    np.testing.assert_allclose(np.concatenate([first, second]), whole, atol=1e-6)
    for one, other in zip(final, final_of_second, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    zero = [handmade.zeros(2, B, H)] * len(final)
    np.testing.assert_array_equal(layer(x, initial_state(kind, zero))[0], whole)


def test_what_stands_in_the_padding_changes_nothing(rng):
    layer, lengths = nn.LSTM(I, H, num_layers=2, bidirectional=True, batch_first=True), [2, 6, 4, 1]
    x = rng.normal(size=(B, T, I)).astype("float32")
    padding = np.arange(T) >= np.array(lengths)[:, None]
    results = []
    for filling in (0.0, np.nan):
        x[padding] = filling
        given = tensor(x, requires_grad=True)
        layer.zero_grad()
        output, (h, c) = layer(given, lengths=tensor(lengths))
        ((output * output).sum() + h.sum() + (c * c).sum()).backward()
        assert not output.numpy()[padding].any()
        assert not given.grad.numpy()[padding].any()
        results.append([output, h, c, given.grad, *(p.grad for p in layer.parameters())])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_dropout_acts_in_training_between_layers_only(rng):
    x = tensor(rng.normal(size=(T, B, I)).astype("float32"))
    layer = nn.GRU(I, H, num_layers=2, dropout=1.0)
    in_training, final = layer(x)
    upper = nn.GRU(H, H)
    upper.load_state_dict({n.replace("_l1", "_l0"): v for n, v in layer.state_dict().items() if "_l1" in n})
    np.testing.assert_array_equal(in_training, upper(handmade.zeros(T, B, H))[0])
    plain = nn.GRU(I, H, num_layers=2)
    plain.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(final[0], plain(x)[1][0])  # the lower layer saw x as it is
    np.testing.assert_array_equal(layer.eval()(x)[0], plain(x)[0])


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"])
def test_parameters_start_uniform_in_one_over_root_h(name):
    made = getattr(nn, name)(40, 25)
    for parameter in made.parameters():
        assert np.abs(parameter.numpy()).max() == pytest.approx(0.2, abs=0.03)
        assert np.abs(parameter.numpy()).max() <= 0.2
        assert parameter.numpy().std() == pytest.approx(0.2 / np.sqrt(3), rel=0.2)


def test_repr():
    layer = nn.LSTM(3, 5, 2, batch_first=True, dropout=0.5, bidirectional=True)
    assert repr(layer) == repr(torch.nn.LSTM(3, 5, 2, batch_first=True, dropout=0.5, bidirectional=True))
    assert repr(nn.GRUCell(3, 5)) == "GRUCell(3, 5)"


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("RNN", {"nonlinearity": "gelu"}, "nonlinearity must be 'tanh' or 'relu', got 'gelu'"),
        ("RNNCell", {"nonlinearity": "gelu"}, "nonlinearity must be 'tanh' or 'relu', got 'gelu'"),
        ("LSTM", {"num_layers": 0}, "LSTM: num_layers must be at least 1, got 0"),
        ("GRU", {"num_layers": 2, "dropout": 1.5}, "GRU: dropout must be a probability from 0 to 1, got 1.5"),
    ],
)
def test_arguments_that_cannot_be(kind, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        getattr(nn, kind)(I, H, **options)


def test_dropout_with_one_layer_is_a_warning():
    with pytest.warns(UserWarning, match="GRU: dropout=0.5 acts between layers, but num_layers=1"):
        nn.GRU(I, H, dropout=0.5)


@pytest.mark.parametrize(
    ("batch_first", "shape", "message"),
    [
        (False, (T, B, I + 1), "GRU: x must be (T, B, I) with I = 3, got (6, 4, 4)"),
        (True, (B, T, I + 1), "GRU: x must be (B, T, I) with I = 3, got (4, 6, 4)"),
        (False, (I,), "x must be (T, B, I) with I = 3, got (3,)"),
        (True, (I,), "x must be (B, T, I) with I = 3, got (3,)"),
        (False, (0, B, I), "x must be (T, B, I) with at least one step and one sequence, got (0, 4, 3)"),
    ],
)
def test_input_of_a_wrong_shape(batch_first, shape, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        nn.GRU(I, H, batch_first=batch_first)(handmade.zeros(*shape))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_state_of_a_wrong_shape(kind, bidirectional):
    layer = getattr(nn, kind)(I, H, num_layers=2, bidirectional=bidirectional)
    state = [handmade.zeros(3, B, H)] * 2
    message = f"{kind}: the state must be (L D, B, H) = ({4 if bidirectional else 2}, 4, 5), got (3, 4, 5)"
    with pytest.raises(ValueError, match=re.escape(message)):
        layer(handmade.zeros(T, B, I), initial_state(kind, state))


def test_lengths_beyond_the_padding():
    with pytest.raises(ValueError, match="lengths must be between 1 and the 6 steps of x, got 7 for sequence 2"):
        nn.LSTM(I, H)(handmade.zeros(T, B, I), lengths=[1, 2, 7, 3])


def test_input_of_another_type():
    with pytest.raises(TypeError, match="float32 and float64 meet"):
        nn.LSTM(I, H)(handmade.zeros(T, B, I, dtype=handmade.float64))
    with pytest.raises(TypeError, match="expected float32 or float64"):
        nn.LSTM(I, H)(handmade.zeros(T, B, I, dtype=handmade.int64))


def test_ctc_loss_as_a_layer_equals_pytorchs(rng):
    logits, targets = rng.normal(size=(T, B, 5)), rng.integers(1, 5, (B, 2))
    lengths = [6, 5, 6, 5], [2, 1, 2, 2]
    ours, theirs = tensor(logits, requires_grad=True), torch.tensor(logits, requires_grad=True)
    got = nn.CTCLoss()(ours.log_softmax(-1), tensor(targets), *map(tensor, lengths))
    expected = torch.nn.CTCLoss()(theirs.log_softmax(-1), torch.tensor(targets), *map(torch.tensor, lengths))
    got.backward()
    expected.backward()
    assert_close(got.numpy(), expected.detach().numpy(), "loss")
    assert_close(ours.grad.numpy(), theirs.grad.numpy(), "gradient of the logits")


def test_the_weights_need_no_flattening():
    layer = nn.LSTM(I, H)
    before = layer.weight_hh_l0
    layer.flatten_parameters()  # which scripts call for a GPU
    assert layer.weight_hh_l0 is before


@pytest.mark.parametrize(
    ("lengths", "options"),
    [([3, 6, 1, 4], {"enforce_sorted": False}), ([3, 5, 1, 4], {"enforce_sorted": False}), ([5, 5, 2, 1], {})],
)
@pytest.mark.parametrize("batch_first", [False, True])
def test_packed_sequences_are_pytorchs(rng, lengths, options, batch_first):
    ours, theirs = (library.GRU(I, H, batch_first=batch_first).double() for library in (nn, torch.nn))
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    numbers = rng.normal(size=(B, T, I) if batch_first else (T, B, I))
    found = []
    for t, layer, rnn in ((handmade, ours, nn.utils.rnn), (torch, theirs, torch.nn.utils.rnn)):
        x = t.tensor(numbers, requires_grad=True)
        packed = rnn.pack_padded_sequence(x, t.tensor(lengths), batch_first, **options)
        output, state = layer(packed)
        padded, told = rnn.pad_packed_sequence(output, batch_first, -1.0, total_length=T)
        weights = t.tensor(np.arange(1.0, 1 + B * T * H).reshape(padded.shape))
        (padded * weights).sum().backward()
        parts = rnn.unpack_sequence(output)
        indices = [[] if places is None else places.tolist() for places in packed[2:]]
        found.append([*packed[:2], *indices, output.data, state, padded, told, x.grad, *parts])
    for one, other in zip(*found, strict=True):
        one, other = (x.detach().numpy() if hasattr(x, "detach") else x for x in (one, other))
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([5, 4, 3], "lengths"),
        ([5, 4, 3, 0], "lengths"),
        ([7, 4, 3, 1], "lengths"),
        ([1, 2, 3, 4], "sort the batch in descending order, or pass enforce_sorted=False"),
    ],
)
def test_lengths_that_cannot_be_packed(lengths, message):
    with pytest.raises(ValueError, match=message):
        nn.utils.rnn.pack_padded_sequence(handmade.ones(T, B, I), lengths)
