"""Where a learner's process runs: started, confined, kept warm between jobs, killed as a whole if anything is wrong."""

import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handmade.errors import InputError
from handmade.workshop.judging.isolation import Confinement

if TYPE_CHECKING:  # they load NumPy, as the process does: side by side with it, not before
    from handmade.workshop.cell.job import Job
    from handmade.workshop.judging.outcome import Outcome

_PACKAGE = Path(__file__).resolve().parents[2]
_CELL = _PACKAGE / "workshop" / "cell"

_LONGEST_HEADER = 1 << 16

_SCRATCH, _YOUNG = "handmade-cell-", 1.0
"""How the scratch folders' names begin, and for how many seconds one may not have its lock yet."""

_START = """
import sys, types
for name, folder in {packages!r}:
    sys.modules[name] = package = types.ModuleType(name)
    package.__path__ = [folder]
from handmade.workshop.cell.worker import main
main()
"""  # bare packages: the engine stays outside, and the start is quick


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
        self._lock = -1
        self._how: Confinement | None = None
        self._start()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def confinement(self) -> Confinement:
        """How solutions are confined here."""
        return self._wait_until_ready()

    def run(self, job: "Job") -> "Outcome":
        """Run a job. A process that did not end well is not used again."""
        self._wait_until_ready()
        deadline = time.monotonic() + job.limits.seconds + 5  # its own parent ends it before that; PyTorch has to load
        outcome = self._run(job, deadline + 30 * job.torch)
        if outcome.ending not in ("finished", "load") or outcome.left or self._unread:
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
            os.close(self._lock)
            self._process, self._unread, self._how = None, b"", None

    def _restart(self) -> None:
        self.close()
        self._start()

    def _start(self) -> None:
        _remove_abandoned()
        self._scratch = os.path.realpath(tempfile.mkdtemp(prefix=_SCRATCH))
        self._lock = os.open(self._scratch, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._report, theirs = os.pipe()
        packages = [("handmade", str(_PACKAGE)), ("handmade.workshop", str(_PACKAGE / "workshop"))]
        python = [sys.executable, "-P", "-c", _START.format(packages=packages)]
        python += [str(theirs), self._left[0], self._scratch, *hidden_folders()]
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

    def _wait_until_ready(self) -> Confinement:
        """Wait for the process; where this confinement does not work on this machine, take the next."""
        while self._how is None:
            first = self._message(time.monotonic() + 60)
            if first is not None:
                self._how = Confinement(self._left[0], int(first[0]["landlock"]), bool(first[0]["seccomp"]))
            elif len(self._left) == 1:
                raise InputError(f"the process for solutions does not start on this machine ({self._left[0]}).")
            else:
                self._left = self._left[1:]
                self._restart()
        return self._how

    def _run(self, job: "Job", deadline: float) -> "Outcome":
        from handmade.workshop.judging.outcome import Outcome, outcome_of

        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(job.line().encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return Outcome()
        message = self._message(deadline)
        if message is None:
            return Outcome("time" if time.monotonic() >= deadline else "lost")
        return outcome_of(*message, job)

    def _message(self, deadline: float) -> tuple[dict[str, Any], bytes] | None:
        """The next message of the process that runs the jobs: facts in a line, and as many bytes as they say."""
        from handmade.workshop.cell.wire import loads

        while b"\n" not in self._unread:
            if len(self._unread) > _LONGEST_HEADER or not self._receive(deadline):
                return None
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            facts = loads(line)
            size = int(facts["size"])
        except (ValueError, TypeError, KeyError):
            return None
        while len(self._unread) < size:
            if not self._receive(deadline):
                return None
        content, self._unread = self._unread[:size], self._unread[size:]
        return facts, content

    def _receive(self, deadline: float) -> bool:
        """Take what has come; whether there was anything before the deadline."""
        wait = deadline - time.monotonic()
        if wait <= 0 or not select.select([self._report], [], [], wait)[0]:
            return False
        content = os.read(self._report, 1 << 20)
        self._unread += content
        return bool(content)


def confinements() -> list[str]:
    """The ways to confine a process that this machine may know, the strongest first."""
    linux = sys.platform == "linux"
    found = ["bubblewrap"] if linux and shutil.which("bwrap") else []
    return [*found, *(["namespaces"] if linux else []), "limits"]


def hidden_folders() -> list[str]:
    """Every copy of handmade that Python would find: there are answers in them."""
    copies = (os.path.join(entry, "handmade") for entry in sys.path if entry)
    return sorted({str(_PACKAGE), *(os.path.realpath(copy) for copy in copies if os.path.isdir(copy))})


def _bubblewrapped(command: list[str], scratch: str) -> list[str]:
    own = ["--unshare-all", "--die-with-parent", "--new-session", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run"]
    for folder in hidden_folders():
        own += ["--tmpfs", folder]
    own += ["--ro-bind", str(_CELL), str(_CELL), "--tmpfs", scratch]
    return ["bwrap", "--ro-bind", "/", "/", *own, *command]


def _remove_abandoned() -> None:
    """Remove the scratch folders of programs that were killed before they could: nobody holds their locks."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                facts = os.fstat(descriptor)
                if facts.st_uid == os.getuid() and time.time() - facts.st_mtime > _YOUNG:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


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
