"""Every schedule gives PyTorch's learning rates, and continues from its saved state."""

import pytest
import torch
from numpy.testing import assert_allclose

from handmade import optim, tensor

SCHEDULES = {
    "step": lambda s, o: s.StepLR(o, 4, 0.5),
    "multi step": lambda s, o: s.MultiStepLR(o, [3, 7, 7, 12]),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 10, 0.01),
    "lambda": lambda s, o: s.LambdaLR(o, [lambda t: 0.9**t, lambda t: 1 / (1 + t)]),
    "warm-up": lambda s, o: s.LinearLR(o, 0.1, total_iters=6),
    "warm-up, then cosine": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 8)], [5]
    ),
}


def two_groups(library, zeros):
    groups = [{"params": [zeros()]}, {"params": [zeros()], "lr": 0.3}]
    return library.SGD(groups, lr=0.1)


def ours():
    return two_groups(optim, lambda: tensor([0.0], requires_grad=True))


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.filterwarnings("ignore:Detected call of")  # torch warns that no optimizer.step() came first
@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_rates_are_torchs(name):
    mine = ours()
    theirs = two_groups(torch.optim, lambda: torch.zeros(1, requires_grad=True))
    schedule = SCHEDULES[name](optim.lr_scheduler, mine)
    reference = SCHEDULES[name](torch.optim.lr_scheduler, theirs)
    for _ in range(15):
        assert_allclose(schedule.get_last_lr(), reference.get_last_lr(), rtol=1e-9, atol=1e-12)
        schedule.step()
        reference.step()


@pytest.mark.parametrize("name", SCHEDULES)
def test_continues_from_a_saved_state(name):
    first, second = SCHEDULES[name](optim.lr_scheduler, ours()), SCHEDULES[name](optim.lr_scheduler, ours())
    for _ in range(6):
        first.step()
    second.load_state_dict(first.state_dict())
    assert second.get_last_lr() == first.get_last_lr()
    first.step()
    second.step()
    assert second.get_last_lr() == first.get_last_lr()


def test_bad_arguments():
    with pytest.raises(ValueError, match="1 functions for 2 parameter groups"):
        optim.LambdaLR(ours(), [lambda t: 1.0])
    optimizer = ours()
    with pytest.raises(ValueError, match="2 schedules need 1, not 2"):
        optim.SequentialLR(optimizer, [optim.StepLR(optimizer, 3), optim.StepLR(optimizer, 3)], [1, 2])
