"""The process in which a solution runs: it confines itself, runs the job, reports, and ends.

Reports are lines of plain data (`wire.py`) on a pipe of the job's own, which the parent reads and closes.
"""

import faulthandler
import linecache
import os
import resource
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from os import _exit  # a solution may put something else in os
from typing import Any

import numpy as np

from handmade.workshop.cell import landlock, seccomp
from handmade.workshop.cell.cases import Case, Raised, Result, drive, fresh, plain, raised_by
from handmade.workshop.cell.drivers import DRIVERS
from handmade.workshop.cell.guard import guard
from handmade.workshop.cell.inert import put_in
from handmade.workshop.cell.job import Job, Limits
from handmade.workshop.cell.solutions import load
from handmade.workshop.cell.versions import report_edits, report_trace
from handmade.workshop.cell.wire import dumps

Report = Callable[..., None]

PRINTED = ".printed"


def be_child(job: Job, descriptor: int, scratch: str, hidden: list[str], counted: bool) -> None:
    """Confine this process, run the job, report on `descriptor` and end: nothing that a solution does gets past here.
    `counted`: processes here are only our own."""

    def report(kind: str, **facts: Any) -> None:
        line = f"{dumps({'kind': kind, **facts})}\n".encode()
        while line:
            line = line[os.write(descriptor, line) :]

    try:
        os.setsid()
        _connect(os.path.join(scratch, PRINTED))
        faulthandler.enable(descriptor)
        faulthandler.dump_traceback_later(job.limits.seconds, exit=True, file=descriptor)
        _limit(job.limits, counted)
        _forget_handmade()
        put_in()
        if job.torch:
            _forbid(job.forbidden, lambda what: report("shortcut", what=what))
        confine(scratch, job.helpers, hidden)
        guard(scratch, hidden, lambda what: report("refused", what=what + _line_of(job.path)))
        run(job, report)
    except BaseException as error:
        with suppress(BaseException):
            report("load", raised=vars(raised_by(error)))
    with suppress(BaseException):
        sys.stdout.flush()
    _exit(0)


def _line_of(path: str) -> str:
    """The line of the solution that is at work, as ", in line 3: import antigravity"; "" where none is."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != path:
        frame = frame.f_back
    return f", in line {frame.f_lineno}: {linecache.getline(path, frame.f_lineno).strip()}" if frame else ""


def warm_up() -> None:
    """Do once what every child does first: what that loads and makes ready, its parent's children all have then."""
    case = Case("", (np.ones((3, 3)),))
    job = Job("", "", (), ("f",), "call", ("out",), [case], False, Limits())

    def report(kind: str, **facts: Any) -> None:
        dumps({"kind": kind, **facts})

    for _ in range(3):
        _report_case(report, "result", job, {"f": lambda x: x @ x}, case)
    _numpy_names()


def confine(scratch: str, helpers: tuple[str, ...], hidden: list[str]) -> None:
    """Have the kernel enforce, from now on, what it can enforce in any process."""
    if landlock.version():
        landlock.restrict(scratch, helpers, hidden)
    if seccomp.available():
        seccomp.refuse_calls()


def _connect(printed: str) -> None:
    """Standard input is empty from now on, and what is printed goes to a file."""
    nothing, file = os.open(os.devnull, os.O_RDONLY), os.open(printed, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.dup2(nothing, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdin = os.fdopen(0, closefd=False)  # jobs are read through the old one
    sys.stdout = os.fdopen(1, "w", 1, "utf-8", closefd=False)  # by lines: what is printed before a crash is kept


def _limit(limits: Limits, counted: bool) -> None:
    """Set the kernel's resource limits that this system has."""
    wanted = {"RLIMIT_FSIZE": limits.file, "RLIMIT_CPU": int(limits.seconds) + 2, "RLIMIT_CORE": 0}
    with suppress(OSError), open("/proc/self/statm") as file:
        wanted["RLIMIT_AS"] = int(file.read().split()[0]) * resource.getpagesize() + limits.memory
    if counted:
        wanted["RLIMIT_NPROC"] = limits.processes
    for name, value in wanted.items():
        with suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, name), (value, value))


