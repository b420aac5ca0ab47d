"""Schedules made of schedules, and the one that watches a measure instead of the steps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from handmade.optim.lr_scheduler.base import LRScheduler
from handmade.optim.optimizer import Optimizer
from handmade.reading import require


class SequentialLR(LRScheduler):
    """One schedule after another: `schedulers[i + 1]` takes over, with its own t = 0, at step `milestones[i]`."""

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"milestones: {len(schedulers)} schedules need {len(schedulers) - 1}, not {len(milestones)}"
            )
        self.optimizer = optimizer
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:  # each schedule has set the rate when it was made: undone
            group["lr"] = group["initial_lr"]
        for schedule in self.schedulers:
            schedule.last_epoch = -1
        self.schedulers[0].step()
        self._last_lr = self.schedulers[0].get_last_lr()

    @property
    def base_lrs(self) -> list[float]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.schedulers[0].base_lrs

    def step(self, epoch: int | None = None) -> None:
        self.last_epoch += 1
        active = bisect_right(self.milestones, self.last_epoch)
        begins = active > 0 and self.milestones[active - 1] == self.last_epoch
        self.schedulers[active].step(0 if begins else None)
        self._last_lr = self.schedulers[active].get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        parts = [schedule.state_dict() for schedule in self.schedulers]
        return {"last_epoch": self.last_epoch, "_last_lr": self.get_last_lr(), "_schedulers": parts}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        require(state_dict, {"last_epoch": int}, "state_dict")
        _load_parts(self, self.schedulers, state_dict)
        self.last_epoch = state_dict["last_epoch"]


class ChainedScheduler(LRScheduler):
    """Several schedules at once: each multiplies the rate."""

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler: the list of schedules is empty")
        self.schedulers = list(schedulers)
        self.optimizer = optimizer or self.schedulers[0].optimizer
        self._last_lr = self.schedulers[-1].get_last_lr()

    def step(self, epoch: int | None = None) -> None:
        for schedule in self.schedulers:
            schedule.step()
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        return {"_last_lr": self.get_last_lr(), "_schedulers": [schedule.state_dict() for schedule in self.schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        _load_parts(self, self.schedulers, state_dict)


def _load_parts(whole: LRScheduler, schedulers: list[LRScheduler], state_dict: dict[str, Any]) -> None:
    """The state of each schedule; then the rates, which the last one that was loaded has set."""
    require(state_dict, {"_last_lr": list[float], "_schedulers": list[dict]}, "state_dict")
    parts, rates = state_dict["_schedulers"], state_dict["_last_lr"]
    if len(parts) != len(schedulers):
        raise ValueError(f"state_dict is of {len(parts)} schedules, expected {len(schedulers)}")
    whole._check_rates("_last_lr", rates)
    for schedule, part in zip(schedulers, parts, strict=True):
        schedule.load_state_dict(part)
    whole._set(list(rates))


class ReduceLROnPlateau:
    """The rate times `factor` once `step(measure)` has seen no better measure for more than `patience` epochs.

    mode: "min" if smaller measures are better, "max" if larger. threshold: by how much a measure has to be better,
    as a part of the best ("rel") or as a difference ("abs"). cooldown: how many epochs to wait after a change.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1 or mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau: factor is {factor}, mode {mode!r}, threshold_mode {threshold_mode!r}; "
                "expected a factor below 1, 'min' or 'max', 'rel' or 'abs'"
            )
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, threshold_mode, cooldown, eps
        groups = len(optimizer.param_groups)
        self.min_lrs = [min_lr] * groups if isinstance(min_lr, float | int) else list(min_lr)
        self.best = float("inf") if mode == "min" else -float("inf")
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0

    def step(self, metrics: Any, epoch: int | None = None) -> None:
        current = float(metrics)
        self.last_epoch += 1
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, lowest in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                lower = max(group["lr"] * self.factor, lowest)
                group["lr"] = lower if group["lr"] - lower > self.eps else group["lr"]
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def _is_better(self, current: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            return sign * current < sign * self.best * (1 - sign * self.threshold)
        return sign * current < sign * self.best - self.threshold

    def get_last_lr(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        known = {name: value for name, value in vars(self).items() if name != "optimizer"}
        wrong = [name for name in known if type(state_dict.get(name)) not in (type(known[name]), int, float)]
        if wrong or state_dict.keys() != known.keys():
            raise ValueError(
                f"state_dict has {', '.join(map(str, state_dict))}; expected {', '.join(known)}, as it has"
            )
        vars(self).update(state_dict)
