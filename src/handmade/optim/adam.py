"""Adam, and AdamW with its decoupled weight decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from handmade.kernels import optimizers as kernels
from handmade.optim.optimizer import Optimizer, check_differentiable, check_range


class Adam(Optimizer):
    """Steps of about lr in every direction, whatever the gradient's scale (Kingma & Ba 2015, algorithm 1).

    m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  w = w - lr m' / (sqrt(v') + eps). Both averages start
    at 0, so they are too small at first: m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) correct this bias.
    `weight_decay` w is added to the gradient (an L2 penalty). With `amsgrad` the largest v so far is used (Reddi et al.
    2018); `maximize` goes up instead of down. `foreach`, `fused` and `capturable` are ways of PyTorch's to compute the
    same.

    >>> from handmade import tensor
    >>> from handmade.optim import Adam
    >>> w = tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * tensor([1.0, 1000.0])).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 3) for x in w.tolist()]  # one step of lr, whatever the gradient's scale
    [0.9, 0.9]
    """

    remembers: ClassVar[tuple[str, ...]] = ("step", "exp_avg", "exp_avg_sq")
    may_remember: ClassVar[tuple[str, ...]] = ("max_exp_avg_sq",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_differentiable(differentiable)
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**options, "amsgrad": amsgrad, "maximize": maximize})

    def check(self, options: dict[str, Any]) -> None:
        for name in ("lr", "eps", "weight_decay"):
            check_range(name, options[name], 0)
        if not all(0 <= beta < 1 for beta in options["betas"]):
            raise ValueError(f"betas are {options['betas']}; each must be at least 0 and below 1")

    def update(self, weight: np.ndarray, gradient: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        _adam(weight, gradient, state, group, penalty=group["weight_decay"])


class AdamW(Adam):
    """Adam with weight decay applied to the weights directly, not through the gradient (Loshchilov & Hutter 2019).

    w = (1 - lr weight_decay) w, then Adam's step.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, **options)

    def update(self, weight: np.ndarray, gradient: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        _adam(weight, gradient, state, group, decay=1 - group["lr"] * group["weight_decay"])


def _adam(
    weight: np.ndarray,
    gradient: np.ndarray,
    state: dict[str, Any],
    group: dict[str, Any],
    penalty: float = 0.0,
    decay: float = 1.0,
) -> None:
    if not state:
        state.update(step=0, exp_avg=np.zeros_like(weight), exp_avg_sq=np.zeros_like(weight))
    state["step"] += 1
    (beta1, beta2), t = group["betas"], state["step"]
    rate, root = group["lr"] / (1 - beta1**t), (1 - beta2**t) ** 0.5
    moments = state["exp_avg"], state["exp_avg_sq"]
    if group.get("amsgrad"):
        _amsgrad(weight, gradient, state, rate, group, root, penalty, decay)
        return
    kernels.adam(weight, gradient, *moments, rate, beta1, beta2, root, group["eps"], penalty, decay)


def _amsgrad(
    weight: np.ndarray,
    gradient: np.ndarray,
    state: dict[str, Any],
    rate: float,
    group: dict[str, Any],
    root: float,
    penalty: float,
    decay: float,
) -> None:
    """Adam's step, divided by the root of the largest v so far."""
    beta1, beta2 = group["betas"]
    gradient = gradient + penalty * weight
    m, v = state["exp_avg"], state["exp_avg_sq"]
    m += (1 - beta1) * (gradient - m)
    v += (1 - beta2) * (gradient * gradient - v)
    largest = state.setdefault("max_exp_avg_sq", np.zeros_like(weight))
    np.maximum(largest, v, out=largest)
    weight *= decay
    weight -= rate * m / (np.sqrt(largest) / root + group["eps"])
