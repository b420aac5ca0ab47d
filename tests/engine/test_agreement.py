"""Small inputs at the edges, where values, gradients and refusals must be torch's. `t` is handmade or torch."""

import numpy as np
import pytest
import torch

import handmade
from handmade import nn, optim, tensor
from handmade.engine import apply, gradients
from handmade.ops.normalization import layer_norm
from tests.support.against_torch import check_parity

CASES = {
    "std of equal numbers": lambda t, x: (x * 0 + 2).std(1),
    "norm at 0": lambda t, x: (x * 0).norm(),
    "relu at nan": lambda t, x: (x * float("nan")).relu(),
    "remainder": lambda t, x: x % 0.7 + t.fmod(x, x.detach() * 0.3 + 2),
    "remainder by the divisor": lambda t, x: t.remainder(x.detach() * 2 + 9, x),
    "clamp by a tensor": lambda t, x: x.detach().clamp(min=x, max=x + 1) + x.clamp(x.detach() * 0),
    "clamp by a wider tensor": lambda t, x: x[0].clamp(x * 0.5, x + 1),
    "masked_fill by a tensor": lambda t, x: x.masked_fill(x.detach() > 0, x.sum()),
    "var(False)": lambda t, x: x.var(False),
    "std(True)": lambda t, x: x.std(True),
    "max of two": lambda t, x: t.max(x, x.detach() * 0) + x.min(x.detach() * 0),
    "narrow from the end": lambda t, x: x.narrow(1, -3, 2),
    "negative padding": lambda t, x: t.nn.functional.pad(x, (-1, 2, 1, -1)),
    "diagonal by einsum": lambda t, x: t.einsum("ii->i", x[:, :3]) + t.einsum("iij->j", x[None, :1])[:3],
    "trace by einsum": lambda t, x: t.einsum("ii,ij->j", x[:, :3], x),
    "integer, slice, places": lambda t, x: x[None][0, :, t.tensor([1, 3])],
    "integer, slice, mask": lambda t, x: x[None][0, :, t.tensor([True, False, False, True])],
    "places, slice, integer": lambda t, x: x[None][t.tensor([0, 0, 0]), :, 2],
    "integers, dots, places, none": lambda t, x: x[None, :, None][0, ..., t.tensor([2, 0]), None],
    "a number without axes": lambda t, x: x[0, 1].softmax(0) + x[0, 1].cumsum(0) + x[0, 1].max(0)[0] + x[0, 1].sum(-1),
    "sort of one number": lambda t, x: x[1, 2].sort()[0] + x[1, 2].topk(1)[0] + x[1, 2].log_softmax(-1),
    "softmax over nothing": lambda t, x: x[:, :0].softmax(1),
    "logsumexp over nothing": lambda t, x: x[:, :0].logsumexp(1),
    "product over an empty axis": lambda t, x: x[:, :0] @ x[:, :0].mT,
    "chunks of nothing": lambda t, x: t.cat(x[:0].chunk(3)),
}


@pytest.fixture
def numbers(rng) -> np.ndarray:
    return rng.standard_normal((3, 4))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:.*Degrees of freedom.*")
