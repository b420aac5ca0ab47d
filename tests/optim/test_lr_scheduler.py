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
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda t: 0.9 if t % 2 else 1.05),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.9),
    "constant": lambda s, o: s.ConstantLR(o, 0.25, 4),
    "polynomial": lambda s, o: s.PolynomialLR(o, 9, 2.0),
    "warm restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    "one cycle": lambda s, o: s.OneCycleLR(o, [0.5, 0.2], total_steps=16, cycle_momentum=False),
    "one cycle, linear": lambda s, o: s.OneCycleLR(
        o, 0.5, epochs=8, steps_per_epoch=2, anneal_strategy="linear", cycle_momentum=False
    ),
    "chained": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.5, 3), s.ExponentialLR(o, 0.9)]),
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
def test_continues_from_a_saved_state_after_any_step(name):
    first = SCHEDULES[name](optim.lr_scheduler, ours())
    for _ in range(14):
        second = SCHEDULES[name](optim.lr_scheduler, ours())
        second.load_state_dict(first.state_dict())
        second.optimizer.load_state_dict(first.optimizer.state_dict())
        assert second.get_last_lr() == first.get_last_lr()
        first.step()
        second.step()
        assert second.get_last_lr() == first.get_last_lr()


def in_both(change):
    """The rates of both libraries while `change(library's schedules, optimizer, zeros)` yields after each step."""
    rates = []
    for library, zeros in (
        (optim, lambda: tensor([0.0], requires_grad=True)),
        (torch.optim, lambda: torch.zeros(1, requires_grad=True)),
    ):
        optimizer = two_groups(library, zeros)
        rates.append(
            [[group["lr"] for group in optimizer.param_groups] for _ in change(library.lr_scheduler, optimizer, zeros)]
        )
    mine, theirs = rates
    assert len(mine) == len(theirs) > 3
    for one, other in zip(mine, theirs, strict=True):
        assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Detected call of")
def test_two_schedules_of_one_optimizer_multiply_and_a_rate_set_by_hand_goes_on():
    def change(s, optimizer, zeros):
        schedules = [s.ExponentialLR(optimizer, 0.9), s.StepLR(optimizer, 2), s.CosineAnnealingLR(optimizer, 9)]
        for t in range(8):
            for schedule in schedules:
                schedule.step()
            if t == 3:
                optimizer.param_groups[0]["lr"] = 0.7
            yield

    in_both(change)


def test_a_plateau_lowers_the_rate_as_torchs():
    def change(s, optimizer, zeros):
        schedule = s.ReduceLROnPlateau(optimizer, "max", 0.5, patience=1, cooldown=1, min_lr=0.02)
        for measure in (1.0, 1.0, 1.0, 0.9, 0.9, 2.0, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5):
            schedule.step(measure)
            yield

    in_both(change)


def test_a_group_added_later_joins_at_its_rate():
    optimizer = ours()
    schedule = optim.StepLR(optimizer, 1, 0.5)
    schedule.step()
    optimizer.add_param_group({"params": [tensor([0.0], requires_grad=True)], "lr": 8.0})
    schedule.step()
    assert [group["lr"] for group in optimizer.param_groups] == [0.025, 0.075, 4.0]


def test_bad_arguments():
    with pytest.raises(ValueError, match="1 functions for 2 parameter groups"):
        optim.LambdaLR(ours(), [lambda t: 1.0])
    with pytest.raises(ValueError, match="step_size is 0"):
        optim.StepLR(ours(), 0)
    with pytest.raises(ValueError, match="T_max is 0"):
        optim.CosineAnnealingLR(ours(), 0)
    optimizer = ours()
    with pytest.raises(ValueError, match="2 schedules need 1, not 2"):
        optim.SequentialLR(optimizer, [optim.StepLR(optimizer, 3), optim.StepLR(optimizer, 3)], [1, 2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"last_epoch": -2}, "last_epoch is -2, expected a step"),
        ({"last_epoch": "x"}, 'last_epoch is "x", expected a whole number'),
        ({"last_epoch": 10**30}, "last_epoch is 10+, expected a step"),
        ({"base_lrs": [0.1]}, r"base_lrs are \[0.1\], expected the rates of 2 groups"),
        ({"base_lrs": [0.1, -1.0]}, r"base_lrs are \[0.1, -1.0\]"),
        ({"base_lrs": [0.1, "x"]}, "base_lrs is a list, expected a list, each a number"),
        ({"base_lrs": None}, "base_lrs is null"),
        ({"_last_lr": [0.1]}, r"_last_lr are \[0.1\], expected the rates of 2 groups"),
        ({"_last_lr": "x"}, '_last_lr is "x"'),
    ],
)
def test_a_state_with_wrong_entries_is_refused_and_nothing_is_loaded(change, message):
    schedule = optim.CosineAnnealingLR(ours(), 10)
    schedule.step()
    before, rates = schedule.state_dict(), schedule.get_last_lr()
    with pytest.raises(ValueError, match=message):
        schedule.load_state_dict({**before, **change})
    assert (schedule.state_dict(), schedule.get_last_lr()) == (before, rates)


def test_states_of_schedules_of_schedules_are_checked():
    optimizer = ours()
    schedule = optim.SequentialLR(optimizer, [optim.StepLR(optimizer, 3), optim.StepLR(optimizer, 3)], [1])
    state = schedule.state_dict()
    for change, message in (
        ({"_schedulers": []}, "state_dict is of 0 schedules, expected 2"),
        ({"_schedulers": [{}, {}]}, "state_dict has no last_epoch"),
        ({"_last_lr": [1.0]}, "expected the rates of 2 groups"),
        ({"last_epoch": None}, "last_epoch is null"),
    ):
        with pytest.raises(ValueError, match=message):
            schedule.load_state_dict({**state, **change})
    plateau = optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    plateau.load_state_dict(plateau.state_dict())
    for wrong in ({}, {**plateau.state_dict(), "best": "x"}, {**plateau.state_dict(), "optimizer": 5}):
        with pytest.raises(ValueError, match=r"expected mode, factor, "):
            plateau.load_state_dict(wrong)
