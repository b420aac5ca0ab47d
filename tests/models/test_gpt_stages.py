"""The stages from a bigram to GPT: causal, one contract, each built of what its name says."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import handmade
from handmade import tensor
from handmade.models.gpt_stages import STAGES, gpt_stage

V, BLOCK = 11, 6
NUMBERS = range(1, len(STAGES))


@pytest.fixture(params=NUMBERS, ids=lambda number: STAGES[number - 1].name)
def model(request):
    model = gpt_stage(request.param, V, BLOCK, channels=8, num_heads=2, num_layers=2).double()
    for parameter in model.parameters():
        handmade.nn.init.normal_(parameter, std=0.5)
    return model


def test_a_future_token_changes_no_past_score(model, rng):
    tokens = rng.integers(0, V, (2, BLOCK))
    changed = tokens.copy()
    changed[:, 3] = (changed[:, 3] + 1) % V
    before, after = (model(tensor(x))[0].numpy() for x in (tokens, changed))
    assert_allclose(after[:, :3], before[:, :3], rtol=0, atol=1e-13)
    assert not np.allclose(after[:, 3:], before[:, 3:])


@pytest.mark.slow
@pytest.mark.parametrize("pieces", [(1,) * 15, (4, 1, 10), (6, 9)], ids=str)
def test_reading_in_pieces_is_reading_at_once(model, rng, pieces):
    tokens = rng.integers(0, V, (2, 15))
    whole = model.read(tensor(tokens))[0].numpy()
    state, parts = None, []
    for end, size in zip(np.cumsum(pieces), pieces, strict=True):
        scores, state = model.read(tensor(tokens[:, end - size : end]), state)
        parts.append(scores.numpy())
    assert_allclose(np.concatenate(parts, axis=1), whole, rtol=0, atol=1e-12)


def test_every_parameter_learns(model, rng):
    tokens, targets = (tensor(rng.integers(0, V, (3, BLOCK))) for _ in range(2))
    model(tokens, targets)[1].backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_bigram_sees_one_token_and_the_others_more(model, rng):
    tokens = rng.integers(0, V, (1, BLOCK))
    changed = tokens.copy()
    changed[:, 0] = (changed[:, 0] + 1) % V
    before, after = (model(tensor(x))[0].numpy()[:, -1] for x in (tokens, changed))
    if model.block_size is None:
        assert_array_equal(before, after)
    else:
        assert not np.allclose(before, after)


@pytest.mark.parametrize("stage", [0, 7])
def test_no_such_stage(stage):
    with pytest.raises(ValueError, match=f"stage is {stage}, expected 1 to 6; the last is handmade.models.gpt"):
        gpt_stage(stage)
