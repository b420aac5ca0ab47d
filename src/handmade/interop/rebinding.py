"""A network of handmade as one of PyTorch: its own classes and functions, in which every name means PyTorch's.

A method finds the names that it uses in the module in which it was written. A copy of it that finds others there, with
`F.conv2d` of PyTorch for `F.conv2d` of handmade, is the same code on PyTorch's tensors. What is copied so are the
composite layers and what they call; the layers at the bottom, such as Conv2d, become PyTorch's own (layers.py).
"""

from __future__ import annotations

import builtins
import functools
import types
from collections.abc import Iterator
from contextlib import ContextDecorator
from typing import Any

import numpy as np

from handmade.engine import Tensor
from handmade.interop import layers, names
from handmade.interop.installed import torch
from handmade.nn.module import Module, Parameter

KEPT = {"forward", "extra_repr", "__len__", "__iter__", "__getitem__", "__contains__"}
"""Methods of Module that a class may write anew; others, such as state_dict, stay PyTorch's."""
OWN = set(dir(Module)) - KEPT | {"__slots__", "__annotations__", "__abstractmethods__", "_abc_impl", "__orig_bases__"}
STATE = {"training", *vars(Module())}
"""The attributes that every module of handmade has for itself."""
GRAD_MODES = {"no_grad": torch.no_grad, "enable_grad": torch.enable_grad, "inference_mode": torch.inference_mode}
CHECKERS = {"jaxtyping", "beartype", "typechecker"}
"""Packages whose decorators check types: handmade's, which PyTorch's tensors are not."""


