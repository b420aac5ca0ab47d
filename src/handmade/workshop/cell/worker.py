"""The learner's process: it waits for jobs; for each it forks a child that runs the solution on the cases and reports.

It knows no answer: no exercise is ever imported here. Reports are lines of plain data (`wire.py`) on a pipe of their
own, which nothing that a solution prints can reach. Between two jobs the process stays warm: NumPy, and PyTorch from
the first solution that uses it, are loaded once.
"""

import faulthandler
import linecache
import os
import resource
import shutil
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from os import _exit  # a solution may put something else in os
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

from handmade.workshop.cell import namespaces
from handmade.workshop.cell.cases import Case, Raised, Result, drive, fresh, plain, raised_by
from handmade.workshop.cell.drivers import DRIVERS
from handmade.workshop.cell.guard import guard
from handmade.workshop.cell.wire import dumps, loads

Report = Callable[..., None]


@dataclass(frozen=True)
class Limits:
    """What a solution may use: seconds for everything, bytes of memory beyond those of the libraries, bytes of each
    file, what it prints included, and processes or threads of it, where a namespace counts them."""

    seconds: float = 10.0
    memory: int = 1 << 30
    file: int = 1 << 20
    processes: int = 64


@dataclass(frozen=True)
class Job:
    """All that a learner's process gets to know of an exercise, and the solution to run.

    path: where the solution lies, for its error messages; source: what it says.
    helpers: the folders in which modules of its own may lie.
    functions, driver, outputs, cases: as the exercise has them.
    torch: whether it is written with PyTorch, and gets tensors.
    """

    path: str
    source: str
    helpers: tuple[str, ...]
    functions: tuple[str, ...]
    driver: str
    outputs: tuple[str, ...]
    cases: list[Case]
    torch: bool
    limits: Limits

    def line(self) -> str:
        cases = [vars(case) for case in self.cases]
        return dumps({**vars(self), "cases": cases, "limits": vars(self.limits)})

    @classmethod
    def of_line(cls, line: bytes) -> "Job":
        facts = loads(line)
        cases = [Case(**case) for case in facts["cases"]]
        return cls(**{**facts, "cases": cases, "limits": Limits(**facts["limits"])})


def main() -> None:
    """Serve jobs from standard input. Arguments: descriptor for reports, scratch folder, hidden folder, confinement."""
    descriptor, scratch, hidden, confinement = int(sys.argv[1]), *sys.argv[2:]
    if confinement == "namespaces":
        namespaces.enter(scratch, hidden)
    os.chdir(scratch)
    serve(sys.stdin.buffer, descriptor, scratch, hidden, counted=confinement != "limits")


def serve(jobs: BinaryIO, descriptor: int, scratch: str, hidden: str, counted: bool) -> None:
    """Run each job in a child, until the jobs end. `counted`: processes here are only our own."""

    def report(kind: str, **facts: Any) -> None:
        line = f"\n{dumps({'kind': kind, **facts})}\n".encode()  # a child that was killed may have left half a line
        while line:
            line = line[os.write(descriptor, line) :]

    report("ready")
    for line in jobs:
        job = Job.of_line(line)
        if job.torch:
            with suppress(ImportError):
                import_module("torch")  # the children have it then
        child = os.fork()
        if child == 0:
            _be_child(job, report, descriptor, scratch, hidden, counted)
        report("end", exit=_wait(child, job.limits.seconds + 1), **_printed(scratch, job.limits.file))
        _empty(scratch)


def _wait(child: int, seconds: float) -> int:
    """The child's exit code, or minus the signal that ended it: at the latest ours."""

    def kill(*_: Any) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    _, status = os.waitpid(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # what it may have left behind
    return os.waitstatus_to_exitcode(status)


def _printed(scratch: str, limit: int) -> dict[str, Any]:
    """The beginning of what the child printed, and whether it was cut off."""
    path = os.path.join(scratch, PRINTED)
    try:
        with open(path, "rb") as file:
            beginning = file.read(4000).decode("utf-8", "replace")
        return {"printed": beginning, "cut": os.path.getsize(path) >= limit}
    except OSError:
        return {"printed": "", "cut": False}


def _empty(scratch: str) -> None:
    for entry in os.scandir(scratch):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry, ignore_errors=True)
        else:
            os.remove(entry)


