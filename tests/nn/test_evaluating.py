"""Evaluation mode for a while: every part is as it was before, whatever happens inside."""

import pytest

from handmade import nn
from handmade.nn.utils import evaluating


def test_every_part_is_evaluated_and_restored():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(2)))
    model[1][1].eval()  # frozen, as in fine-tuning
    before = [part.training for part in model.modules()]
    with evaluating(model):
        assert not any(part.training for part in model.modules())
        with evaluating(model):
            pass
        assert not any(part.training for part in model.modules())
    assert [part.training for part in model.modules()] == before == [True, True, True, True, False]


def test_an_error_inside_changes_nothing():
    model = nn.Dropout(0.5)
    with pytest.raises(ZeroDivisionError), evaluating(model):
        1 / 0  # noqa: B018
    assert model.training
