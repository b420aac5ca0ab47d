"""Positions: the formulas written another way, and the properties they are made for."""

import numpy as np
import pytest

import handmade
from handmade import nn, tensor
from handmade.engine import gradcheck
from handmade.nn.positions import sinusoidal_positions
from tests.support.against_torch import check_parity


@pytest.mark.parametrize("dim", [6, 7])
def test_sinusoids(dim):
    table = sinusoidal_positions(9, dim)
    for t in range(9):
        for column in range(dim):
            angle = t / 10000 ** (2 * (column // 2) / dim)
            assert table[t, column] == pytest.approx(np.cos(angle) if column % 2 else np.sin(angle), abs=1e-12)


def test_sinusoids_are_added_at_their_places_and_reach_any_length(rng):
    x = rng.standard_normal((2, 5, 6)).astype(np.float32)
    positions = nn.SinusoidalPositions(6)
    table = sinusoidal_positions(3000, 6)
    np.testing.assert_allclose(positions(tensor(x)).numpy(), x + table[:5], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(positions(tensor(x), 2000).numpy(), x + table[2000:2005], rtol=1e-6, atol=1e-6)
    assert not list(positions.parameters())
    assert not positions.state_dict()
    assert positions(tensor(x.astype(np.float64))).dtype == handmade.float64


def test_learned_positions(rng):
    positions = nn.LearnedPositions(7, 4)
    x = tensor(rng.standard_normal((2, 3, 4)).astype(np.float32))
    weight = positions.weight.numpy()
    np.testing.assert_allclose(positions(x).numpy(), x.numpy() + weight[:3], rtol=1e-6)
    output = positions(x, start=4)
    np.testing.assert_allclose(output.numpy(), x.numpy() + weight[4:], rtol=1e-6)
    g = rng.standard_normal(output.shape).astype(np.float32)
    output.backward(g)
    np.testing.assert_allclose(positions.weight.grad.numpy()[4:], g.sum(0), rtol=1e-6)
    assert not positions.weight.grad.numpy()[:4].any()


def test_a_text_longer_than_the_learned_positions():
    with pytest.raises(ValueError, match=r"x \(2, 3, 4\) needs 8 positions, but there are only 7; shorten it"):
        nn.LearnedPositions(7, 4)(handmade.zeros(2, 3, 4), start=5)


@pytest.mark.parametrize("start", [0, 11])
def test_interleaved_rotation_is_a_product_of_complex_numbers(start, rng):
    x = rng.standard_normal((2, 3, 5, 8))

    def turn(library, x):
        if library is handmade:
            return nn.RotaryEmbedding(8, base=500.0, interleaved=True)(x, start)
        positions, places = library.arange(start, start + 5).double(), library.arange(0, 8, 2).double()
        angles = positions[:, None] / 500.0 ** (places / 8)
        turned = library.view_as_complex(x.reshape(2, 3, 5, 4, 2)) * library.exp(1j * angles)
        return library.view_as_real(turned).flatten(-2)

    check_parity(turn, x, dtypes=("float64",))


def test_halves_are_the_interleaved_pairs_in_another_order(rng):
    x = rng.standard_normal((2, 5, 8)).astype(np.float32)
    order = [0, 4, 1, 5, 2, 6, 3, 7]  # pairs (i, i + 4) side by side
    halves = nn.RotaryEmbedding(8)(tensor(x)).numpy()
    interleaved = nn.RotaryEmbedding(8, interleaved=True)(tensor(x[..., order])).numpy()
    np.testing.assert_allclose(halves[..., order], interleaved, rtol=1e-6)


@pytest.mark.parametrize("interleaved", [True, False])
def test_products_of_turned_vectors_depend_on_the_distance_alone(interleaved, rng):
    rotary = nn.RotaryEmbedding(6, interleaved=interleaved)
    query, key = (tensor(rng.standard_normal((1, 6))) for _ in range(2))
    product = lambda t, s: float((rotary(query, t) * rotary(key, s)).sum())
    assert product(9, 4) == pytest.approx(product(105, 100))
    assert abs(product(9, 4) - product(9, 5)) > 1e-3
    np.testing.assert_allclose(np.linalg.norm(rotary(query, 7).numpy()), np.linalg.norm(query.numpy()))


@pytest.mark.parametrize("interleaved", [True, False])
def test_gradient_of_the_rotation(interleaved, rng):
    x = tensor(rng.standard_normal((2, 3, 4)), requires_grad=True)
    gradcheck(lambda x: nn.RotaryEmbedding(4, interleaved=interleaved)(x, 3), x)


def test_grouped_query_attention_with_rotation_sees_distances_alone(rng):
    handmade.manual_seed(1)
    attention = nn.GroupedQueryAttention(12, 3, 1, rotary=nn.RotaryEmbedding(4))
    plain = nn.GroupedQueryAttention(12, 3, 1)
    plain.load_state_dict(attention.state_dict())
    x = tensor(rng.standard_normal((1, 5, 12)).astype(np.float32))
    reverse = x.flip(1)
    np.testing.assert_allclose(plain(reverse).flip(1).numpy(), plain(x).numpy(), rtol=1e-3, atol=1e-5)
    assert np.abs(attention(reverse).flip(1).numpy() - attention(x).numpy()).max() > 1e-3


def test_sizes_that_do_not_fit():
    with pytest.raises(ValueError, match="head_dim is 5; expected an even number"):
        nn.RotaryEmbedding(5)
    with pytest.raises(ValueError, match=r"x has shape \(2, 3, 6\); expected \(..., T, 4\)"):
        nn.RotaryEmbedding(4)(handmade.zeros(2, 3, 6))


def test_they_show_their_sizes():
    shown = map(repr, (nn.SinusoidalPositions(6), nn.LearnedPositions(7, 4), nn.RotaryEmbedding(4)))
    assert list(shown) == [
        "SinusoidalPositions(6)",
        "LearnedPositions(7, 4)",
        "RotaryEmbedding(4, base=10000.0, interleaved=False)",
    ]
