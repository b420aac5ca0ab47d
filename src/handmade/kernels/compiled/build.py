"""From a Python function to machine code: compiled by numba when first called, then kept on disk.

    @kernel
    def scale(piece: int, x: Floats, y: Floats, size: int, factor: float) -> None:
        for i in range(piece * 1024, min(size, (piece + 1) * 1024)):
            y[i] = x[i] * factor

    scale(pieces, x, y, x.size, 2.0)     # arrays become bare memory

The function is written for one piece of the work; the machine code takes pieces from a counter until none is left, and
several threads run it at once, none of which holds Python's lock (`team.py`). A parameter `scratch: Floats` is the
thread's own working memory; the call says how large it must be, in floats: `scale(pieces, ..., scratch=4096)`.

What a kernel may use: numbers, `Floats`, `Ints` and `Bytes` (bare memory: no shapes, no bounds, nothing is allocated),
functions marked `@inline`, and the instructions of `instructions` and `tile`. Nothing of Python or of numba is left in
the code, so a process that finds it on disk needs llvmlite's linker and not numba.
"""

from __future__ import annotations

import ctypes
import functools
import inspect
import os
import struct
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from handmade.kernels import threads
from handmade.kernels.choice import worth
from handmade.kernels.compiled import store
from handmade.terminal import for_stream, redraws


class Floats(np.ndarray):
    """A parameter's type: the memory of a float32 array."""


class Ints(np.ndarray):
    """A parameter's type: the memory of an int64 array."""


class Bytes(np.ndarray):
    """A parameter's type: the memory of an array whose elements are one byte, unsigned."""


class Address(int):
    """A parameter's type: where memory that is not contiguous begins. Other numbers tell how much work there is."""


class _Kind(NamedTuple):
    """How a parameter travels: its dtypes, its format in `struct`, and the instruction that reads it."""

    dtypes: tuple[np.dtype, ...]
    format: str
    read: str


_KINDS = {
    "Floats": _Kind((np.dtype(np.float32),), "q", "floats_at({})"),
    "Ints": _Kind((np.dtype(np.int64),), "q", "ints_at({})"),
    "Bytes": _Kind((np.dtype(np.uint8), np.dtype(np.bool_)), "q", "bytes_at({})"),
    "int": _Kind((), "q", "{}"),
    "Address": _Kind((), "q", "{}"),
    "float": _Kind((), "d", "as_float({})"),
}
_FAST = {"reassoc", "nsz", "arcp", "contract", "afn"}
"""What the compiler may do to sums; NaN and infinity keep their meaning."""
WAKING = 1e-4
"""A helper is woken where the last call of the same sizes cost more, in seconds of the processor."""
MANY = 4096
"""Sizes whose cost is remembered."""


class KernelFailed(RuntimeError):
    """A kernel could not be compiled or loaded; the NumPy form does its work."""


class Inline:
    """A function that kernels may call; its code becomes part of theirs at every call, or stays apart."""

    def __init__(self, function: Callable[..., Any], apart: bool = False) -> None:
        self.function = function
        self.apart = apart

    def for_numba(self) -> Any:
        options = _options() | {"forceinline": not self.apart}
        return _numba_form(self, lambda numba: numba.njit(**options)(_with_numba_globals(self.function)))


