"""How far gradients reach: the norms are those that the equations give, and what is said of skips and gates holds."""

import numpy as np
import pytest

from handmade.lens.gradient_flow import spectral_radius
from handmade.lens.reach import EXAMPLES, HIDDEN, WIDTH, gradients_by_layer, gradients_by_step, rate


@pytest.mark.parametrize("residual", [False, True])
def test_by_layer_is_the_product_of_jacobians(residual):
    depth, scale = 5, 1.2
    rng = np.random.default_rng(3)
    states, weights = [rng.standard_normal((EXAMPLES, WIDTH))], []
    for _ in range(depth):
        weights.append(scale * np.sqrt(2 / WIDTH) * rng.standard_normal((WIDTH, WIDTH)))
        branch = np.maximum(states[-1] @ weights[-1].T, 0)
        states.append(branch + states[-1] if residual else branch)
    gradient = rng.standard_normal((EXAMPLES, WIDTH))
    norms = [np.linalg.norm(gradient)]
    for x, W in zip(states[-2::-1], weights[::-1], strict=True):
        through = (gradient * (x @ W.T > 0)) @ W
        gradient = through + gradient if residual else through
        norms.append(np.linalg.norm(gradient))
    expected = np.array(norms[::-1]) / norms[0]
    np.testing.assert_allclose(gradients_by_layer(depth, scale, False, residual, seed=3), expected, rtol=1e-6)


def test_he_keeps_a_plain_gradient_smaller_weights_lose_it_and_a_skip_never_does():
    by = lambda **options: gradients_by_layer(**{"depth": 20, "normalised": False, "residual": False, **options})
    assert 0.1 < by(scale=1)[0] < 10
    assert by(scale=0.41)[0] < 1e-7
    np.testing.assert_allclose(by(scale=0.5), by(scale=1) * 0.5 ** np.arange(20, -1, -1.0), rtol=1e-6)  # relu(s x)
    assert by(scale=0.41, residual=True)[0] > 1
    np.testing.assert_allclose(by(scale=0.7, normalised=True), by(scale=1.4, normalised=True), rtol=1e-2)  # eps of it


def test_an_rnn_has_the_radius_asked_for_and_open_gates_keep_what_closed_ones_lose():
    rnn = gradients_by_step("rnn", 12, 1.3, 0.0)
    assert spectral_radius(rnn.layer) == pytest.approx(1.3, rel=1e-5)
    assert rnn.x.shape == (12, 1, 8)
    assert rnn.layer.hidden_size == HIDDEN
    assert len(rnn.norms["h"]) == 13
    for kind in ("lstm", "gru"):
        closed, opened = (gradients_by_step(kind, 12, 1.0, bias).norms["h"][0] for bias in (0.0, 5.0))
        assert opened > 10 * closed


def test_the_rate_is_the_geometric_mean_of_the_factors():
    norms = gradients_by_layer(7, 0.9, False, False)
    assert rate(norms) == pytest.approx(np.exp(np.log(norms[:-1] / norms[1:]).mean()))
    assert rate(norms) ** 7 == pytest.approx(norms[0])
