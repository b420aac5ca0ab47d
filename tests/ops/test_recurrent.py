"""The recurrent layers: parity with PyTorch, padding that reaches nothing, forms PyTorch has not, bad input."""

import re

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from handmade import Tensor, gradcheck
from handmade.engine import apply
from handmade.ops.recurrent import gru, lstm, rnn
from tests.support.against_torch import DTYPES, assert_close

T, B, I, H = 7, 5, 3, 4
KINDS = {"rnn": (rnn, 1, 1), "lstm": (lstm, 4, 2), "gru": (gru, 3, 1)}  # operation, gates, states
LENGTHS = [None, [3, 7, 1, 5, 7], [3, 4, 1, 5, 2]]


def arrays(rng, kind, dtype="float64", steps=T, batch=B, bias=True):
    """x, the initial states and the parameters, all different."""
    _, gates, states = KINDS[kind]
    shapes = [(steps, batch, I), *[(batch, H)] * states, (gates * H, I), (gates * H, H), (gates * H,), (gates * H,)]
    made = [rng.normal(scale=0.7, size=shape).astype(dtype) for shape in shapes]
    return made if bias else [*made[:-2], None, None]


def evaluate(pullback, g):
    return [part() if callable(part) else part for part in pullback(g)]


def in_torch(kind, inputs, lengths, reverse, **options):
    """What PyTorch's layer gives, in the form of our value, from a packed batch; and its leaves.

    It walks backwards only as one half of a bidirectional layer; the other half is left out of the result.
    """
    states = KINDS[kind][2]
    leaves = [torch.tensor(array, requires_grad=True) for array in inputs]
    x, initial, parameters = leaves[0], leaves[1 : 1 + states], leaves[1 + states :]
    layer = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](I, H, bidirectional=True, **options)
    names = [
        f"{name}_l0{side}" for side in ("", "_reverse") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    both = [torch.stack([h, h]) for h in initial]
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        x, torch.tensor([len(x)] * B if lengths is None else lengths), enforce_sorted=False
    )
    output, final = torch.func.functional_call(
        layer, dict(zip(names, parameters * 2, strict=True)), (packed, tuple(both) if kind == "lstm" else both[0])
    )
    output, _ = torch.nn.utils.rnn.pad_packed_sequence(output, total_length=len(x))
    final = final if kind == "lstm" else (final,)
    side = int(reverse)
    return torch.cat([output[..., side * H : (side + 1) * H], *(state[side : side + 1] for state in final)]), leaves


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(
    ("kind", "options"),
    [("rnn", {"nonlinearity": "tanh"}), ("rnn", {"nonlinearity": "relu"}), ("lstm", {}), ("gru", {})],
)
def test_values_and_gradients_equal_pytorchs(rng, kind, options, lengths, reverse, dtype):
    inputs = arrays(rng, kind, dtype)
    expected, leaves = in_torch(kind, inputs, lengths, reverse, **options)
    g = rng.normal(size=expected.shape).astype(dtype)
    expected.backward(torch.tensor(g))

    value, pullback = KINDS[kind][0](*inputs, lengths=lengths, reverse=reverse, **options)
    assert_close(value, expected.detach().numpy(), "value")
    for gradient, leaf in zip(evaluate(pullback, g), leaves, strict=False):
        assert_close(gradient, leaf.grad.numpy(), "gradient")


def step_in_torch(form, x, states, w_ih, w_hh, b_ih, b_hh, peephole=None):
    """One step of the forms that PyTorch has no layer for, by its operations."""
    h = states[0]
    if form == "peephole lstm":
        i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(4, dim=1)
        i, f = i + peephole[0] * states[1], f + peephole[1] * states[1]
        c = f.sigmoid() * states[1] + i.sigmoid() * g.tanh()
        return [(o + peephole[2] * c).sigmoid() * c.tanh(), c]
    from_x = (x @ w_ih.T + b_ih).chunk(3, dim=1)
    w, b = w_hh.chunk(3), b_hh.chunk(3)
    r, z = ((from_x[gate] + h @ w[gate].T + b[gate]).sigmoid() for gate in range(2))
    return [(1 - z) * (from_x[2] + (r * h) @ w[2].T + b[2]).tanh() + z * h]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("form", ["peephole lstm", "gru, reset before"])
