"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from handmade.kernels import optimizers as kernels
from handmade.optim.optimizer import Optimizer, check_differentiable, check_range


class SGD(Optimizer):
    """g = gradient + weight_decay w;  v = momentum v + g;  w = w - lr v  (Polyak 1964).

    Nesterov momentum looks ahead: w = w - lr (g + momentum v) (Sutskever et al. 2013, section 2). In the first step
    v = g, as in PyTorch; later ones add (1 - dampening) g. `maximize` goes up instead of down. `foreach` and `fused`
    are ways of PyTorch's to compute the same.

    >>> from handmade import tensor
    >>> from handmade.optim import SGD
    >>> w = tensor([1.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> round(w.item(), 3)  # 1 - 0.1 * 2
    0.8
    """

    remembers: ClassVar[tuple[str, ...]] = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        dampening: float = 0.0,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        differentiable: bool = False,
    ) -> None:
        check_differentiable(differentiable)
        options = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "nesterov": nesterov}
        super().__init__(params, {**options, "dampening": dampening, "maximize": maximize})

    def check(self, options: dict[str, Any]) -> None:
        for name in ("lr", "momentum", "weight_decay"):
            check_range(name, options[name], 0)
        if options["nesterov"] and options["momentum"] == 0:
            raise ValueError("nesterov=True needs momentum > 0, got momentum=0")
        if options["nesterov"] and options["dampening"] != 0:
            raise ValueError(f"nesterov=True needs dampening=0, got {options['dampening']}")

    def update(self, weight: np.ndarray, gradient: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, momentum, decay = group["lr"], group["momentum"], group["weight_decay"]
        if not momentum:
            kernels.sgd(weight, gradient, lr, decay)
            return
        if group.get("dampening") and "momentum_buffer" in state:  # v = momentum v + (1 - dampening) g
            kept = 1 - group["dampening"]
            gradient, decay = kept * (gradient + decay * weight), 0.0
        if "momentum_buffer" not in state:  # so that momentum v + g is g in the first step
            state["momentum_buffer"] = np.zeros_like(weight)
        kernels.sgd_momentum(weight, gradient, state["momentum_buffer"], lr, momentum, decay, group["nesterov"])
