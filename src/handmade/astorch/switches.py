"""Names of PyTorch that choose a device, a precision or a compiler: here there is one of each, and nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any

from handmade.engine import Tensor, manual_seed
from handmade.engine.dtypes import as_dtype, float32

TOP = ("compile", "set_default_dtype", "set_default_device", "get_default_dtype", "set_float32_matmul_precision",
       "use_deterministic_algorithms", "autocast", "set_printoptions", "set_num_interop_threads")  # fmt: skip
CUDA = ("is_available", "device_count", "manual_seed", "manual_seed_all", "empty_cache", "synchronize",
        "is_bf16_supported", "max_memory_allocated", "reset_peak_memory_stats")  # fmt: skip
AMP = ("autocast", "GradScaler")
AUTOGRAD = ("Variable", "set_detect_anomaly", "detect_anomaly")


def compile(model: Any = None, **options: Any) -> Any:
    """The model itself: the heavy loops are compiled already."""
    return model if model is not None else lambda model: model


def set_default_dtype(d: Any) -> None:
    if as_dtype(d) != float32:
        raise NotImplementedError(f"set_default_dtype({d}): new tensors are float32; convert the model with .double()")


def get_default_dtype() -> Any:
    return float32


def set_default_device(device: Any) -> None: ...


def set_float32_matmul_precision(precision: str) -> None: ...


def use_deterministic_algorithms(mode: bool, **options: Any) -> None: ...


def set_printoptions(**options: Any) -> None: ...


def set_num_interop_threads(n: int) -> None: ...


def is_available() -> bool:
    """Whether there is a GPU: no."""
    return False


is_bf16_supported = is_available


def device_count() -> int:
    return 0


manual_seed_all = manual_seed


def empty_cache() -> None: ...


def synchronize(device: Any = None) -> None: ...


def max_memory_allocated(device: Any = None) -> int:
    return 0


def reset_peak_memory_stats(device: Any = None) -> None: ...


class autocast(ContextDecorator):
    """Computes in the tensors' own precision."""

    def __init__(self, *args: Any, **options: Any) -> None: ...

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exception: object) -> None: ...


class GradScaler:
    """Scales nothing: float32 has room for small gradients."""

    def __init__(self, *args: Any, **options: Any) -> None: ...

    def scale(self, outputs: Tensor) -> Tensor:
        return outputs

    def unscale_(self, optimizer: Any) -> None: ...

    def step(self, optimizer: Any, *args: Any) -> Any:
        return optimizer.step(*args)

    def update(self, new_scale: Any = None) -> None: ...

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None: ...


def Variable(data: Tensor, requires_grad: bool = False) -> Tensor:
    """The tensor itself, which needs no wrapper."""
    return data.requires_grad_() if requires_grad else data


def set_detect_anomaly(mode: bool, check_nan: bool = True) -> None: ...


detect_anomaly: Callable[..., autocast] = autocast