class Rebinding:
    """One translation. Whatever is met twice, as a tied weight or a shared layer, is translated once."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}  # id of what was translated -> what it became
        self._names: dict[int, dict[str, Any]] = {}  # id of a module's names -> those names, translated
        self._seen: list[Any] = []  # keeps the ids above in use

    def value(self, x: Any) -> Any:
        """What `x` is in PyTorch; `x` itself where that is the same."""
        if isinstance(x, bool | int | float | str | bytes | None):
            return x
        if id(x) in self._made:
            return self._made[id(x)]
        if isinstance(x, types.FunctionType):
            return self._function(x)
        if isinstance(x, type):
            return self._class(x)
        if isinstance(x, Module):
            return self._module(x)
        if isinstance(x, Tensor):
            return self._remember(x, _parameter(x) if isinstance(x, Parameter) else layers.tensor(x))
        if isinstance(x, np.dtype):
            return layers.DTYPES.get(x, x)
        if isinstance(x, types.MethodType):
            return types.MethodType(self.value(x.__func__), self.value(x.__self__))
        if isinstance(x, functools.partial):
            options = {name: self.value(option) for name, option in x.keywords.items()}
            return functools.partial(self.value(x.func), *map(self.value, x.args), **options)
        if type(x) in (list, tuple, set):
            return type(x)(map(self.value, x))
        return {key: self.value(each) for key, each in x.items()} if type(x) is dict else x

    def _remember(self, x: Any, made: Any) -> Any:
        self._seen.append(x)
        self._made[id(x)] = made
        return made

    # --- functions --------------------------------------------------------------------------------------------------

    def _function(self, function: types.FunctionType) -> Any:
        known = names.known(function)
        if known is not None:
            return self._remember(function, known)
        beneath, home = getattr(function, "__wrapped__", None), function.__globals__.get("__name__", "")
        if beneath is not None and home == "contextlib":
            mode = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))["self"]
            if type(mode.cell_contents).__name__ in GRAD_MODES and isinstance(mode.cell_contents, ContextDecorator):
                grad_mode = GRAD_MODES[type(mode.cell_contents).__name__]()
                return self._remember(function, grad_mode(self.value(beneath)))
        if beneath is not None and CHECKERS & set(home.split(".")):
            return self._remember(function, self.value(beneath))
        if not _speaks_of_handmade(function.__globals__):
            return function
        return self._copied(function)

    def _copied(self, function: types.FunctionType) -> types.FunctionType:
        """The function with the same code, and other names around it."""
        # Without a __name__: torch.compile would look the names up in the module that is called so.
        found = self._names.setdefault(id(function.__globals__), {"__builtins__": builtins})
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        code = function.__code__.replace()  # one of its own: torch.compile keeps with it what it knows of the names
        copied = types.FunctionType(code, found, function.__name__, None, cells)
        copied.__qualname__, copied.__doc__, copied.__module__ = (
            function.__qualname__,
            function.__doc__,
            function.__module__,
        )
        self._remember(function, copied)
        self._seen.append(function.__globals__)
        copied.__defaults__ = self.value(function.__defaults__)
        copied.__kwdefaults__ = self.value(function.__kwdefaults__)
        for cell, original in zip(cells, function.__closure__ or (), strict=True):
            cell.cell_contents = self.value(original.cell_contents)
        used = set(_names_in(code))
        for name in used & function.__globals__.keys():
            value = function.__globals__[name]
            found[name] = self._room(value, used) if isinstance(value, types.ModuleType) else self.value(value)
        return copied

    def _room(self, module: types.ModuleType, used: set[str]) -> types.ModuleType:
        """A module of which the names that are used are translated."""
        if not (module.__name__.partition(".")[0] == "handmade" or _speaks_of_handmade(vars(module))):
            return module
        room = self._made.get(id(module)) or self._remember(module, types.ModuleType(module.__name__))
        for name in used:
            if not name.startswith("__") and hasattr(module, name):
                value = getattr(module, name)
                translated = self._room(value, used) if isinstance(value, types.ModuleType) else self.value(value)
                setattr(room, name, translated)
        return room

    # --- classes and what is made of them ---------------------------------------------------------------------------

    def _class(self, kind: type) -> type:
        known = layers.CLASSES.get(kind)
        if known is not None or not issubclass(kind, Module):
            return known or kind
        bases = tuple(self.value(base) for base in kind.__bases__)
        made = types.new_class(kind.__name__, bases)
        self._remember(kind, made)
        made.__module__, made.__qualname__, made.__doc__ = kind.__module__, kind.__qualname__, kind.__doc__
        for name, member in vars(kind).items():
            if name not in OWN:
                setattr(made, name, self._member(member))
        return made

    def _member(self, member: Any) -> Any:
        if isinstance(member, staticmethod | classmethod):
            return type(member)(self.value(member.__func__))
        if isinstance(member, property):
            return property(*(self.value(part) for part in (member.fget, member.fset, member.fdel)))
        return self.value(member)

    def _module(self, module: Module) -> torch.nn.Module:
        kind = layers.variant(self.value(type(module)), module)
        made: torch.nn.Module = self._remember(module, object.__new__(kind))
        layers.start(made, module)
        there = {*vars(made), *made._parameters, *made._buffers, *made._modules}
        for name, value in vars(module).items():
            if name in module._persistent:
                made.register_buffer(name, self.value(value), module._persistent[name])
            elif isinstance(value, Module | Parameter):
                layers.add(made, name, self.value(value))
            elif name in STATE or name in there:
                continue
            elif isinstance(value, Tensor | np.ndarray):
                made.register_buffer(name, layers.tensor(value), persistent=False)  # so that `.to(device)` moves it
            else:
                setattr(made, name, self.value(value))
        made.training = module.training
        return made


def _parameter(parameter: Parameter) -> torch.nn.Parameter:
    return torch.nn.Parameter(layers.tensor(parameter), requires_grad=parameter.requires_grad)


def _names_in(code: types.CodeType) -> Iterator[str]:
    """The names of globals and attributes in a function and in those that are defined in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_in(constant)


def _speaks_of_handmade(found: dict[str, Any]) -> bool:
    """Whether a module's names are handmade's, or some of them are."""
    if found.get("__name__", "").partition(".")[0] == "handmade":
        return True
    homes = (value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
             for value in list(found.values()))  # fmt: skip
    return any(isinstance(home, str) and home.partition(".")[0] == "handmade" for home in homes)
