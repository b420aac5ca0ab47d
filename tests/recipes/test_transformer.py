"""The Transformer's recipe: it learns, and refuses sizes that make no sense."""

from itertools import islice

import numpy as np
import pytest

from handmade.data import dates
from handmade.errors import InputError
from handmade.optim import clip_grad_norm_
from handmade.recipes import recipe_of
from handmade.tasks import changed
from handmade.tasks.schedules import SCHEDULES


@pytest.mark.slow
def test_it_begins_to_read_dates(monkeypatch):
    """30 steps: below 2.5 nats a character with smoothing, of 4 at the start."""
    monkeypatch.setattr(dates, "COUNTS", {"train": 1000, "test": 10})
    settings = ["batch_size=500", "steps=30", "learning_rate=0.01", "num_layers=1", "d_model=32", "dropout=0"]
    task = changed(recipe_of("transformer"), settings).task()
    losses = []
    for batch in islice(task.batches(0, 0), 30):
        loss = task.loss(batch).loss
        task.optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(task.model.parameters(), task.recipe.max_norm)
        task.optimizer.step()
        task.schedule.step()
        losses.append(loss.item())
    assert losses[0] > 3.5
    assert np.mean(losses[-5:]) < 2.5


def test_its_optimizer_has_the_papers_moments():
    recipe = recipe_of("transformer")
    group = recipe.make_optimizer(recipe.build(10)).param_groups[0]
    assert (group["betas"], group["eps"]) == ((0.9, 0.98), 1e-9)


def test_sizes_go_into_the_network():
    settings = ["d_model=12", "num_heads=2", "num_layers=1", "dim_feedforward=7", "dropout=0.3", "norm_first=no"]
    model = changed(recipe_of("transformer"), settings).build(10)
    assert model.target_embedding.weight.shape == (10, 12)
    assert (model.encoder.num_layers, model.decoder.num_layers) == (1, 1)
    layer = model.decoder.layers[0]
    assert layer.linear1.weight.shape == (7, 12)
    assert (layer.self_attn.num_heads, layer.dropout1.p, layer.norm_first, model.decoder.norm) == (2, 0.3, False, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["d_model=0"], "d_model is 0"),
        (["num_layers=0"], "num_layers is 0"),
        (["dim_feedforward=-1"], "dim_feedforward is -1"),
        (["dropout=1"], "dropout is 1.0, expected a probability below 1"),
        (["dropout=-0.1"], "dropout is -0.1"),
        (["d_model=10", "num_heads=3"], "num_heads is 3, which does not divide d_model = 10"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(InputError, match=message):
        changed(recipe_of("transformer"), settings)


def test_the_inverse_square_root_schedule():
    """The paper's equation 3 with a warm-up of 400 of 4,000 steps, as a share of its highest rate."""
    factor, d_model, warm_up = SCHEDULES["inverse-square-root"], 512, 400
    rate = lambda step: d_model**-0.5 * min(step**-0.5, step * warm_up**-1.5)
    for step in (1, 100, 399, 400, 401, 1600, 4000):
        assert factor(step / 4000) == pytest.approx(rate(step) / rate(400))
