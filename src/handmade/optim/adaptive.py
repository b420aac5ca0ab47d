"""Optimizers that divide each gradient by a measure of its size: Adagrad, RMSprop, Adadelta."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from handmade.optim.optimizer import Optimizer, check_range


class Adagrad(Optimizer):
    """s = s + g^2;  w = w - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)  (Duchi et al. 2011)."""

    remembers: ClassVar[tuple[str, ...]] = ("step", "sum")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        named = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps}
        named["initial_accumulator_value"] = initial_accumulator_value
        super().__init__(params, {**named, "maximize": maximize})

    def check(self, options: dict[str, Any]) -> None:
        for name in ("lr", "lr_decay", "weight_decay", "eps", "initial_accumulator_value"):
            check_range(name, options[name], 0)

    def update(self, weight: np.ndarray, gradient: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state.update(step=0, sum=np.full_like(weight, group["initial_accumulator_value"]))
        state["step"] += 1
        gradient = gradient + group["weight_decay"] * weight
        total = state["sum"]
        total += gradient * gradient
        rate = group["lr"] / (1 + (state["step"] - 1) * group["lr_decay"])
        weight -= rate * gradient / (np.sqrt(total) + group["eps"])


class RMSprop(Optimizer):
    """v = alpha v + (1 - alpha) g^2;  w = w - lr g / (sqrt(v) + eps)  (Hinton 2012, lecture 6e).

    centered: v minus the square of the gradient's average. momentum: of the steps.
    """

    remembers: ClassVar[tuple[str, ...]] = ("step", "square_avg")
    may_remember: ClassVar[tuple[str, ...]] = ("grad_avg", "momentum_buffer")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
    ) -> None:
        named = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__(params, {**named, "centered": centered, "maximize": maximize})

    def check(self, options: dict[str, Any]) -> None:
        for name in ("lr", "alpha", "eps", "weight_decay", "momentum"):
            check_range(name, options[name], 0)

    def update(self, weight: np.ndarray, gradient: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state.update(step=0, square_avg=np.zeros_like(weight))
        state["step"] += 1
        gradient = gradient + group["weight_decay"] * weight
        alpha, square = group["alpha"], state["square_avg"]
        square += (1 - alpha) * (gradient * gradient - square)
        spread = square
        if group["centered"]:
            average = state.setdefault("grad_avg", np.zeros_like(weight))
            average += (1 - alpha) * (gradient - average)
            spread = square - average * average
        step = gradient / (np.sqrt(spread) + group["eps"])
        if group["momentum"]:
            velocity = state.setdefault("momentum_buffer", np.zeros_like(weight))
            velocity *= group["momentum"]
            velocity += step
            step = velocity
        weight -= group["lr"] * step


class Adadelta(Optimizer):
    """d = g sqrt(u + eps) / sqrt(v + eps);  w = w - lr d; u and v are averages of d^2 and g^2 (Zeiler 2012)."""

    remembers: ClassVar[tuple[str, ...]] = ("step", "square_avg", "acc_delta")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
    ) -> None:
        named = {"lr": lr, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**named, "rho": rho, "maximize": maximize})

    def check(self, options: dict[str, Any]) -> None:
        check_range("rho", options["rho"], 0, 1)
        for name in ("lr", "eps", "weight_decay"):
            check_range(name, options[name], 0)

    def update(self, weight: np.ndarray, gradient: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state.update(step=0, square_avg=np.zeros_like(weight), acc_delta=np.zeros_like(weight))
        state["step"] += 1
        gradient = gradient + group["weight_decay"] * weight
        rho, eps, square, accumulated = group["rho"], group["eps"], state["square_avg"], state["acc_delta"]
        square += (1 - rho) * (gradient * gradient - square)
        step = gradient * (np.sqrt(accumulated + eps) / np.sqrt(square + eps))
        accumulated += (1 - rho) * (step * step - accumulated)
        weight -= group["lr"] * step
