"""What all optimizers share: parameter groups, the state of each parameter, and saving both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from handmade.engine import Tensor, enable_grad, no_grad


class Optimizer:
    """Base class of the optimizers. A subclass defines `update`, the rule for one parameter.

    Args:
        params: parameters, or dicts {"params": ..., and options of this group} if groups have different options.
        defaults: the options of groups that do not set their own.

    Attributes:
        param_groups: dicts with "params" (a list) and the options by name; schedules change "lr" here.
        state: for each parameter, what the rule remembers (momentum, for example): arrays and numbers by name.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        given = list(params)
        if not given:
            raise ValueError("params: the optimizer got no parameters")
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Add a group of parameters, with options of its own."""
        unknown = set(group) - set(self.defaults) - {"params"}
        if unknown:
            raise ValueError(
                f"params: a group has unknown options {sorted(unknown)}; expected some of {sorted(self.defaults)}"
            )
        params = [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])
        known = {id(p) for other in self.param_groups for p in other["params"]}
        for p in params:
            if not isinstance(p, Tensor) or not p.is_leaf:
                raise TypeError(f"params: an optimizer can change leaf tensors only, got {p!r}")
            if id(p) in known:
                raise ValueError(f"params: a parameter of shape {p.shape} was given twice")
            known.add(id(p))
        self.param_groups.append({**self.defaults, **group, "params": params})

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or to zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None if set_to_none or p.grad is None else p.grad.zero_()

    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, once. A closure computes the loss and its gradients before."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    state = self.state.setdefault(p, {})
                    gradient = -p.grad.array if group.get("maximize") else p.grad.array
                    self.update(p.writable("optimizer step"), gradient, state, group)
        return loss

    def update(self, weight: np.ndarray, gradient: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Change `weight` in place by its gradient, which stays as it is; `state` starts empty and is kept."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """{"state": state by parameter number, "param_groups": options, with numbers for parameters}, as in PyTorch."""
        numbers = {p: i for i, p in enumerate(self._parameters())}
        groups = [{**group, "params": [numbers[p] for p in group["params"]]} for group in self.param_groups]
        state = {
            numbers[p]: {name: _copied(value) for name, value in values.items()} for p, values in self.state.items()
        }
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned; the groups must have the same numbers of parameters as then."""
        then = [len(group["params"]) for group in state_dict["param_groups"]]
        now = [len(group["params"]) for group in self.param_groups]
        if then != now:
            raise ValueError(f"state_dict has groups of {then} parameters, this optimizer has groups of {now}")
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=True):
            group.update({name: value for name, value in saved.items() if name != "params"})
        parameters = self._parameters()
        self.state = {}
        for number, values in state_dict["state"].items():
            p = parameters[int(number)]
            for name, value in values.items():
                if isinstance(value, np.ndarray) and value.shape != p.shape:
                    raise ValueError(
                        f"state_dict: {name} of parameter {number} has shape {value.shape}, the parameter {p.shape}"
                    )
            self.state[p] = {name: _laid_out(value, p.array) for name, value in values.items()}

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]


def _copied(value: Any) -> Any:
    return value.copy("K") if isinstance(value, np.ndarray) else value


def check_differentiable(differentiable: bool) -> None:
    if differentiable:
        raise NotImplementedError("differentiable=True: steps are not recorded on the tape")


def check_range(name: str, value: float, low: float, high: float = float("inf")) -> None:
    """Raise ValueError unless low <= value <= high."""
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}; it must be from {low} to {high}")


def _laid_out(value: Any, weight: np.ndarray) -> Any:
    """A copy of what is kept of a weight, in the order in memory that `weight` has.

    A file keeps none; in another order the step would run another kernel, which rounds otherwise.
    """
    if not isinstance(value, np.ndarray):
        return value
    laid = np.empty_like(weight, dtype=value.dtype)
    laid[...] = value
    return laid