def test_forms_that_pytorch_lacks_equal_a_loop_of_its_operations(rng, form, lengths, reverse, dtype):
    kind = "lstm" if "lstm" in form else "gru"
    operation, _, count = KINDS[kind]
    inputs = arrays(rng, kind, dtype) + ([rng.normal(size=(3, H)).astype(dtype)] if kind == "lstm" else [])
    leaves = [torch.tensor(array, requires_grad=True) for array in inputs]
    x, states, parameters = leaves[0], leaves[1 : 1 + count], leaves[1 + count :]
    steps = torch.tensor([T] * B if lengths is None else lengths)[:, None]
    outputs = [torch.zeros(B, H, dtype=x.dtype)] * T
    for t in reversed(range(T)) if reverse else range(T):
        counts = t < steps
        moved = step_in_torch(form, x[t], states, *parameters)
        states = [torch.where(counts, new, old) for new, old in zip(moved, states, strict=True)]
        outputs[t] = torch.where(counts, states[0], 0)
    expected = torch.cat([torch.stack(outputs), torch.stack(states)])
    g = rng.normal(size=expected.shape).astype(dtype)
    expected.backward(torch.tensor(g))

    options = {} if kind == "lstm" else {"reset_after": False}
    value, pullback = operation(*inputs, lengths=lengths, reverse=reverse, **options)
    assert_close(value, expected.detach().numpy(), "value")
    for gradient, leaf in zip(evaluate(pullback, g), leaves, strict=True):
        assert_close(gradient, leaf.grad.numpy(), "gradient")


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [None, [1, 3, 2]])
@pytest.mark.parametrize("form", ["peephole lstm", "gru, reset before", "lstm without bias", "gru without bias"])
def test_gradients_equal_differences(rng, form, lengths, reverse):
    kind = "lstm" if "lstm" in form else "gru"
    inputs = arrays(rng, kind, steps=3, batch=3, bias="without" not in form)
    options = {"lengths": lengths, "reverse": reverse}
    if kind == "gru":
        options["reset_after"] = "before" not in form
    else:
        inputs.append(rng.normal(size=(3, H)) if "peephole" in form else None)

    def layer(*tensors):
        return apply(KINDS[kind][0], *tensors, **options)

    assert gradcheck(layer, [x if x is None else Tensor(x, requires_grad=True) for x in inputs])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_padding_reaches_neither_outputs_nor_gradients(rng, kind, reverse):
    """Each sequence alone, without padding, gives what it gives in the batch, whatever stands in the padding."""
    operation, _, states = KINDS[kind]
    inputs, lengths = arrays(rng, kind), [3, 4, 1, 5, 2]
    for b, length in enumerate(lengths):
        inputs[0][length:, b] = np.nan
    g = rng.normal(size=(T + states, B, H))
    value, pullback = operation(*inputs, lengths=lengths, reverse=reverse)
    gradients = evaluate(pullback, g)
    of_weights = [np.zeros_like(weight) for weight in inputs[1 + states :]]
    for b, length in enumerate(lengths):
        steps, one = list(range(length)), slice(b, b + 1)
        alone = [inputs[0][:length, one], *(h[one] for h in inputs[1 : 1 + states]), *inputs[1 + states :]]
        value_alone, pullback_alone = operation(*alone, reverse=reverse)
        np.testing.assert_allclose(value[[*steps, *range(T, T + states)], one], value_alone, rtol=1e-12)
        assert_array_equal(value[length:T, b], 0)
        gradients_alone = evaluate(pullback_alone, g[[*steps, *range(T, T + states)], one])
        np.testing.assert_allclose(gradients[0][:length, one], gradients_alone[0], rtol=1e-10, atol=1e-14)
        assert_array_equal(gradients[0][length:, b], 0)
        for total, part in zip(of_weights, gradients_alone[1 + states :], strict=False):
            total += part
    for gradient, total in zip(gradients[1 + states :], of_weights, strict=False):
        np.testing.assert_allclose(gradient, total, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_are_left_as_they_were(rng, kind):
    inputs = arrays(rng, kind)
    g = rng.normal(size=(T + KINDS[kind][2], B, H))
    copies = [array.copy() for array in [*inputs, g]]
    _, pullback = KINDS[kind][0](*inputs, lengths=[2, 7, 7, 1, 3])
    evaluate(pullback, g)
    for array, copy in zip([*inputs, g], copies, strict=True):
        assert_array_equal(array, copy)


@pytest.mark.parametrize("kind", KINDS)
def test_huge_inputs_saturate_without_overflow(rng, kind):
    inputs = [x * np.float32(1e4) for x in arrays(rng, kind, "float32")]
    value, pullback = KINDS[kind][0](*inputs)
    assert np.isfinite(value).all()
    assert all(np.isfinite(part).all() for part in evaluate(pullback, np.ones_like(value))[:-1])


def test_the_update_gates_other_convention_is_the_same_layer_with_its_rows_negated(rng):
    """Chung et al. 2014 write h' = (1 − z) h + z n; σ(−a) = 1 − σ(a) turns the one into the other."""
    x, h, *parameters = arrays(rng, "gru")
    value, _ = gru(x, h, *parameters)
    negated = [p.copy() for p in parameters]
    for p in negated:
        p[H : 2 * H] *= -1
    w_ih, w_hh, b_ih, b_hh = negated

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    for t in range(T):
        from_x, from_h = np.split(x[t] @ w_ih.T + b_ih, 3, axis=1), np.split(h @ w_hh.T + b_hh, 3, axis=1)
        r, z = sigmoid(from_x[0] + from_h[0]), sigmoid(from_x[1] + from_h[1])
        h = (1 - z) * h + z * np.tanh(from_x[2] + r * from_h[2])
        np.testing.assert_allclose(value[t], h, rtol=1e-12)


@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        (
            [3, 0, 1, 1, 1],
            ValueError,
            "between 1 and the 7 steps of x, got 0 for sequence 1. Remove empty sequences from the batch",
        ),
        ([3, 2, 8, 1, 1], ValueError, "between 1 and the 7 steps of x, got 8 for sequence 2"),
        ([3, 2], ValueError, "one number for each of the 5 sequences, got shape (2,)"),
        ([3.0, 2.0, 1.0, 1.0, 1.0], TypeError, "lengths must be integers, got float64"),
    ],
)
def test_lengths_that_cannot_be(rng, lengths, error, message):
    with pytest.raises(error, match=re.escape(message)):
        lstm(*arrays(rng, "lstm"), lengths=lengths)