PRINTED = ".printed"


def _be_child(job: Job, report: Report, descriptor: int, scratch: str, hidden: str, counted: bool) -> None:
    """Confine this process, run the job and end: nothing that a solution does gets past here."""
    try:
        os.setsid()
        _connect(os.path.join(scratch, PRINTED))
        faulthandler.enable(descriptor)
        faulthandler.dump_traceback_later(job.limits.seconds, exit=True, file=descriptor)
        _limit(job.limits, counted)
        _forget_handmade()
        guard(scratch, hidden, lambda what: report("refused", what=what))
        run(job, report)
    except BaseException as error:
        with suppress(BaseException):
            report("load", raised=vars(raised_by(error)))
    with suppress(BaseException):
        sys.stdout.flush()
    _exit(0)


def _connect(printed: str) -> None:
    """Nothing to read from, and a file to print to."""
    nothing, file = os.open(os.devnull, os.O_RDONLY), os.open(printed, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.dup2(nothing, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdin = os.fdopen(0, closefd=False)  # jobs are read through the old one
    sys.stdout = os.fdopen(1, "w", 1, "utf-8", closefd=False)  # by lines: what is printed before a crash is kept


def _limit(limits: Limits, counted: bool) -> None:
    """The kernel's limits, as far as this system knows them."""
    wanted = {"RLIMIT_FSIZE": limits.file, "RLIMIT_CPU": int(limits.seconds) + 2, "RLIMIT_CORE": 0}
    with suppress(OSError), open("/proc/self/statm") as file:
        wanted["RLIMIT_AS"] = int(file.read().split()[0]) * resource.getpagesize() + limits.memory
    if counted:
        wanted["RLIMIT_NPROC"] = limits.processes
    for name, value in wanted.items():
        with suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, name), (value, value))


def _forget_handmade() -> None:
    """No solution imports handmade, whatever the spelling."""

    class Refusing:
        @staticmethod
        def find_spec(name: str, *_: Any) -> None:
            if name.partition(".")[0] == "handmade":
                raise ImportError("a solution does the work itself: it may not import handmade")

    sys.meta_path.insert(0, Refusing)  # pyright: ignore[reportArgumentType]
    for name in [name for name in sys.modules if name.partition(".")[0] == "handmade"]:
        del sys.modules[name]


def run(job: Job, report: Report) -> None:
    """Load the solution and report each case as it is done, then the first one again, and what was left behind."""
    warnings.simplefilter("ignore")
    sys.path.extend(job.helpers)  # behind everything else
    if job.torch:
        torch = import_module("torch")
        torch.set_default_dtype(torch.float64)
    numpy_before = _numpy_names()
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
    left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    patched = [name for name, value in _numpy_names().items() if numpy_before.get(name, value) is not value]
    report("done", seconds=seconds, threads=left, patched=patched)


def load(job: Job) -> dict[str, Any]:
    """The solution's functions and classes by name. Raises what the file raises; NameError where one is missing."""
    linecache.cache[job.path] = (len(job.source), None, job.source.splitlines(keepends=True), job.path)
    module = ModuleType("solution")
    module.__file__ = job.path
    sys.modules["solution"] = module
    exec(compile(job.source, job.path, "exec"), vars(module))
    for name in job.functions:
        if not callable(vars(module).get(name)):
            raise NameError(f"after the file has run, there is no function or class {name!r} in it")
    return {name: vars(module)[name] for name in job.functions}


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


def _places(case: Case) -> dict[tuple[str, Any], str]:
    """What each argument holds, to see whether it has changed; generators are there to change."""
    parts = {"args": enumerate(case.args), "options": case.options.items(), "extra": case.extra.items()}
    return {
        (field, key): dumps(plain(value))
        for field, values in parts.items()
        for key, value in values
        if not isinstance(value, np.random.Generator)
    }


def _numpy_names() -> dict[str, Any]:
    """What NumPy's names stand for now."""
    modules = {"numpy": np, "numpy.linalg": np.linalg, "numpy.random": np.random}
    return {f"{module}.{name}": value for module, names in modules.items() for name, value in vars(names).items()}
