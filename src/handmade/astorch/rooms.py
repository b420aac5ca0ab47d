"""The modules that stand in `sys.modules` as torch, torch.nn, torch.utils.data and so on, made of handmade's."""

from __future__ import annotations

import importlib.machinery
import math
import sys
from collections.abc import Iterable
from importlib.abc import Loader, MetaPathFinder
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

import handmade
from handmade import namespace, nn, optim
from handmade.absent import ABSENT, absent_name
from handmade.astorch import switches, vision
from handmade.astorch.missing import missing, note
from handmade.data import samples
from handmade.engine import Tensor, gradients
from handmade.nn import utils
from handmade.weights import objects

VERSION = "2.13.0+handmade"


class Room(ModuleType):
    """A module of PyTorch's that is here. A name that it has not got is noted, and raises AttributeError."""

    def __init__(self, name: str, names: dict[str, Any]) -> None:
        super().__init__(name, f"{name}, made of handmade")
        vars(self).update(names, __path__=[], __file__=__file__)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        dotted = f"{self.__name__}.{name}"
        if any(known.startswith(dotted + ".") for known in ABSENT) or dotted in MISSING_ROOMS:
            return importlib.import_module(dotted)
        note(dotted)
        raise AttributeError(absent_name(dotted))


class MissingRoom(ModuleType):
    """A module of PyTorch's that is not here: it can be imported, and so can its names; to use one raises."""

    __path__: list[str] = []  # noqa: RUF012

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return missing(f"{self.__name__}.{name}")


MISSING_ROOMS = {
    f"torch.{name}"
    for name in ("jit", "fft", "linalg", "special", "distributed", "sparse", "onnx", "hub", "distributions", "func")
}


class MissingFinder(MetaPathFinder, Loader):
    """The last to be asked for a module: every `torch.NAME` that is not here becomes a MissingRoom."""

    def find_spec(self, fullname: str, *_: Any) -> Any:
        if fullname.partition(".")[0] in ("torch", "torchvision"):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> ModuleType:
        return MissingRoom(spec.name)

    def exec_module(self, module: ModuleType) -> None: ...


class _TensorType(type(Tensor)):
    """torch.Tensor: every tensor is an instance; called with sizes it is empty, with numbers they become float32."""

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor)

    def __call__(cls, *data: Any) -> Tensor:
        if len(data) == 1 and not isinstance(data[0], int):
            return handmade.tensor(np.asarray(data[0]), dtype=handmade.float32)
        return handmade.empty(*data)

    def __getattr__(cls, name: str) -> Any:
        return getattr(Tensor, name)


class TorchTensor(metaclass=_TensorType):
    """What `torch.Tensor` is called."""


def of_dtype(dtype: Any) -> Any:
    """torch.FloatTensor and its like: from sizes, or from numbers."""
    return lambda *data: TorchTensor(*data).to(dtype) if data else handmade.empty(0, dtype=dtype)


def public(module: Any, names: Iterable[str] | None = None) -> dict[str, Any]:
    return {
        name: value for name, value in vars(module).items() if not name.startswith("_") and (not names or name in names)
    }


def rooms() -> dict[str, dict[str, Any]]:
    """The names of every module."""
    data = public(samples)
    narrow = ("float16", "bfloat16", "int8", "int16", "uint8", "complex64", "complex128")
    return {
        "torch": {
            **public(namespace),
            **{name: name for name in narrow},  # may be named; a tensor of one is refused
            **{"half": "float16", "short": "int16"},
            **{"int": np.dtype(np.int64), "int32": np.dtype(np.int64)},  # which holds all of its numbers
            "Tensor": TorchTensor,
            "FloatTensor": of_dtype(np.float32),
            "DoubleTensor": of_dtype(np.float64),
            "LongTensor": of_dtype(np.int64),
            "IntTensor": of_dtype(np.int64),
            "BoolTensor": of_dtype(np.bool_),
            "dtype": np.dtype,
            "inf": math.inf,
            "nan": math.nan,
            "pi": math.pi,
            "e": math.e,
            "strided": "strided",
            "channels_last": "channels_last",
            "contiguous_format": "contiguous_format",
            "preserve_format": "preserve_format",
            "save": objects.save,
            "load": objects.load,
            "__version__": VERSION,
            **public(switches, switches.TOP),
        },
        "torch.nn": public(nn),
        "torch.nn.functional": public(nn.functional),
        "torch.nn.init": public(nn.init),
        "torch.nn.parameter": {"Parameter": nn.Parameter},
        "torch.nn.modules": public(nn),
        "torch.nn.utils": public(utils),
        "torch.nn.utils.rnn": public(utils.rnn),
        "torch.optim": {**public(optim), "Optimizer": optim.Optimizer},
        "torch.optim.lr_scheduler": {**public(optim.lr_scheduler), "_LRScheduler": optim.lr_scheduler.LRScheduler},
        "torch.utils": {},
        "torch.utils.data": data,
        "torch.utils.data.dataset": data,
        "torch.utils.data.dataloader": data,
        "torch.utils.data.sampler": data,
        "torch.autograd": {**public(gradients), **public(switches, switches.AUTOGRAD)},
        "torch.amp": public(switches, switches.AMP),
        "torch.cuda": public(switches, switches.CUDA),
        "torch.cuda.amp": public(switches, switches.AMP),
        "torch.accelerator": {"is_available": lambda: False, "current_accelerator": lambda: None},
        "torch.backends": {
            "cuda": SimpleNamespace(matmul=SimpleNamespace(), is_built=lambda: False),
            "cudnn": SimpleNamespace(),
            "mps": SimpleNamespace(is_available=lambda: False, is_built=lambda: False),
        },
        "torchvision": {"__version__": VERSION},
        "torchvision.datasets": public(vision, vision.DATASETS),
        "torchvision.transforms": public(vision, vision.TRANSFORMS),
    }


def install() -> None:
    """From now on `import torch` means handmade. Raises ImportError if PyTorch itself has been imported."""
    loaded = sys.modules.get("torch")
    if isinstance(loaded, Room):
        return
    if loaded is not None:
        raise ImportError("handmade.astorch: PyTorch itself is imported already; import handmade.astorch before it")
    for name, names in rooms().items():
        room = sys.modules[name] = Room(name, names)
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, room)
    sys.meta_path.insert(0, MissingFinder())
    Tensor.__getattr__ = _no_method  # pyright: ignore[reportAttributeAccessIssue]


def _no_method(self: Tensor, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    note(f"torch.Tensor.{name}")
    raise AttributeError(absent_name(f"torch.Tensor.{name}"))
