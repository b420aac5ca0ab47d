"""Module: a part of a network, with its parameters, its buffers and the modules it is made of.

All of these are plain attributes: the parameters of a module are its attributes of type `Parameter`, its children those
of type `Module`. Only buffers (tensors that belong to the state but are not learned, such as running means) have to be
registered, with `register_buffer`. Everything below walks these attributes; names, order and results are PyTorch's.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from handmade.engine import Tensor, as_dtype, float32, float64, no_grad
from handmade.engine.devices import check_device, dtype_asked
from handmade.engine.tensor import Handle
from handmade.engine.watch import here, run_inside

M = TypeVar("M", bound="Module")


class Parameter(Tensor):
    """A tensor that is learned. Assigned to an attribute of a module, it becomes one of the module's parameters."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"

    def __reduce__(self) -> tuple:
        """Copies and pickles keep the values, not the gradient or the tape."""
        return type(self), (self.array, self.requires_grad)


class Buffer(Tensor):
    """A tensor that is not learned. Assigned to an attribute of a module, it becomes one of the module's buffers.

    persistent: whether state_dict holds it.
    """

    __slots__ = ("persistent",)

    def __init__(self, data: Any, persistent: bool = True) -> None:
        super().__init__(data)
        self.persistent = persistent


class IncompatibleKeys(NamedTuple):
    """The names that `load_state_dict(strict=False)` ignored."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class _Made(type):
    """Makes modules. It takes PyTorch's `device` and `dtype` out of the arguments of classes that do not name them."""

    if not TYPE_CHECKING:

        def __call__(cls, *args: Any, **options: Any) -> Any:
            if not {"device", "dtype"} & options.keys():
                return super().__call__(*args, **options)
            named = inspect.signature(cls.__init__).parameters
            place = None if "device" in named else options.pop("device", None)
            dtype = None if "dtype" in named else options.pop("dtype", None)
            check_device(place)
            made = super().__call__(*args, **options)
            return made if dtype is None else made.to(dtype)