class Instruction:
    """A function that writes LLVM code, for what Python has no word for; `make` is called with numba at hand."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def for_numba(self) -> Any:
        return _numba_form(self, lambda numba: self.make())


def inline(function: Callable[..., Any]) -> Any:
    """Mark a function that kernels may call."""
    return Inline(function)


def subroutine(function: Callable[..., Any]) -> Any:
    """Mark a large function that a kernel calls in several places: compiled once, and not once for each."""
    return Inline(function, apart=True)


def instruction(make: Callable[[], Any]) -> Any:
    """Mark a function that returns a numba intrinsic."""
    return Instruction(make)


def kernel(function: Callable[..., None]) -> Kernel:
    """Mark a function of one piece of work as a kernel."""
    return Kernel(function)


class Kernel:
    """A function that runs as machine code: `kernel(pieces, *arguments, scratch=floats)`."""

    def __init__(self, function: Callable[..., None]) -> None:
        self.function = function
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        names = list(inspect.signature(function).parameters)
        self.takes_scratch = "scratch" in names
        self.parameters = names[2 if self.takes_scratch else 1 :]
        self._kinds = [_KINDS[function.__annotations__[name]] for name in self.parameters]
        self._struct = struct.Struct("qq" + "".join(kind.format for kind in self._kinds))
        self._sizes = [i for i, kind in enumerate(self._kinds) if kind is _KINDS["int"]]
        self._costs: dict[tuple[int, ...], float] = {}
        self._code: Any = None
        self._address = 0
        self._failure: KernelFailed | None = None

    def __call__(self, pieces: int, *arguments: Any, scratch: int = 0) -> None:
        """Do all pieces. Arrays must be C-contiguous and of the type that their parameter names; None is no memory."""
        if pieces < 1:
            return
        code, parameters = self._code or self._load(), self._packed(pieces, arguments)
        key = (pieces, *[arguments[i] for i in self._sizes])
        wanted = min(pieces, threads.get_num_threads())
        start = time.perf_counter()
        wake = worth(self._costs.get(key, 0.0), WAKING)
        if wanted < 2 or not team().run(self._address, ctypes.addressof(parameters), 4 * scratch, wanted, wake):
            code(_UNUSED, _UNUSED, parameters, threads.own_scratch().address(4 * scratch) if scratch else 0)
        if len(self._costs) > MANY:
            self._costs.clear()
        self._costs[key] = time.perf_counter() - start

    def alone(self, *arguments: Any) -> None:
        """Do one piece, in this thread and without any ado."""
        code = self._code or self._load()
        code(_UNUSED, _UNUSED, self._packed(1, arguments), 0)

    def _packed(self, pieces: int, arguments: tuple[Any, ...]) -> Any:
        values = [
            argument if not kind.dtypes else _address(self, kind, argument)
            for kind, argument in zip(self._kinds, arguments, strict=True)
        ]
        return ctypes.create_string_buffer(self._struct.pack(0, pieces, *values), self._struct.size)

    def _load(self) -> Any:
        with _lock:
            if self._code is None:
                if self._failure is not None:
                    raise self._failure
                try:
                    self._code = self._linked(store.read(self.name)) or self._linked(self._compiled())
                except Exception as error:
                    self._failure = KernelFailed(f"{self.name}: {type(error).__name__}: {error}")
                    raise self._failure from error
            return self._code

    def _linked(self, code: bytes | None) -> Any:
        if code is None:
            return None
        import llvmlite.binding as llvm

        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine())
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        address = engine.get_function_address("kernel")
        if not address:
            return None
        _engines.append(engine)  # the code lives as long as its engine
        self._address = address
        return _PROTOTYPE(address)

    def _compiled(self) -> bytes:
        with _Progress(self.name):
            code = object_code(self)
        store.write(self.name, code)
        return code

    def entry_source(self) -> str:
        """The function that the machine code begins with: it reads the parameters and takes pieces."""
        reads = [kind.read.format(f"parameters[{i + 2}]") for i, kind in enumerate(self._kinds)]
        arguments = ["piece", *(["floats_at(scratch)"] if self.takes_scratch else []), *reads]
        return (
            "def entry(parameters, scratch):\n"
            "    piece = claim(parameters)\n"
            "    while piece >= 0:\n"
            f"        body({', '.join(arguments)})\n"
            "        piece = claim(parameters)\n"
        )


@functools.cache
def team() -> Any:
    """The threads that kernels run in."""
    from handmade.kernels.compiled.team import Team

    return Team()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=team.cache_clear)  # only the thread that forked lives on

_lock = threading.RLock()
_engines: list[Any] = []
_numba_forms: dict[Any, Any] = {}
_UNUSED = ctypes.byref((ctypes.c_int64 * 2)())  # where numba's functions leave results and errors: ours have none
_PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


def object_code(kernel: Kernel) -> bytes:
    """Compile a kernel: numba's code of the entry and all it calls, nothing else, as an object file."""
    import llvmlite.binding as llvm
    import numba

    from handmade.kernels.compiled import instructions

    names: dict[str, Any] = {
        name: getattr(instructions, name).for_numba()
        for name in ("claim", "floats_at", "ints_at", "bytes_at", "as_float")
    }
    names["body"] = _without_aliases(numba.njit(**_options())(_with_numba_globals(kernel.function)))
    exec(kernel.entry_source(), names)
    signature = numba.types.void(numba.types.CPointer(numba.types.int64), numba.types.int64)
    compiled: Any = numba.cfunc(signature, error_model="numpy")(names["entry"])
    library = compiled._library
    text = str(library._final_module)
    entry = next(
        function.name
        for function in library._final_module.functions
        if not function.is_declaration and function.name.startswith("_ZN") and "5entry" in function.name
    )
    module = llvm.parse_assembly(text.replace(entry, "kernel"))
    for function in module.functions:
        if not function.is_declaration and function.name != "kernel":
            function.linkage = "internal"
    machine = library._codegen._tm
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    missing = [f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")]
    if missing:
        raise RuntimeError(f"the code calls {', '.join(missing)}, which is not part of it")
    return machine.emit_object(module)


def _without_aliases(dispatcher: Any) -> Any:
    """Promise that a kernel's arrays do not overlap, so that its loops need not check it before every row."""

    def customize(flags: Any) -> Any:
        flags.noalias = True
        return flags

    dispatcher._compiler._customize_flags = customize
    return dispatcher


def _options() -> dict[str, Any]:
    return {"fastmath": _FAST, "error_model": "numpy", "forceinline": True}


def _numba_form(key: Any, make: Callable[[Any], Any]) -> Any:
    import numba

    if key not in _numba_forms:
        _numba_forms[key] = make(numba)
    return _numba_forms[key]


def _with_numba_globals(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with numba's forms in the place of our marked functions."""
    found = dict(function.__globals__)
    for name in function.__code__.co_names:
        if isinstance(found.get(name), Inline | Instruction):
            found[name] = found[name].for_numba()
    return types.FunctionType(function.__code__, found, function.__name__, function.__defaults__, function.__closure__)


def _target_machine() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(jit=True, codemodel="jitdefault")


def _address(kernel: Kernel, kind: _Kind, array: Any) -> int:
    if array is None:
        return 0
    if not array.flags.c_contiguous or array.dtype not in kind.dtypes:
        raise TypeError(
            f"{kernel.name}: got {array.dtype} {array.shape} with strides {array.strides}, "
            f"expected contiguous memory of {' or '.join(map(str, kind.dtypes))}"
        )
    return address(array)


def address(array: np.ndarray) -> int:
    """Where an array's memory begins."""
    return _POINTER.from_address(id(array) + object.__basicsize__).value or 0


def _slow_address(array: np.ndarray) -> int:
    return array.ctypes.data


_POINTER = ctypes.c_void_p
_probe = np.zeros(3)
if sys.implementation.name != "cpython" or address(_probe) != _slow_address(_probe):
    address = _slow_address  # NumPy keeps the pointer right behind Python's header; elsewhere we ask, ten times slower


class _Progress:
    """Says on the error stream what is compiled: a line that begins anew on a terminal, one line in all elsewhere."""

    said = False

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self.start = time.perf_counter()
        if not _Progress.said:
            told = "handmade: compiling kernels for this processor, once; the next start finds them."
            print(for_stream(told, sys.stderr), file=sys.stderr)
            _Progress.said = True
        if redraws(sys.stderr):
            print(f"\r\x1b[K  {self.name} ...", end="", file=sys.stderr, flush=True)

    def __exit__(self, *exception: object) -> None:
        if redraws(sys.stderr):
            print(
                f"\r\x1b[K  {self.name}: {time.perf_counter() - self.start:.1f} s\r",
                end="",
                file=sys.stderr,
                flush=True,
            )
