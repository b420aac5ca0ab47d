"""What all learning-rate schedules share: they set the "lr" of every group when they are made and at each `step()`.

A schedule multiplies what the rate is (as PyTorch's do), instead of setting it from a formula of the step. So two
schedules of one optimizer work together, and a rate that was set by hand is the one that goes on.
"""

from __future__ import annotations

from typing import Any

from handmade.moved import HasMoved
from handmade.optim.optimizer import Optimizer
from handmade.reading import require


class LRScheduler(HasMoved):
    """Base class of the schedules. A subclass defines the two methods `next` and `closed`.

    last_epoch: -1 for a schedule that begins; a larger number continues one, whose optimizer has its groups'
    "initial_lr" from then.

    Attributes: `base_lrs`, the rates at the beginning; `last_epoch`, t, the number of `step()` calls so far.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = optimizer
        self.base_lrs: list[float] = []
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch != -1 and "initial_lr" not in group:
                raise KeyError(f"last_epoch is {last_epoch}, but group {number} has no 'initial_lr' to continue from")
        self._join_groups()
        self.last_epoch = last_epoch
        self.step()

    def next(self, lr: float, base: float, t: int) -> float:
        """The rate at t, of a group whose rate before was `lr` and in the beginning `base`."""
        raise NotImplementedError

    def closed(self, base: float, t: int) -> float:
        """The same from the formula of t alone, to begin in the middle."""
        raise NotImplementedError

    def rates(self) -> list[float]:
        """The rate of each group at `last_epoch`."""
        pairs = zip(self.optimizer.param_groups, self.base_lrs, strict=True)
        return [self.next(group["lr"], base, self.last_epoch) for group, base in pairs]

    def rates_from(self, t: int) -> list[float]:
        """The rate of each group at t, whatever it is now."""
        return [self.closed(base, t) for base in self.base_lrs]

    def step(self, epoch: int | None = None) -> None:
        """One step further, or to step number `epoch`."""
        self._join_groups()
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._set(self.rates() if epoch is None else self.rates_from(epoch))

    def _set(self, rates: list[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = lr
        self._last_lr = rates

    def _join_groups(self) -> None:
        """Groups that were added to the optimizer since begin at the rate that they have."""
        for group in self.optimizer.param_groups[len(self.base_lrs) :]:
            self.base_lrs.append(group.setdefault("initial_lr", group["lr"]))

    def get_last_lr(self) -> list[float]:
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs), "_last_lr": self.get_last_lr()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned: the groups get the rates that they had then.

        Raises ValueError where it is no such thing, or of another number of groups; nothing is loaded then.
        """
        require(state_dict, {"last_epoch": int, "base_lrs": list[float]}, "state_dict")
        t, base_lrs = state_dict["last_epoch"], state_dict["base_lrs"]
        if not -1 <= t < 2**63:
            raise ValueError(f"state_dict: last_epoch is {t}, expected a step")
        self._check_rates("base_lrs", base_lrs)
        last = state_dict.get("_last_lr")
        if last:
            require(state_dict, {"_last_lr": list[float]}, "state_dict")
            self._check_rates("_last_lr", last)
        self.last_epoch, self.base_lrs = t, list(base_lrs)
        self._set(list(last or self.rates_from(t)))

    def _check_rates(self, name: str, rates: list[float]) -> None:
        groups = len(self.optimizer.param_groups)
        if len(rates) != groups or min(rates) < 0:
            raise ValueError(f"state_dict: {name} are {rates}, expected the rates of {groups} groups")
