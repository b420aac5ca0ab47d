"""What all optimizers share: parameter groups, the state of each parameter, and saving both."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from handmade.engine import Tensor, enable_grad, no_grad
from handmade.nn.utils import laid_out_like
from handmade.reading import require

OF_SCHEDULES = {"initial_lr", "max_lr", "min_lr"}
"""The options that learning-rate schedules add to a group."""

OF_PYTORCH = {"foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay"}
"""Options in PyTorch's checkpoints that say how it computes, not what."""


class Optimizer:
    """Base class of the optimizers. A subclass defines `update`, the rule for one parameter, and the names of what that
    keeps in a parameter's state: `remembers` always, `may_remember` with some options. "step" is a count, all others
    are arrays of the parameter's shape. Of a rule that does not say so any names are loaded.

    Args:
        params: parameters, or dicts {"params": ..., and options of this group} if groups have different options.
        defaults: the options of groups that do not set their own.

    Attributes:
        param_groups: dicts with "params" (a list) and the options by name; schedules change "lr" here.
        state: for each parameter, what the rule remembers (momentum, for example): arrays and numbers by name.
    """

    remembers: ClassVar[tuple[str, ...] | None] = None
    may_remember: ClassVar[tuple[str, ...]] = ()

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
        options = {**self.defaults, **{name: value for name, value in group.items() if name != "params"}}
        self.check(options)
        self.param_groups.append({**options, "params": params})

    def check(self, options: dict[str, Any]) -> None:
        """Raise ValueError for options of a group that make no sense."""

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
        """Restore what `state_dict` returned, of an optimizer of the same kind with groups of as many parameters.

        Raises ValueError where it does not fit, and says what; nothing is loaded then.
        """
        require(state_dict, {"state": dict, "param_groups": list[dict]}, "state_dict")
        for saved in state_dict["param_groups"]:
            require(saved, {"params": list}, "state_dict: a group")
        then = [len(group["params"]) for group in state_dict["param_groups"]]
        now = [len(group["params"]) for group in self.param_groups]
        if then != now:
            raise ValueError(f"state_dict has groups of {then} parameters, this optimizer has groups of {now}")
        pairs = list(zip(self.param_groups, state_dict["param_groups"], strict=True))
        options = [self._options(group, saved, number) for number, (group, saved) in enumerate(pairs)]
        parameters = self._parameters()
        state = dict(self._remembered(parameters, number, values) for number, values in state_dict["state"].items())
        for group, new in zip(self.param_groups, options, strict=True):
            group.update(new)
        self.state = state

    def _options(self, group: dict[str, Any], saved: dict[str, Any], number: int) -> dict[str, Any]:
        """The saved options of a group, each of its kind; those that came later keep their values."""
        source = f"state_dict: group {number}"
        new = {name: value for name, value in saved.items() if name not in {"params", *OF_PYTORCH}}
        unknown = sorted(new.keys() - self.defaults.keys() - OF_SCHEDULES)
        if unknown:
            raise ValueError(f"{source} has {unknown[0]!r}, expected the options {', '.join(self.defaults)}")
        for name, value in new.items():
            example = group.get(name, 0.0)
            if not _alike(value, example):
                raise ValueError(f"{source}: {name} is {value!r}, expected something like {example!r}")
            new[name] = tuple(value) if isinstance(example, tuple) else value
        self.check({**group, **new})
        return new

    def _remembered(self, parameters: list[Tensor], number: Any, values: Any) -> tuple[Tensor, dict[str, Any]]:
        """A parameter, by its number, and its state; arrays are copies, laid out in memory as the parameter is."""
        if not (str(number).isdecimal() and str(number).isascii() and int(number) < len(parameters)):
            raise ValueError(f"state_dict: {number!r} is not the number of one of {len(parameters)} parameters")
        p, source = parameters[int(number)], f"parameter {number}"
        names = list(values) if isinstance(values, dict) else [type(values).__name__]
        required = names if self.remembers is None else self.remembers
        known = {*required, *self.may_remember}
        if not isinstance(values, dict) or (names and not set(required) <= set(names) <= known):
            expected = ", ".join((*(self.remembers or ()), *self.may_remember)) or "names"
            raise ValueError(f"state_dict: of {source} there is {', '.join(map(str, names))}, expected {expected}")
        return p, {name: self._kept(name, value, p, f"{name} of {source}") for name, value in values.items()}

    def _kept(self, name: str, value: Any, p: Tensor, source: str) -> Any:
        """An entry of a parameter's state, checked. In files of PyTorch's all are tensors, the number of steps too."""
        value = value.array if isinstance(value, Tensor) else value
        if name == "step":
            value = int(value) if isinstance(value, np.ndarray) and value.ndim == 0 else value
            if type(value) is not int or not 0 <= value < 2**63:
                raise ValueError(f"state_dict: {source} is {value!r}, expected a count")
            return value
        if self.remembers is None and not isinstance(value, np.ndarray):
            return value
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            kind = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
            raise ValueError(f"state_dict: {source} is {kind}, expected an array of floats")
        if value.shape != p.shape:
            raise ValueError(f"state_dict: {source} has shape {value.shape}, the parameter {p.shape}")
        return laid_out_like(value, p.array)

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


def _alike(value: Any, example: Any) -> bool:
    """Whether both are numbers, switches, or as many of them; numbers are finite."""
    if isinstance(example, tuple):
        right = isinstance(value, list | tuple) and len(value) == len(example)
        return right and all(map(_alike, value, example))
    if isinstance(example, bool):
        return isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