class Module(metaclass=_Made):
    """A part of a network. A subclass calls `super().__init__()`, sets its parts as attributes and defines `forward`.

    Attributes: `training` tells layers such as dropout and batch norm which mode they are in; see `train` and `eval`.
    """

    training: bool
    forward: Callable[..., Any]

    def __init__(self) -> None:
        self._persistent: dict[str, bool] = {}  # name of each buffer -> whether state_dict holds it
        self._forward_hooks: dict[Handle, ForwardHook] = {}
        self.training = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if here.watchers:
            output = run_inside(self, self.forward, *args, **kwargs)
        else:
            output = self.forward(*args, **kwargs)
        if self._forward_hooks:
            for hook in tuple(self._forward_hooks.values()):
                replaced = hook(self, args, output)
                output = output if replaced is None else replaced
        return output

    def register_forward_hook(self, hook: ForwardHook) -> Handle:
        """Call `hook(module, args, output)` after each forward pass; if it returns one, that is the new output."""
        return Handle(self._forward_hooks, hook)

    # --- parts ----------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter | Module) and "training" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__}.{name} = {type(value).__name__}: call super().__init__() first in __init__"
            )
        before = vars(self).get(name)
        for kind in (Parameter, Module):
            if isinstance(before, kind) and not (value is None or isinstance(value, kind)):
                raise TypeError(
                    f"{type(self).__name__}.{name} is a {kind.__name__} and cannot become a {type(value).__name__}; "
                    f"assign a {kind.__name__} or None"
                    + (", or change its values: with no_grad(): x.copy_(values)" if kind is Parameter else "")
                )
        if name in vars(self).get("_persistent", ()):
            self._check_buffer(name, value)
            if isinstance(value, Buffer):
                self._persistent[name] = value.persistent
        elif isinstance(value, Buffer):
            self.register_buffer(name, value, value.persistent)
            return
        object.__setattr__(self, name, value)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the state but not learned; `persistent=False` keeps it out of state_dict."""
        self._check_name(name)
        self._check_buffer(name, tensor)
        object.__setattr__(self, name, tensor)
        self._persistent[name] = persistent

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """The same as `setattr(self, name, param)`, with the name checked."""
        self._check_name(name)
        setattr(self, name, param)

    def get_submodule(self, target: str) -> Module:
        """The module below this one with a dotted name."""
        found = dict(self.named_modules()).get(target)
        if found is None:
            raise AttributeError(f"{type(self).__name__} has no module {target!r}")
        return found

    def add_module(self, name: str, module: Module | None) -> None:
        """The same as `setattr(self, name, module)`, with the name checked: for names that are computed."""
        self._check_name(name)
        if not (module is None or isinstance(module, Module)):
            raise TypeError(f"{type(self).__name__}: {name!r} is a {type(module).__name__}; expected a Module")
        setattr(self, name, module)

    def _check_name(self, name: str) -> None:
        if not name or "." in name:
            raise KeyError(f"{type(self).__name__}: {name!r} cannot name a part: it is empty or contains a dot")
        if hasattr(self, name) and name not in self._persistent and not isinstance(getattr(self, name), Module):
            raise KeyError(f"{type(self).__name__} already has an attribute {name!r}; choose another name")

    def _check_buffer(self, name: str, tensor: Any) -> None:
        if not (tensor is None or isinstance(tensor, Tensor)):
            raise TypeError(
                f"{type(self).__name__}.{name} is a buffer and cannot be a {type(tensor).__name__}; "
                "assign a Tensor, for example handmade.tensor(values), or None"
            )

    def _own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        return ((name, value) for name, value in vars(self).items() if isinstance(value, Parameter))

    def _own_buffers(self) -> Iterator[tuple[str, Tensor]]:
        named = ((name, vars(self).get(name)) for name in self._persistent)
        return ((name, tensor) for name, tensor in named if tensor is not None)

    def _own_children(self) -> Iterator[tuple[str, Module]]:
        return ((name, value) for name, value in vars(self).items() if isinstance(value, Module))

    # --- walks: each part once, even when several names lead to it --------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct children: modules that are attributes of this one."""
        return _unique(self._own_children())

    def children(self) -> Iterator[Module]:
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module (under the name `prefix`) and all modules below it, each before its children."""
        return _unique(self._descend(prefix))

    def modules(self) -> Iterator[Module]:
        return (module for _, module in self.named_modules())

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its dotted name; `recurse=False` leaves out those of the children."""
        modules = self.named_modules(prefix) if recurse else [(prefix, self)]
        return _unique((_join(path, name), p) for path, module in modules for name, p in module._own_parameters())

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Every buffer with its dotted name; `recurse=False` leaves out those of the children."""
        modules = self.named_modules(prefix) if recurse else [(prefix, self)]
        return _unique((_join(path, name), b) for path, module in modules for name, b in module._own_buffers())

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _descend(self, path: str) -> Iterator[tuple[str, Module]]:
        yield path, self
        for name, child in self._own_children():
            yield from child._descend(_join(path, name))

    # --- state ----------------------------------------------------------------------------------------------------

    def _state(self) -> Iterator[tuple[str, Tensor]]:
        """Parameters and persistent buffers under all their names: a shared one appears once under each."""
        for path, module in self._descend(""):
            for name, parameter in module._own_parameters():
                yield _join(path, name), parameter
            for name, buffer in module._own_buffers():
                if module._persistent[name]:
                    yield _join(path, name), buffer

    def state_dict(self) -> dict[str, Tensor]:
        """Name -> tensor, for all parameters and persistent buffers. The tensors share memory with the module's."""
        return {name: tensor.detach() for name, tensor in self._state()}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values (tensors or arrays) into the parameters and buffers of the same names.

        Values are converted to the parameter's dtype, as in PyTorch: float64 values become float32 in a float32 model.
        `strict=False` ignores names that only one side has, and returns them.

        Raises:
            RuntimeError: a name is missing or unexpected, or a shape differs. All are listed, and nothing is loaded.
        """
        own = dict(self._state())
        given = {name: np.asarray(value) for name, value in state_dict.items()}
        missing = [name for name in own if name not in given]
        unexpected = [name for name in given if name not in own]
        misshapen = [name for name in own if name in given and given[name].shape != own[name].shape]
        problems = [f"misshapen: {name}: given {given[name].shape}, expected {own[name].shape}" for name in misshapen]
        problems += [f"no numbers: {name}: given {given[name].dtype}" for name in own if not _is_real(given.get(name))]
        if strict:
            problems += [f"missing: {name} {own[name].shape}" for name in missing]
            problems += [f"unexpected: {name} {given[name].shape}" for name in unexpected]
        if problems:
            raise RuntimeError(
                "\n    ".join([f"the state does not fit {type(self).__name__}, none of it is loaded:", *problems])
            )
        with no_grad():
            for name in own.keys() & given.keys():
                own[name].copy_(given[name])
        return IncompatibleKeys(missing, unexpected)

    # --- modes ----------------------------------------------------------------------------------------------------

    def train(self: M, mode: bool = True) -> M:
        """Put this module and all below it into training mode, or into evaluation mode if `mode` is False."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Put it into evaluation mode: dropout does nothing, batch norm uses its running statistics."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Set whether the parameters are learned; False freezes them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or to zeros."""
        for parameter in self.parameters():
            parameter.grad = None if set_to_none or parameter.grad is None else parameter.grad.zero_()

    def apply(self: M, function: Callable[[Module], Any]) -> M:
        """Call `function` on every module below, then on this one: to initialise weights, for example."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def to(self: M, *target: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False) -> M:
        """Convert all float parameters, buffers and gradients to a dtype, in place. The device is the CPU."""
        dtype = dtype_asked(target, dtype, device)
        if dtype is None:
            return self
        dtype = as_dtype(dtype)
        if dtype.kind != "f":
            raise TypeError(f"{type(self).__name__}.to: parameters are float32 or float64, not {dtype}")
        for tensor in (*self.parameters(), *self.buffers()):
            for part in (tensor, tensor.grad):
                if part is not None and part.is_floating_point():
                    part.array = part.array.astype(dtype, copy=False)
        return self

    def cpu(self: M) -> M:
        return self

    def cuda(self: M, device: Any = None) -> M:
        """Raises: there is no GPU here."""
        return self.to(device="cuda" if device is None else device)

    def float(self: M) -> M:
        return self.to(float32)

    def double(self: M) -> M:
        return self.to(float64)

    # --- text -----------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What `repr` shows in the brackets, before the children."""
        return ""

    def __repr__(self) -> str:
        children = [f"({name}): {child!r}" for name, child in self._own_children()]
        return _bracketed(type(self).__name__, self.extra_repr(), children)


ForwardHook = Callable[[Module, tuple, Any], Any]


def _unique(named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Each object under the first of its names."""
    seen: set[int] = set()
    for name, value in named:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value


def _is_real(array: np.ndarray | None) -> bool:
    return array is None or array.dtype.kind in "biuf"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _bracketed(name: str, extra: str, children: list[str]) -> str:
    """`name(extra)` on one line, or with children one to an indented line."""
    lines = ([extra] if extra else []) + children
    if not children and "\n" not in extra:
        return f"{name}({extra})"
    indented = "".join(f"\n{line}" for line in lines).replace("\n", "\n  ")
    return f"{name}({indented}\n)"