def _forget_handmade() -> None:
    """No solution imports handmade by its name; its files are hidden besides."""

    class Refusing:
        @staticmethod
        def find_spec(name: str, *_: Any) -> None:
            if name.partition(".")[0] == "handmade":
                raise ImportError("a solution does the work itself: it may not import handmade")

    sys.meta_path.insert(0, Refusing)  # pyright: ignore[reportArgumentType]
    for name in [name for name in sys.modules if name.partition(".")[0] == "handmade"]:
        del sys.modules[name]


def _forbid(names: tuple[str, ...], note: Callable[[str], None]) -> None:
    """Replace PyTorch's functions of these names by a refusal, which is found however a solution spells them."""
    for name in names:
        owner, _, last = name.rpartition(".")
        if not owner.startswith("torch"):
            continue
        with suppress(ImportError, AttributeError, TypeError):
            holder: Any = _named(owner)
            getattr(holder, last)  # only what is there
            setattr(holder, last, _refusing(name, note))


def _named(name: str) -> Any:
    """The module or class of this name."""
    try:
        return import_module(name)
    except ImportError:
        owner, _, last = name.rpartition(".")
        return getattr(_named(owner), last)


def _refusing(name: str, note: Callable[[str], None]) -> Callable[..., None]:
    def refuse(*_: Any, **__: Any) -> None:
        note(name)
        raise PermissionError(f"{name} does the work of this exercise")

    return refuse


def run(job: Job, report: Report) -> None:
    """Load the solution and report each case as it is done, then the first one again, and what was left behind."""
    warnings.simplefilter("ignore")
    sys.path.extend(job.helpers)  # behind everything else
    if job.torch:
        torch = import_module("torch")
        torch.set_default_dtype(torch.float64)
    if job.traced or job.edits:
        (report_edits if job.edits else report_trace)(job, report)
        report("done", seconds=time.process_time(), threads=[], patched=[])
        return
    numpy_before, tasks_before = _numpy_names(), _tasks()
    try:
        solution = load(job)
    except BaseException as error:
        report("load", raised=vars(raised_by(error)))
        return
    begun = time.perf_counter()
    for case in job.cases:
        _report_case(report, "result", job, solution, case)
    seconds = time.perf_counter() - begun
    if job.cases:
        _report_case(report, "again", job, solution, job.cases[0])
    patched = [name for name, value in _numpy_names().items() if numpy_before.get(name, value) is not value]
    threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if not threads and not job.torch and _more_tasks_than(tasks_before):  # PyTorch keeps threads of its own
        threads = ["a thread that Python has no name for"]
    report("done", seconds=seconds, threads=threads, patched=patched)


def _tasks() -> int:
    """How many threads the kernel counts in this process; 0 where it does not tell."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 0


def _more_tasks_than(before: int) -> bool:
    """Whether there are more threads than before, though those that have just returned get a moment to end."""
    for _ in range(5):
        if _tasks() <= before:
            return False
        time.sleep(0.01)
    return True


def _report_case(report: Report, kind: str, job: Job, solution: dict[str, Any], case: Case) -> None:
    case = fresh(case, job.torch)
    before = _places(case)
    try:
        result = drive(DRIVERS[job.driver], solution, case, job.outputs)
    except BaseException as error:
        result = Result(None, raised_by(error))
    changed = tuple(place for place, content in _places(case).items() if before.get(place) != content)
    raised = vars(result.raised) if isinstance(result.raised, Raised) else None
    try:
        report(kind, outputs=result.outputs, raised=raised, changed=changed)
    except (RecursionError, MemoryError) as error:
        report(kind, outputs=None, raised=vars(raised_by(error)), changed=changed)


def _places(case: Case) -> dict[tuple[str, Any], Any]:
    """What each argument holds, to see whether it has changed; generators, which are meant to change, are left out."""
    parts = {"args": enumerate(case.args), "options": case.options.items(), "extra": case.extra.items()}
    return {
        (field, key): _content(plain(value))
        for field, values in parts.items()
        for key, value in values
        if not isinstance(value, np.random.Generator)
    }


def _content(value: Any) -> Any:
    """What a value holds now, to be compared."""
    if type(value) is np.ndarray and value.dtype.kind in "biuf":
        return value.dtype.str, value.shape, value.tobytes()
    return dumps(value)


def _numpy_names() -> dict[str, Any]:
    """The objects that NumPy's public names stand for now."""
    modules = {"numpy": np, "numpy.fft": np.fft, "numpy.linalg": np.linalg, "numpy.random": np.random}
    return {f"{module}.{name}": value for module, names in modules.items() for name, value in vars(names).items()}
