"""Which form of a kernel runs: the plain one in NumPy, or the one that is compiled for this processor.

$HANDMADE_KERNELS says it: "numpy" for the plain forms; "compiled" for the fast ones wherever they can do the work;
"auto", which is the default, for the fast ones where they are worth it: arrays of float32, work enough to repay the
call, and numba installed. float64 always goes the plain way: gradient checks compare what is written to be read.
"""

import functools
import importlib
import os
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from handmade.kernels.threads import get_num_threads

FORMS = ("auto", "compiled", "numpy")
_SINGLE = np.dtype(np.float32)
_Function = TypeVar("_Function", bound=Callable[..., Any])


class KernelsInUse(NamedTuple):
    """What computes, and why."""

    form: str
    """"compiled" or "numpy"."""
    why: str
    threads: int
    vector_bits: int | None
    """Width of the vector registers that compiled kernels use."""
    numba: str | None
    """The version of what compiles, None where it is not installed."""
    failed: tuple[str, ...]
    """Kernels that could not be compiled: their NumPy forms run."""

    def __str__(self) -> str:
        text = f"{self.form} ({self.why}), {self.threads} thread{'s' if self.threads > 1 else ''}"
        if self.form == "compiled":
            text += f", vectors of {self.vector_bits} bits, numba {self.numba}"
        return text + (f"; in NumPy, since they failed: {', '.join(self.failed)}" if self.failed else "")


class _State:
    asked: str | None = None  # None: not read yet
    compiled = False
    failed: ClassVar[dict[str, str]] = {}


def kernels_in_use() -> KernelsInUse:
    """Whether kernels run compiled or in NumPy, and why."""
    from handmade.kernels.compiled import machine

    asked = _asked()
    if asked == "numpy":
        why = "HANDMADE_KERNELS=numpy"
    elif not _State.compiled:
        why = "numba is not installed; it compiles the fast kernels"
    else:
        why = f"HANDMADE_KERNELS={asked}" if asked == "compiled" else "for float32 arrays of some size"
    form = "compiled" if _State.compiled else "numpy"
    bits = machine.vector_bits() if _State.compiled else None
    return KernelsInUse(form, why, get_num_threads(), bits, machine.numba_version(), tuple(_State.failed))


def use_kernels(form: str) -> None:
    """Choose "auto", "compiled" or "numpy" for what follows, instead of $HANDMADE_KERNELS."""
    if form not in FORMS:
        raise ValueError(f"HANDMADE_KERNELS is {form!r}, expected one of {', '.join(FORMS)}")
    installed = find_spec("numba") is not None
    if form == "compiled" and not installed:
        raise ValueError("HANDMADE_KERNELS is 'compiled', but numba is not installed. Install it: pip install numba")
    if form == "auto" and not installed:
        warnings.warn("numba is not installed: all kernels run in NumPy, several times slower.", stacklevel=2)
    _State.asked, _State.compiled = form, form != "numpy" and installed
    if _State.compiled:
        from handmade.kernels.compiled.allocator import keep_freed_memory

        keep_freed_memory()


def worth(work: float, least: float) -> bool:
    """Whether `work` (of any unit) repays the call of a compiled kernel; asked to use them, we always do."""
    return work >= least or _asked() == "compiled"


def has_compiled_form(plain: _Function) -> _Function:
    """A kernel with a fast form: a function of the same name and arguments in the same file of `kernels.compiled`.

    The fast form gets float32 arrays (the first argument is one), and answers NotImplemented where it does not apply.
    The plain one stays at hand as `.plain`.
    """
    module = plain.__module__.rpartition(".")[2]

    @functools.wraps(plain)
    def choose(*arguments: Any, **options: Any) -> Any:
        dtype = getattr(arguments[0], "dtype", None)  # of a number, none
        if dtype is _SINGLE and (_State.compiled if _State.asked else _asked() and _State.compiled):
            value = _fast_form(module, plain.__name__)(*arguments, **options)
            if value is not NotImplemented:
                return value
        return plain(*arguments, **options)

    choose.plain = plain  # pyright: ignore[reportAttributeAccessIssue]
    return choose  # pyright: ignore[reportReturnType]


@functools.cache
def _fast_form(module: str, name: str) -> Callable[..., Any]:
    from handmade.kernels.compiled.build import KernelFailed

    fast = getattr(importlib.import_module(f"handmade.kernels.compiled.{module}"), name)

    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return fast(*arguments, **options)
        except KernelFailed as failure:
            kernel, _, reason = str(failure).partition(": ")
            if kernel not in _State.failed:
                _State.failed[kernel] = reason
                warnings.warn(f"the kernel {kernel} cannot be compiled, NumPy does its work: {reason}", stacklevel=3)
            return NotImplemented

    return call


def _asked() -> str:
    if _State.asked is None:
        use_kernels(os.environ.get("HANDMADE_KERNELS", "").strip().lower() or "auto")
    assert _State.asked is not None
    return _State.asked