def test_values_and_gradients(name, numbers, rng):
    x, theirs = handmade.tensor(numbers, requires_grad=True), torch.tensor(numbers, requires_grad=True)
    value, expected = CASES[name](handmade, x), CASES[name](torch, theirs)
    np.testing.assert_allclose(value.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    g = rng.standard_normal(tuple(expected.shape))
    value.backward(g)
    expected.backward(torch.tensor(g))
    np.testing.assert_allclose(x.grad.numpy(), theirs.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_a_number_on_the_left_of_remainder(numbers):
    x = handmade.tensor(numbers, requires_grad=True)
    (7 % x).sum().backward()
    np.testing.assert_array_equal((7 % x).detach().numpy(), 7 % numbers)
    np.testing.assert_array_equal(x.grad.numpy(), -(7 // numbers))


def test_zero_to_a_negative_power():
    gradients = []
    for t in (handmade, torch):
        exponent = t.tensor([-1.0, 0.0, 2.0], requires_grad=True)
        (t.zeros(3) ** exponent).backward(t.ones(3) * 2)
        gradients.append(exponent.grad.numpy())
    np.testing.assert_array_equal(*gradients)


@pytest.mark.parametrize("method", ["add_", "sub_", "mul_", "div_"])
def test_in_place_with_only_the_other_on_the_tape(method, numbers):
    gradients = []
    for t in (handmade, torch):
        w = t.tensor(numbers, requires_grad=True)
        a = t.tensor(numbers[::-1].copy() + 3)
        getattr(a, method)(w)
        getattr(a, method)(w * 2)  # once more, now that it is on the tape itself
        (a * a).sum().backward()
        gradients.append(w.grad.numpy())
    np.testing.assert_allclose(*gradients, rtol=1e-12)


def test_in_place_on_a_view_is_refused_where_the_others_gradient_would_be_lost():
    a, w = handmade.zeros(4), handmade.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="shares memory with another"):
        a[:2].add_(w)


def test_an_assignment_takes_whole_numbers_before_places():
    for t in (handmade, torch):
        x = t.zeros(2, 2, 4)
        x[0, :, t.tensor([1, 2])] = t.tensor([[1.0, 2.0], [3.0, 4.0]])
        assert x[0].tolist() == [[0, 1, 2, 0], [0, 3, 4, 0]]


@pytest.mark.parametrize(
    ("message", "refused"),
    [
        ("dim is True", lambda x: x.sum(True)),
        ("occurs twice", lambda x: x.sum((0, -2))),
        ("narrow: 4 elements from 3", lambda x: x.narrow(1, 3, 4)),
        ("num_samples is -1", lambda x: handmade.multinomial(x.abs(), -1)),
        ("2 shifts", lambda x: x.roll((2, 1), 0)),
        ("needs at least two axes", lambda x: x[0].tril()),
        ("mask is float64", lambda x: x.masked_fill(x, 1.0)),
        ("value has shape", lambda x: x.masked_fill(x > 0, x)),
        ("expected a table", lambda x: nn.functional.embedding(handmade.tensor([0]), x[None])),
        ("state has shape", lambda x: nn.RNNCell(4, 3).double()(x, handmade.zeros(3, 1, 3, dtype=handmade.float64))),
        ("eps is 0", lambda x: nn.functional.batch_norm(x, None, None, training=True, eps=0)),
        ("target holds prob", lambda x: nn.functional.cross_entropy(x, x.softmax(1), ignore_index=1)),
        ("chunks is 0", lambda x: x.chunk(0)),
        ("split_size is 0", lambda x: x.split(0)),
    ],
)
def test_what_torch_refuses_is_refused_in_a_sentence(message, refused, numbers):
    with pytest.raises((ValueError, TypeError, RuntimeError), match=message):
        refused(handmade.tensor(numbers))


def test_a_constant_of_which_a_gradient_is_expected_is_refused(numbers):
    x = handmade.tensor(numbers, requires_grad=True)
    with pytest.raises(TypeError, match="layer_norm: eps requires a gradient, but is a constant here"):
        apply(layer_norm, x, None, None, normalized_shape=(4,), eps=x.sum())


@pytest.mark.parametrize("layer", ["MultiheadAttention", "TransformerEncoderLayer"])
def test_a_learned_mask_gets_its_gradient(layer, rng):
    x, mask, g = (rng.standard_normal(shape) for shape in [(2, 3, 4), (3, 3), (2, 3, 4)])
    gradients = []
    for t, module in ((torch, torch.nn), (handmade, nn)):
        if layer == "MultiheadAttention":
            model = module.MultiheadAttention(4, 2, batch_first=True).double()
        else:
            model = module.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True).double()
        if t is torch:
            weights = {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}
        else:
            model.load_state_dict(weights)
        bias, y = t.tensor(mask, requires_grad=True), t.tensor(x)
        if layer == "MultiheadAttention":
            out = model(y, y, y, attn_mask=bias, need_weights=False)[0]
        else:
            out = model(y, src_mask=bias)
        (out * t.tensor(g)).sum().backward()
        gradients.append(bias.grad.numpy())
    np.testing.assert_allclose(*gradients, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "options"), [("SGD", {"momentum": 0.9, "weight_decay": 0.1}), ("Adam", {}), ("AdamW", {})]
)
def test_a_parameter_without_axes_is_learned(name, options):
    found = []
    for t, module in ((handmade, optim), (torch, torch.optim)):
        p = t.tensor(1.0, requires_grad=True)
        optimizer = getattr(module, name)([p], lr=0.1, **options)
        for _ in range(5):
            optimizer.zero_grad()
            (p * p).backward()
            optimizer.step()
        found.append(p.item())
    np.testing.assert_allclose(*found, rtol=1e-6)  # float32


@pytest.mark.parametrize("norm_type", [1, 2, 3, float("inf")])
def test_clipping_as_torch(norm_type, numbers):
    found = []
    for t, module in ((handmade, nn), (torch, torch.nn)):
        p, q = t.tensor(numbers, requires_grad=True), t.tensor(numbers[0], requires_grad=True)
        ((p * p).sum() + (q * 3).sum()).backward()
        norm = module.utils.clip_grad_norm_([p, q], 0.5, norm_type)
        found.append(np.concatenate([norm.numpy()[None], p.grad.numpy().ravel(), q.grad.numpy()]))
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_clipping_by_a_norm_that_is_nan_leaves_nothing():
    p = handmade.ones(2, requires_grad=True)
    (p * handmade.tensor([1.0, float("nan")])).sum().backward()
    with pytest.raises(RuntimeError, match="the norm of the gradients is nan"):
        nn.utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    nn.utils.clip_grad_norm_(p, 1.0)
    assert np.isnan(p.grad.numpy()).all()


def test_gradients_by_a_tensor_without_axes_are_found():
    found = []
    for t, autograd in ((handmade, gradients), (torch, torch.autograd)):
        x = t.tensor(2.0, requires_grad=True)
        found.append([part.item() for part in (*autograd.grad(x**3, x), *autograd.grad(x * x, [x]))])
    assert found[0] == found[1] == [12.0, 4.0]


def test_numpys_names_of_arguments_are_taken_too(numbers):
    check_parity(
        lambda t, x: x.sum(axis=1, keepdims=True) * x.softmax(axis=-1) + t.cat([x, x], axis=0).mean(axis=0), numbers
    )
    check_parity(lambda t, x: t.stack([x, x], axis=1).amax(axis=(0, 1), keepdims=True) + x.unsqueeze(axis=0), numbers)


def test_a_number_beside_a_mask_keeps_its_kind():
    mask = tensor([True, False])
    assert handmade.where(mask, 2, tensor([5.0, 6.0])).tolist() == [2.0, 6.0]
    assert handmade.where(mask, 2, 7).tolist() == [2, 7]
    chosen = handmade.where(mask, 0.1, tensor([5.0, 6.0], dtype=handmade.float64))
    assert (chosen.dtype, chosen.tolist()) == (handmade.float64, [0.1, 6.0])
    assert handmade.add(2, mask).tolist() == [3, 2]
    assert handmade.maximum(2, mask).tolist() == [2, 2]


@pytest.mark.parametrize(
    ("make", "sizes"),
    [
        (lambda: handmade.zeros(2.7, 3), r"\(2.7, 3\)"),
        (lambda: handmade.empty(13.5, 3), r"\(13.5, 3\)"),  # as nn.GRU(3, 4.5) makes its weights
        (lambda: handmade.ones(2.0), r"\(2.0,\)"),
        (lambda: handmade.ones(6).reshape(2, 3.0), r"\(2, 3.0\)"),
    ],
)
def test_sizes_that_are_no_whole_numbers_are_refused(make, sizes):
    with pytest.raises(TypeError, match=f"sizes are {sizes}, expected whole numbers"):
        make()


def test_an_axis_is_named_once():
    x = handmade.ones(2, 3)
    assert x.gather(axis=1, index=tensor([[0], [1]])).shape == (2, 1)
    assert x.index_select(axis=0, index=tensor([1])).shape == (1, 3)
    with pytest.raises(TypeError, match="sum: dim and axis are one argument"):
        x.sum(dim=0, axis=1)


def test_a_number_beside_float64_keeps_its_digits():
    assert handmade.add(0.1, handmade.ones(1, dtype=handmade.float64)).item() == 1.1


def test_int32_is_int64():
    assert handmade.tensor([1], dtype="int32").dtype == handmade.ones(2).int().dtype == handmade.int64
    with pytest.raises(TypeError, match="dtype int16: tensors are float32, float64, int64 or bool"):
        handmade.zeros(2, dtype="int16")


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("zero_infinity", [False, True])
def test_ctc_of_inputs_without_steps_is_pytorchs(rng, reduction, zero_infinity):
    """Certain where there are no labels, impossible otherwise; there is no gradient."""
    numbers, options = rng.standard_normal((4, 3, 5)), {"reduction": reduction, "zero_infinity": zero_infinity}
    for target_lengths in ([0, 1, 2], [2, 2, 0]):
        found = []
        for t, module in ((handmade, nn), (torch, torch.nn)):
            x = t.tensor(numbers, requires_grad=True)
            lengths = t.tensor([0, 3, 4]), t.tensor(target_lengths)
            loss = module.functional.ctc_loss(
                x.log_softmax(-1), t.tensor([[1, 2], [3, 1], [2, 4]]), *lengths, **options
            )
            loss.sum().backward()
            found.append((np.asarray(loss.tolist()), x.grad.numpy()))
        for one, expected in zip(*found, strict=True):
            np.testing.assert_allclose(one, expected, rtol=1e-9, atol=1e-12)


def test_nans_and_limits_get_pytorchs_gradients():
    numbers = np.array([float("nan"), float("inf"), -float("inf"), 0.0, 1.0, -2.0, 0.5])
    other = np.array([0.0, float("nan"), 1.0, 0.0, 1.0, -3.0, float("nan")])
    for expression in (
        lambda t, x, y: x.abs() + x.sign() * y,
        lambda t, x, y: t.maximum(x, y) * 2,
        lambda t, x, y: t.minimum(x, y) * 2,
        lambda t, x, y: x.clamp(-1, 1) + y.clamp(min=0),
        lambda t, x, y: t.div(x, y, rounding_mode="floor") + t.div(x, y, rounding_mode="trunc"),
        lambda t, x, y: x.logit() + y.logit(0.1),
        lambda t, x, y: t.nn.functional.elu(x) + t.nn.functional.celu(y, 0.5),
        lambda t, x, y: t.nn.functional.threshold(x, 0.1, 3.0) + t.nn.functional.hardtanh(y),
    ):
        with np.errstate(all="ignore"):
            found = []
            for t in (handmade, torch):
                x, y = (t.tensor(n, requires_grad=True) for n in (numbers, other))
                result = expression(t, x, y)
                result.backward(t.tensor(np.arange(1.0, 8.0)))
                found.append([result.tolist(), x.grad.tolist(), y.grad.tolist()])
        np.testing.assert_allclose(*map(np.array, found), rtol=1e-9)