@pytest.mark.parametrize(
    ("place", "shape", "message"),
    [
        (0, (0, B, I), "lstm: x must be (T, B, I) with at least one step and one sequence, got (0, 5, 3)"),
        (0, (T, I), "lstm: x must be (T, B, I) with at least one step and one sequence, got (7, 3)"),
        (2, (B, H + 1), "lstm: initial state must be (5, 4) for x (7, 5, 3), got (5, 5)"),
        (3, (4 * H, I + 1), "lstm: weight_ih must be (16, 3) for x (7, 5, 3), got (16, 4)"),
        (4, (3 * H, H), "lstm: weight_hh must be (16, 4) for x (7, 5, 3), got (12, 4)"),
        (6, (H,), "lstm: bias must be (16,) for x (7, 5, 3), got (4,)"),
        (7, (H,), "lstm: peephole must be (3, 4) for x (7, 5, 3), got (4,)"),
    ],
)
def test_shapes_that_do_not_fit(rng, place, shape, message):
    inputs = [*arrays(rng, "lstm"), np.zeros((3, H))]
    inputs[place] = np.zeros(shape)
    with pytest.raises(ValueError, match=re.escape(message)):
        lstm(*inputs)


def test_unknown_nonlinearity(rng):
    with pytest.raises(ValueError, match="nonlinearity must be 'tanh' or 'relu', got 'gelu'"):
        rnn(*arrays(rng, "rnn"), nonlinearity="gelu")
