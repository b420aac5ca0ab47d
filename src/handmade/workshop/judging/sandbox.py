"""Where a learner's process runs: started, confined, warm between two jobs, killed whole when something is wrong."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handmade.errors import InputError
from handmade.workshop.cell.cases import Raised, Result
from handmade.workshop.cell.wire import Opaque, loads
from handmade.workshop.cell.worker import Job

_WORKSHOP = Path(__file__).parents[1]
HIDDEN = str(_WORKSHOP / "exercises")
LARGEST_REPORT = 64 << 20

_START = """
import sys, types
for name, folder in {packages!r}:
    sys.modules[name] = package = types.ModuleType(name)
    package.__path__ = [folder]
from handmade.workshop.cell.worker import main
main()
"""  # bare packages: the engine stays outside, and the start is quick

CONTAINED = {
    "always": (
        "its own process, ended with all that it started at the time limit, or when the verdict is there",
        "limits for time, memory, the size of files and what it prints",
        "a scratch folder as current directory; of your environment's variables only those that find libraries",
        "through Python it cannot write or remove files elsewhere, start or signal processes, or use the network",
        "the reference is never in that process; nothing that it sends is unpickled or run",
    ),
    "kernel": (
        "the kernel gives it no network",
        "the kernel lets it write to its scratch folder only, which is in memory",
        "the kernel lets it see and signal no process but its own, and bounds how many those are",
    ),
}
NOT_CONTAINED = {
    "always": ("it can read the files that you can read",),
    "kernel": ("a flaw in the kernel itself",),
    "limits": (
        "code that goes around Python (ctypes, compiled extensions) can write files, use the network and start "
        "processes: check only files that you trust so far. On Linux, bubblewrap (bwrap) contains that.",
    ),
}


@dataclass
class Outcome:
    """What came of a job.

    ending: "finished"; or "load" (the file raised as it was run), "time", "exit" (it ended its process), "crash" (a
    signal ended it), "lost" (more was reported than any exercise gives).
    where: for time and crash, the line it was at, where that is known. signal: which one, for a crash.
    """

    ending: str = "lost"
    results: list[Result] = field(default_factory=list)
    again: Result | None = None
    raised: Raised | None = None
    where: str = ""
    signal: str = ""
    refused: list[str] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    patched: list[str] = field(default_factory=list)
    printed: str = ""
    cut: bool = False
    seconds: float = 0.0


class Sandbox:
    """A confined process for solutions, one job at a time. Use it in a `with` block, or close it.

    confinement: "bubblewrap", "namespaces" or "limits"; by default the first that works here.
    """

    def __init__(self, confinement: str | None = None) -> None:
        self._left = [confinement] if confinement else confinements()
        self._process: subprocess.Popen[bytes] | None = None
        self._report = -1
        self._unread = b""
        self._scratch = ""
        self._start()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def confinement(self) -> str:
        """How solutions are confined here."""
        self._wait_until_ready()
        return self._left[0]

    def run(self, job: Job) -> Outcome:
        """Run a job. A process that did not end well is not used again."""
        self._wait_until_ready()
        deadline = time.monotonic() + job.limits.seconds + 5  # its own parent ends it before that; PyTorch has to load
        outcome = self._run(job, deadline + 30 * job.torch)
        if outcome.ending not in ("finished", "load"):
            self._restart()
        return outcome

    def close(self) -> None:
        """End the process and all that it started; nothing of it stays on the disk."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if self._process.stdin:
                with suppress(OSError):
                    self._process.stdin.close()
            os.close(self._report)
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._process, self._unread = None, b""

    def _restart(self) -> None:
        self.close()
        self._start()

    def _start(self) -> None:
        self._scratch = os.path.realpath(tempfile.mkdtemp(prefix="handmade-"))
        self._report, theirs = os.pipe()
        packages = [("handmade", str(_WORKSHOP.parent)), ("handmade.workshop", str(_WORKSHOP))]
        python = [sys.executable, "-P", "-c", _START.format(packages=packages)]
        python += [str(theirs), self._scratch, HIDDEN, self._left[0]]
        try:
            self._process = subprocess.Popen(
                _bubblewrapped(python, self._scratch) if self._left[0] == "bubblewrap" else python,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs],
                start_new_session=True,
                env=_environment(self._scratch),
            )
        finally:
            os.close(theirs)
        self._ready = False

    def _wait_until_ready(self) -> None:
        """Wait for the process; where this confinement does not work on this machine, take the next."""
        while not self._ready:
            first = next(self._lines(time.monotonic() + 60), None)
            if first is not None:
                self._ready = True
            elif len(self._left) == 1:
                raise InputError(f"the process for solutions does not start on this machine ({self._left[0]}).")
            else:
                self._left = self._left[1:]
                self._restart()

    def _run(self, job: Job, deadline: float) -> Outcome:
        assert self._process is not None
        assert self._process.stdin is not None
        outcome, raw = Outcome(), []
        try:
            self._process.stdin.write(job.line().encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return outcome
        for line in self._lines(deadline):
            if isinstance(line, str):
                raw.append(line)
                continue
            with suppress(KeyError, TypeError, ValueError, AttributeError):  # a line that another hand wrote
                if _take(line, outcome):
                    _settle(outcome, int(line["exit"]), "\n".join(raw), job)
                    return outcome
        if time.monotonic() >= deadline:
            outcome.ending = "time"
        return outcome

    def _lines(self, deadline: float) -> Iterator[dict[str, Any] | str]:
        """The reports as they come: data, or the text of a line that is none. Ends at the deadline or with the pipe."""
        received = 0
        while received < LARGEST_REPORT:
            while b"\n" in self._unread:
                line, _, self._unread = self._unread.partition(b"\n")
                if line:
                    yield _report_of(line)
            wait = deadline - time.monotonic()
            if wait <= 0 or not select.select([self._report], [], [], wait)[0]:
                return
            content = os.read(self._report, 1 << 16)
            if not content:
                return
            received += len(content)
            self._unread += content


def confinements() -> list[str]:
    """The ways to confine a process that this machine may know, the strongest first."""
    linux = sys.platform == "linux"
    found = ["bubblewrap"] if linux and shutil.which("bwrap") else []
    return [*found, *(["namespaces"] if linux else []), "limits"]


def isolation(confinement: str) -> str:
    """What is contained under this confinement, and what is not, in plain words."""
    strength = "limits" if confinement == "limits" else "kernel"
    contained = [*CONTAINED["always"], *CONTAINED.get(strength, ())]
    missing = [*NOT_CONTAINED["always"], *NOT_CONTAINED[strength]]
    return "\n".join(
        [
            f"A solution is confined by: {confinement}.",
            "Contained:",
            *(f"  - {what}" for what in contained),
            "Not contained:",
            *(f"  - {what}" for what in missing),
        ]
    )


def _bubblewrapped(command: list[str], scratch: str) -> list[str]:
    own = ["--unshare-all", "--die-with-parent", "--new-session", "--dev", "/dev", "--proc", "/proc"]
    return ["bwrap", "--ro-bind", "/", "/", *own, "--tmpfs", HIDDEN, "--tmpfs", scratch, *command]


def _environment(scratch: str) -> dict[str, str]:
    """Nothing of the learner's own but what Python needs to find its libraries."""
    kept = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "HOME": scratch,
        "TMPDIR": scratch,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def _report_of(line: bytes) -> dict[str, Any] | str:
    with suppress(ValueError):
        value = loads(line)
        if isinstance(value, dict):
            return value
    return line[:500].decode("utf-8", "replace")


def _take(line: dict[str, Any], outcome: Outcome) -> bool:
    """Put one report into the outcome; whether it was the last."""
    match line["kind"]:
        case "result":
            outcome.results.append(_result(line))
        case "again":
            outcome.again = _result(line)
        case "load":
            outcome.raised = Raised(**line["raised"])
        case "refused":
            outcome.refused.append(str(line["what"]))
        case "done":
            outcome.seconds = float(line["seconds"])
            outcome.threads, outcome.patched = list(map(str, line["threads"])), list(map(str, line["patched"]))
            outcome.ending = "finished"
        case "end":
            outcome.printed, outcome.cut = str(line["printed"]), bool(line["cut"])
            return True
    return False


def _result(line: dict[str, Any]) -> Result:
    raised = Raised(**line["raised"]) if line["raised"] else None
    outputs = line["outputs"]
    if raised is None and not isinstance(outputs, dict):
        outputs = {"": Opaque("nothing")}
    return Result(outputs, raised, tuple((field, key) for field, key in line["changed"]))


def _settle(outcome: Outcome, code: int, raw: str, job: Job) -> None:
    """How the job ended, from the child's exit code and what faulthandler wrote."""
    outcome.where = _where(raw, job.path)
    if "Timeout (" in raw or code in (-signal.SIGKILL, -signal.SIGXCPU):
        outcome.ending = "time"
    elif code < 0:
        outcome.ending, outcome.signal = "crash", signal.Signals(-code).name
    elif outcome.raised is not None:
        outcome.ending = "load"
    elif outcome.ending != "finished":
        outcome.ending = "exit"
    elif len(outcome.results) != len(job.cases):
        outcome.ending = "lost"


def _where(raw: str, path: str) -> str:
    """The innermost line of the solution in a faulthandler's dump, the main thread's if it tells."""
    name = re.escape(os.path.basename(path).encode("ascii", "backslashreplace").decode())
    main = raw.rpartition("Thread 0x")[2] or raw
    found = re.search(rf'File "[^"]*{name}", line (\d+) in (\S+)', main) or re.search(r"(?!)", "")
    return f"line {found[1]}, in {found[2]}" if found else ""
