"""Containers of modules: in sequence, in a list, in a dictionary."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import groupby
from typing import Any, Generic, TypeVar, cast

from handmade.nn.module import Module, Parameter, _bracketed

M = TypeVar("M", bound="_Numbered")
P = TypeVar("P", bound=Module | Parameter)


class _Numbered(Module):
    """Modules under the names "0", "1", ..., reached by index."""

    def __len__(self) -> int:
        return sum(1 for _ in self._own_children())

    def __iter__(self) -> Iterator[Any]:
        return (module for _, module in self._own_children())

    def _name(self, index: int) -> str:
        names = [name for name, _ in self._own_children()]
        if not -len(names) <= index < len(names):
            raise IndexError(f"{type(self).__name__} has {len(names)} modules, so there is no number {index}")
        return names[index]

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(self._name(index), module)

    def append(self: M, module: Module) -> M:
        self.add_module(str(len(self)), module)
        return self

    def extend(self: M, modules: Iterable[Module]) -> M:
        for module in modules:
            self.append(module)
        return self


class Sequential(_Numbered):
    """Modules in sequence: the output of each is the input of the next.

    `Sequential(Linear(4, 8), ReLU())`, or with names: `Sequential({"fc": Linear(4, 8), "relu": ReLU()})`.

    >>> from handmade import nn, ones
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> model(ones(3, 4)).shape
    (3, 2)
    >>> list(model.state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        named = modules[0] if len(modules) == 1 and isinstance(modules[0], Mapping) else None
        for name, module in enumerate(modules) if named is None else named.items():
            self.add_module(str(name), cast(Module, module))

    def __getitem__(self, index: int | slice) -> Any:
        """The module at an index; a slice is a Sequential of the same modules."""
        if isinstance(index, slice):
            return Sequential(dict(list(self._own_children())[index]))
        return getattr(self, self._name(index))

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class ModuleList(_Numbered):
    """A list of modules for use as an attribute of a module; a plain list would hide their parameters."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def __getitem__(self, index: int | slice) -> Any:
        """The module at an index; a slice is a ModuleList of the same modules."""
        return ModuleList(list(self)[index]) if isinstance(index, slice) else getattr(self, self._name(index))

    def insert(self, index: int, module: Module) -> None:
        modules = list(self)
        modules.insert(index, module)
        for number, each in enumerate(modules):
            self.add_module(str(number), each)

    def __repr__(self) -> str:
        """Equal modules in a row are shown once: (0-11): 12 x Block(...)."""
        children, first = [], 0
        for text, run in groupby(map(repr, self)):
            count = len(list(run))
            children.append(f"({first}): {text}" if count == 1 else f"({first}-{first + count - 1}): {count} x {text}")
            first += count
        return _bracketed(type(self).__name__, "", children)


class ParameterList(Module):
    """A list of parameters for use as an attribute of a module; tensors become parameters."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)

    def append(self, value: Any) -> ParameterList:
        self.register_parameter(str(len(self)), value if isinstance(value, Parameter) else Parameter(value))
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        for value in values:
            self.append(value)
        return self

    def __len__(self) -> int:
        return sum(1 for _ in self._own_parameters())

    def __iter__(self) -> Iterator[Parameter]:
        return (parameter for _, parameter in self._own_parameters())

    def __getitem__(self, index: int) -> Parameter:
        return list(self)[index]


class _Dictionary(Module, Generic[P]):
    """What both dictionaries have in common: parts by name, read, deleted and walked through as a dict's."""

    def _parts(self) -> dict[str, P]:
        raise NotImplementedError

    def __getitem__(self, name: str) -> P:
        return self._parts()[name]

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        delattr(self, name)

    def __contains__(self, name: str) -> bool:
        return name in self.keys()

    def __len__(self) -> int:
        return len(self.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> KeysView[str]:
        return self._parts().keys()

    def values(self) -> ValuesView[P]:
        return self._parts().values()

    def items(self) -> ItemsView[str, P]:
        return self._parts().items()


class ParameterDict(_Dictionary[Parameter]):
    """Parameters by name, read, changed, deleted and walked through as a dict's; tensors become parameters."""

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__()
        self.update(parameters)

    def update(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        for name, value in dict(parameters).items():
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self:
            self._check_name(name)
        setattr(self, name, value if isinstance(value, Parameter) else Parameter(value))

    def _parts(self) -> dict[str, Parameter]:
        return dict(self._own_parameters())


class ModuleDict(_Dictionary[Module]):
    """Modules by name, with the methods of a dict."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        for name, module in modules.items():
            self[name] = module

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name)

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)

    def _parts(self) -> dict[str, Module]:
        return dict(self._own_children())
