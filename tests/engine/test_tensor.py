"""Tensors: types, conversions, shapes of errors, creation, randomness."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import handmade
from handmade import Tensor, tensor


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, "float32"), ([1.0, 2.0], "float32"), ([1, 2], "int64"), (True, "bool"), ([[True]], "bool"),
        (np.ones(2), "float64"), (np.ones(2, np.float32), "float32"), (np.ones(2, np.uint8), "int64"),
        (np.float64(2), "float64"), (np.arange(3, dtype=np.int32), "int64"), ([], "float32"),
    ],
)  # fmt: skip
def test_types_of_data(data, dtype):
    assert tensor(data).dtype == dtype


def test_names_of_types():
    assert handmade.float32 == np.float32
    assert tensor([1], dtype=handmade.float64).dtype == handmade.float64
    assert tensor([0, 2], dtype=handmade.bool).tolist() == [False, True]
    assert tensor([1.7], dtype=int).dtype == handmade.int64
    with pytest.raises(TypeError, match="tensors are float32, float64, int64 or bool"):
        tensor([1], dtype=np.float16)
    with pytest.raises(TypeError, match="a tensor cannot hold"):
        tensor(["a"])
    with pytest.raises(TypeError, match="a tensor cannot hold float16"):
        tensor(np.ones(2, np.float16))


def test_tensor_copies_and_from_numpy_shares():
    array = np.zeros(2)
    copy, shared = tensor(array), handmade.from_numpy(array)
    array[0] = 5
    assert copy.tolist() == [0, 0]
    assert shared.tolist() == [5, 0]


@pytest.mark.parametrize("x", [tensor([1.0, 2.0]), tensor([1.0, 2.0], dtype=handmade.float64)])
def test_python_numbers_take_the_tensors_type(x):
    for value in (x + 1, 2.5 * x, x / 3, 1 - x, x**2, x**0.5, 2**x, x + np.float64(1), x * np.int64(2), x + True):
        assert value.dtype == x.dtype
    for value in (x.mean(), x.var(), x.sum(), x.exp(), x.softmax(0), x.clamp(0, 1), x.masked_fill(x > 1, 0.5)):
        assert value.dtype == x.dtype


def test_integers_become_float32_where_the_result_is_not_whole():
    i = tensor([1, 2])
    for value in (i / 2, i * 0.5, 1.5 + i, i / i, 1 / i, i.exp(), i.sqrt(), i.tanh(), i + tensor([1.0, 2.0])):
        assert value.dtype == handmade.float32
    assert (i + tensor([1.0, 2.0], dtype=handmade.float64)).dtype == handmade.float64
    assert (i + 1).dtype == handmade.int64
    assert (i * i).sum().dtype == handmade.int64
    assert (i > 1).sum().tolist() == 1
    with pytest.raises(TypeError, match="mean: the tensor is int64"):
        i.mean()


def test_float32_and_float64_do_not_mix():
    a, b = handmade.ones(2, 3), handmade.ones(3, dtype=handmade.float64)
    for mix in (lambda: a + b, lambda: a @ b, lambda: handmade.cat([a[0], b]), lambda: handmade.where(a > 0, a, b)):
        with pytest.raises(TypeError, match=r"float32 and float64 meet: .*float64 \(3,\).*\.float\(\) or \.double\(\)"):
            mix()
    with pytest.raises(TypeError, match="float32 and float64 meet"):
        a + np.ones(3)


def test_numpy_arrays_as_operands():
    x = tensor([1.0, 2.0], dtype=handmade.float64, requires_grad=True)
    for value in (np.array([3.0, 4.0]) * x, x * np.array([3.0, 4.0])):
        assert isinstance(value, Tensor)
        assert value.tolist() == [3.0, 8.0]
    assert isinstance(np.eye(2) @ x, Tensor)
    assert_allclose(np.asarray(x), [1.0, 2.0])
    assert np.array(x, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda x: x + handmade.ones(4), ValueError, r"add: shapes \(2, 3\) and \(4,\) do not broadcast"),
        (lambda x: handmade.ones(4) / x, ValueError, r"div: shapes \(4,\) and \(2, 3\) do not broadcast"),
        (lambda x: x @ x, ValueError, r"matmul: \(2, 3\) @ \(2, 3\): the last axis of the first"),
        (lambda x: x @ handmade.ones(2, 2, 3), ValueError, r"matmul: \(2, 3\) @ \(2, 2, 3\)"),
        (lambda x: x @ 2, ValueError, r"matmul: \(2, 3\) @ \(\)"),
        (lambda x: x.sum(2), IndexError, r"dim is 2; a tensor of shape \(2, 3\) has axes -2 to 1"),
        (lambda x: x.reshape(4), ValueError, r"reshape: .*\(2, 3\).*\(4,\)"),
        (lambda x: x.expand(4, 3), ValueError, r"expand: .*\(2, 3\).*\(4, 3\)"),
        (lambda x: x.split([1, 1], 1), ValueError, r"sizes \[1, 1\] add up to 2, but axis 1 of \(2, 3\) has 3"),
        (lambda x: x.topk(4), ValueError, "k is 4, but axis -1"),
        (lambda x: x.item(), ValueError, r"shape \(2, 3\) has 6 elements"),
        (lambda x: bool(x), ValueError, "ambiguous"),
        (lambda x: handmade.cat([x, x.T]), ValueError, r"cat: shapes .* must be equal except at axis 0"),
        (lambda x: handmade.stack([x, x.T]), ValueError, "stack: shapes"),
        (lambda x: handmade.cat([]), ValueError, "cat: the list of tensors is empty"),
        (lambda x: handmade.einsum("ij,jk", x, x), ValueError, "axis 'j' has sizes 3 and 2"),
        (lambda x: handmade.einsum("ij,jk", x), ValueError, "names 2 operands, 1 were given"),
        (lambda x: handmade.einsum("ijk->i", x), ValueError, "must name each of the operand's 2 axes"),
        (lambda x: handmade.einsum("ij->k", x), ValueError, "only axes of the operands"),
        (lambda x: x.gather(1, tensor([[3]])), IndexError, r"index goes from 3 to 3, but axis 1"),
        (lambda x: x.gather(1, tensor([0])), ValueError, "must have the same number of axes"),
        (lambda x: x.gelu("fast"), ValueError, "approximate is 'fast'"),
        (lambda x: x.clamp(), ValueError, "pass min, max or both"),
        (lambda x: x.pad((1,)), ValueError, "1 numbers for 2 axes"),
        (lambda x: x.unsqueeze(4), IndexError, "dim is 4"),
        (lambda x: handmade.one_hot(tensor([0, 3]), 3), ValueError, "go from 0 to 3; classes go from 0 to 2"),
        (lambda x: handmade.one_hot(x), TypeError, "must hold integers"),
        (lambda x: handmade.multinomial(-x - 1, 1), ValueError, "finite weights >= 0"),
        (lambda x: handmade.multinomial(x * 0 + tensor([1.0, 0, 0]), 2), ValueError, "need 2 weights above 0"),
        (lambda x: [1, 2, 3][tensor(1.0)], TypeError, "cannot be an index"),
        (lambda x: len(tensor(1.0)), TypeError, "without axes"),
    ],
)  # fmt: skip
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make(handmade.ones(2, 3) * handmade.arange(1, 7).reshape(2, 3))


def test_conversions_to_python():
    x = tensor([[1.5, 2.0], [3.0, 4.0]])
    assert x[0, 0].item() == 1.5
    assert float(x[0, 0]) == 1.5
    assert int(x[0, 1]) == 2
    assert f"{x[0, 0]:.2f}" == "1.50"
    assert x.tolist() == [[1.5, 2.0], [3.0, 4.0]]
    assert [row.tolist() for row in x] == x.tolist()
    assert [1, 2, 3][tensor(1)] == 2
    assert x.size() == (2, 2) == x.shape
    assert x.size(0) == len(x) == x.dim() == x.ndim == 2
    assert x.numel() == 4


def test_repr():
    assert repr(tensor([1.0, 2.5])) == "tensor([1. , 2.5])"
    assert repr(tensor([1.0], requires_grad=True)) == "tensor([1.], requires_grad=True)"
    assert repr(tensor([1.0], requires_grad=True) * 2) == "tensor([2.], made by mul)"
    assert repr(tensor([1.0], dtype=handmade.float64)) == "tensor([1.], dtype=float64)"


def test_creation():
    assert handmade.zeros(2, 3).shape == handmade.ones((2, 3)).shape == handmade.empty([2, 3]).shape == (2, 3)
    assert handmade.full((2,), 1.5).tolist() == [1.5, 1.5]
    assert handmade.full((2,), 3).dtype == handmade.int64
    assert handmade.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert handmade.arange(2, 8, 2).tolist() == [2, 4, 6]
    assert handmade.arange(3).dtype == handmade.int64
    assert handmade.arange(0.5, 2).tolist() == [0.5, 1.5]
    assert handmade.linspace(0, 1, 3).tolist() == [0, 0.5, 1]
    x = handmade.ones(2, dtype=handmade.float64)
    assert handmade.zeros_like(x).dtype == handmade.ones_like(x).dtype == handmade.full_like(x, 2).dtype == x.dtype
    assert handmade.zeros(2, requires_grad=True).requires_grad
    assert handmade.one_hot(tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_seed_repeats_all_randomness():
    def draw():
        handmade.manual_seed(7)
        drawn = [handmade.randn(3), handmade.rand(3), handmade.randint(0, 9, (3,)), handmade.randperm(5)]
        weights = handmade.ones(6)
        return [*drawn, handmade.multinomial(weights, 3), handmade.randn_like(weights), handmade.rand_like(weights)]

    first, second = draw(), draw()
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(first, second, strict=True))
    state = handmade.random.get_state()
    a = handmade.rand(4).tolist()
    handmade.random.set_state(state)
    assert handmade.rand(4).tolist() == a


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial_draws_by_weight(replacement):
    weights = tensor([[1.0, 0.0, 3.0, 4.0], [5.0, 5.0, 0.0, 0.0]])
    draws = np.stack([handmade.multinomial(weights, 2, replacement).numpy() for _ in range(4000)])
    shares = np.stack([np.bincount(draws[:, row, 0], minlength=4) / len(draws) for row in range(2)])
    # 4 standard deviations of a share estimated from 4,000 draws
    assert_allclose(shares, [[1 / 8, 0, 3 / 8, 4 / 8], [0.5, 0.5, 0, 0]], atol=4 * 0.5 / np.sqrt(4000))
    if not replacement:
        assert (draws[..., 0] != draws[..., 1]).all()


def test_gradcheck_finds_a_wrong_gradient_that_ones_would_miss():
    def softmax_without_gradient(x):
        return x.softmax(-1).detach() + 0 * x

    x = handmade.randn(2, 3, dtype=handmade.float64, requires_grad=True)
    with pytest.raises(AssertionError, match=r"softmax_without_gradient: gradient of input 0 at \[0, 0\]"):
        handmade.gradcheck(softmax_without_gradient, x)
    with pytest.raises(TypeError, match="differences need float64"):
        handmade.gradcheck(softmax_without_gradient, x.detach().float().requires_grad_())
    with pytest.raises(ValueError, match="none of the inputs has requires_grad"):
        handmade.gradcheck(softmax_without_gradient, x.detach())
