"""Schedules by a formula of t, the number of `step()` calls so far."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from handmade.optim.lr_scheduler.base import LRScheduler
from handmade.optim.optimizer import Optimizer


class LambdaLR(LRScheduler):
    """base * lr_lambda(t), for any formula: one function for all groups, or a list with one for each."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(optimizer.param_groups)
        self.lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self.lambdas) != groups:
            raise ValueError(f"lr_lambda: {len(self.lambdas)} functions for {groups} parameter groups")
        super().__init__(optimizer, last_epoch)

    def rates(self) -> list[float]:
        return self.rates_from(self.last_epoch)

    def rates_from(self, t: int) -> list[float]:
        functions = self.lambdas + self.lambdas[-1:] * (len(self.base_lrs) - len(self.lambdas))
        return [base * factor(t) for base, factor in zip(self.base_lrs, functions, strict=True)]


class MultiplicativeLR(LRScheduler):
    """The rate times lr_lambda(t) at each step."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float], last_epoch: int = -1) -> None:
        self.lr_lambda = lr_lambda
        super().__init__(optimizer, last_epoch)

    def next(self, lr: float, base: float, t: int) -> float:
        return lr * self.lr_lambda(t) if t else lr


class StepLR(LRScheduler):
    """base * gamma^floor(t / step_size)."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        if step_size < 1:
            raise ValueError(f"StepLR: step_size is {step_size}, expected at least 1")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def next(self, lr: float, base: float, t: int) -> float:
        return lr if t == 0 or t % self.step_size else lr * self.gamma

    def closed(self, base: float, t: int) -> float:
        return base * self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """base * gamma^(milestones reached by t)."""

    def __init__(
        self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def next(self, lr: float, base: float, t: int) -> float:
        return lr * self.gamma ** self.milestones.count(t) if t in self.milestones else lr

    def closed(self, base: float, t: int) -> float:
        return base * self.gamma ** sum(t >= milestone for milestone in self.milestones)


class ExponentialLR(LRScheduler):
    """base * gamma^t."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next(self, lr: float, base: float, t: int) -> float:
        return lr * self.gamma if t else lr

    def closed(self, base: float, t: int) -> float:
        return base * self.gamma**t


class ConstantLR(LRScheduler):
    """base * factor for the first total_iters steps, then base."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        if not 0 <= factor <= 1:
            raise ValueError(f"ConstantLR: factor is {factor}, expected 0 to 1")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def next(self, lr: float, base: float, t: int) -> float:
        if t == 0:
            return lr * self.factor
        return lr / self.factor if t == self.total_iters else lr

    def closed(self, base: float, t: int) -> float:
        return base * (self.factor if t < self.total_iters else 1)


class LinearLR(LRScheduler):
    """base times a factor that goes linearly from start_factor to end_factor over total_iters steps: warm-up."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ValueError(
                f"LinearLR: start_factor is {start_factor}, end_factor {end_factor}; expected 0 to 1, a start above 0"
            )
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def next(self, lr: float, base: float, t: int) -> float:
        if t == 0:
            return lr * self.start_factor
        if t > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        return lr * (1 + rise / (self.total_iters * self.start_factor + (t - 1) * rise))

    def closed(self, base: float, t: int) -> float:
        done = min(t, self.total_iters) / self.total_iters if self.total_iters else 0
        return base * (self.start_factor + (self.end_factor - self.start_factor) * done)


class PolynomialLR(LRScheduler):
    """base (1 - t / total_iters)^power, and 0 from total_iters on."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def next(self, lr: float, base: float, t: int) -> float:
        if t == 0 or t > self.total_iters:
            return lr
        return lr * ((1 - t / self.total_iters) / (1 - (t - 1) / self.total_iters)) ** self.power

    def closed(self, base: float, t: int) -> float:
        return base * (1 - min(self.total_iters, t) / self.total_iters) ** self.power


class CosineAnnealingLR(LRScheduler):
    """eta_min + (base - eta_min) (1 + cos(pi t / T_max)) / 2 (Loshchilov & Hutter 2017, equation 5)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if T_max < 1:
            raise ValueError(f"CosineAnnealingLR: T_max is {T_max}, expected at least 1")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def next(self, lr: float, base: float, t: int) -> float:
        if t == 0:
            return lr
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # up again, from where the ratio below would divide by zero
            return lr + (base - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        ratio = (1 + math.cos(math.pi * t / self.T_max)) / (1 + math.cos(math.pi * (t - 1) / self.T_max))
        return self.eta_min + ratio * (lr - self.eta_min)

    def closed(self, base: float, t: int) -> float:
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * t / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosines one after another, each T_mult times as long as the one before, the first of T_0 steps (equation 5)."""

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if T_0 < 1 or T_mult < 1:
            raise ValueError(f"CosineAnnealingWarmRestarts: T_0 is {T_0} and T_mult {T_mult}, expected at least 1")
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer, last_epoch)

    def next(self, lr: float, base: float, t: int) -> float:
        return self.closed(base, t)

    def closed(self, base: float, t: int) -> float:
        length = self.T_0
        while t >= length:
            t -= length
            length *= self.T_mult
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * t / length)) / 2


class OneCycleLR(LRScheduler):
    """Up from max_lr / div_factor to max_lr in the share pct_start of the steps, then down to a tiny rate, by cosines.

    Momentum goes the other way, from max_momentum to base_momentum and back (Smith & Topin 2018).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: pass total_steps, or epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        if total_steps < 1 or anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: total_steps is {total_steps}, anneal_strategy {anneal_strategy!r}; "
                "expected at least 1, and 'cos' or 'linear'"
            )
        self.total_steps, self.anneal_strategy = total_steps, anneal_strategy
        self.top = pct_start * total_steps - 1
        self.momenta = (max_momentum, base_momentum) if cycle_momentum else None
        rates = [max_lr] * len(optimizer.param_groups) if isinstance(max_lr, float | int) else list(max_lr)
        for group, highest in zip(optimizer.param_groups, rates, strict=True):
            if last_epoch == -1:
                group["initial_lr"] = highest / div_factor
                group["max_lr"], group["min_lr"] = highest, highest / div_factor / final_div_factor
        super().__init__(optimizer, last_epoch)

    def rates(self) -> list[float]:
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"OneCycleLR: step {t + 1} of a cycle of {self.total_steps} steps")
        rates = []
        for group in self.optimizer.param_groups:
            ends = group["initial_lr"], group["max_lr"], group["min_lr"]
            rates.append(self._between(*ends, t))
            if self.momenta:
                momentum = self._between(*self.momenta, self.momenta[0], t)
                if "betas" in group:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
        return rates

    def _between(self, start: float, top: float, end: float, t: int) -> float:
        last = self.total_steps - 1
        first, second, done = (
            (start, top, t / self.top) if t <= self.top else (top, end, (t - self.top) / (last - self.top))
        )
        if self.anneal_strategy == "linear":
            return first + (second - first) * done
        return second + (first - second) / 2 * (1 + math.cos(math.pi * done))
