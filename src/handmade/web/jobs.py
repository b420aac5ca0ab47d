"""Jobs: trainings that pages watch and steer, and measurements that take long (measuring.py).

A training is a child process (trainer.py), whose lines are the job's events.

Events are numbered from 0, so a reader that was cut off goes on where it stopped. Who begins a job names a run, a
network or a mistake, from lists; no path comes from a browser. A job that nobody reads pauses, and after a while it is
saved and ends.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from handmade.errors import InputError, printable
from handmade.train import Run, open_run
from handmade.train.interventions import intervened
from handmade.train.metrics import read_metrics
from handmade.web.events import Busy, Eventful
from handmade.web.measuring import Measurement, Pieces
from handmade.web.private import private_folder

J = TypeVar("J", bound=Eventful)

MOST = 2
"""Jobs that run at the same time: one a core of a small machine."""

KEPT = 8
"""Jobs that are remembered."""

MOST_MEASURED = 3
"""Measurements that run at the same time: those that were cancelled go on to the end of their piece."""

PAUSED_AFTER, ENDED_AFTER = 60.0, 600.0
"""Seconds without a reader after which a job pauses, and after which it is saved and ends."""

ENDING = 20.0
"""Seconds that a job has to be saved when all ends."""

LONGEST_PRINT = 2_000
"""Characters of what a child printed last that are kept."""


class Job(Eventful):
    """One child process, from its start to its end. `run` is the name of its run, once it has begun.

    state: "starting", "training", "paused", "ended" or "failed". secret: what the page is to find out.
    """

    def __init__(self, number: int, arguments: list[str], folder: Path, run: str = "", secret: str = "") -> None:
        super().__init__(number)
        self.run, self.secret = run, secret
        self.state, self.step = "starting", 0
        self.absent = False  # it is paused because nobody reads
        self.solved = False  # a guess was made at the secret
        self._printed = ""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "handmade.web.trainer", *arguments],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C in the terminal ends the server, which has the run saved
        )
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._hear, self._keep_printed)]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def live(self) -> bool:
        return self.state not in ("ended", "failed")

    def order(self, what: str, **more: Any) -> None:
        """Tell the child; it obeys between two steps, and tells so. InputError where it has ended."""
        try:
            if not self.live:
                raise OSError
            assert self._process.stdin is not None
            with self._lock:
                self._process.stdin.write(json.dumps({"do": what, **more}) + "\n")
                self._process.stdin.flush()
        except (OSError, ValueError):
            raise InputError(f"job {self.number} has ended: its run can be resumed.") from None

    def came(self) -> None:
        if self.absent:
            self.absent = False
            with suppress(InputError):  # it has just ended
                self.order("go")

    def look_after(self, paused_after: float, ended_after: float) -> None:
        """Pause it, or have it saved and end, if it has been without a reader for that long."""
        away = self.away
        with suppress(InputError):  # it has just ended
            if away > ended_after:
                self.order("stop")
                self.left = time.monotonic()  # it is asked once
            elif away > paused_after and self.state == "training" and not self.absent:
                self.absent = True
                self.order("pause", absent=True)

    def end(self, deadline: float) -> None:
        """Wait until it has ended by itself, to `deadline` at most."""
        try:
            self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
        for thread in self._threads:
            thread.join(5)

    def _hear(self) -> None:
        """Every line of the child is an event; the last one is of ours, where it was killed."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue  # a line that was cut off by its end
            self._take(said["event"], said["data"])
        status = self._process.wait()
        if self.live:
            self._threads[1].join(1)  # what it printed last may still be on its way
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            printed = f" It printed last: {printable(self._printed)}" if self._printed.strip() else ""
            kept = "The run keeps its last checkpoint: resume it." if self.run else ""
            self._take("failed", {"message": f"The training process {how} after step {self.step}. {kept}{printed}"})
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # of an order that nobody took
                    pipe.close()

    def _take(self, kind: str, data: dict[str, Any]) -> None:
        states = {"begun": "training", "going": "training", "paused": "paused", "ended": "ended", "failed": "failed"}
        self.run = data["run"] if kind == "begun" else self.run
        self.step = data.get("step") or self.step
        self.note(kind, **data)
        self.state = states.get(kind, self.state)  # the last: who sees the end has seen all events

    def _keep_printed(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None
        while text := stderr.readline(LONGEST_PRINT):
            self._printed = (self._printed + text)[-LONGEST_PRINT:]
        stderr.close()


class Jobs:
    """All jobs over the runs in `folder`/runs. Those of a diagnosis are in a folder that goes with the server."""

    def __init__(self, folder: Path, paused_after: float = PAUSED_AFTER, ended_after: float = ENDED_AFTER) -> None:
        self.folder = folder
        self._after = paused_after, ended_after
        self._jobs: dict[int, Eventful] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._private: tempfile.TemporaryDirectory[str] | None = None
        self._keeper: threading.Thread | None = None

    def runs(self) -> dict[str, Run]:
        """The runs by the names that pages know them by, the newest first; those of another version are left out."""
        found = {}
        configs = (self.folder / "runs").glob("*/config.json")
        for config in sorted(configs, key=lambda path: -path.stat().st_mtime):
            try:
                found[config.parent.relative_to(self.folder).as_posix()] = open_run(config.parent)
            except InputError:
                continue
        return found

    def run(self, name: str) -> Run:
        """The run of this name. InputError where there is none: no path ever comes from a browser."""
        runs = self.runs()
        if name not in runs:
            known = f"There are {', '.join(runs)}." if runs else "There is none."
            raise InputError(f"there is no run {name!r} here. {known}")
        return runs[name]

    def resume(self, name: str, yours: Path | None = None) -> Job:
        """Go on with the run of this name."""
        run = self.run(name)
        if (job := self.of(name)) is not None:
            raise InputError(f"{name} trains already, as job {job.number}.")
        return self._begin([str(run.folder.relative_to(self.folder)), *_with(yours)], name)

    def new(self, network: str, settings: list[str], yours: Path | None = None) -> Job:
        """Train a network by its recipe with these settings; its run is the next of runs/NETWORK-N."""
        changes = [part for setting in settings for part in ("--set", setting)]
        return self._begin(["--new", network, *changes, *_with(yours)])

    def diagnosis(self, fault: str) -> Job:
        """Train a small GPT with this mistake, which only the job knows; the right one for an empty name."""
        with self._lock:
            if self._private is None:
                self._private = private_folder()
            out = tempfile.mkdtemp(dir=self._private.name)
        return self._begin(["--fault", fault, "--out", out], secret=fault)

    @property
    def last_secret(self) -> str:
        """What the last diagnosis was about, so that the next is about something else."""
        return next((job.secret for job in reversed(self._trainings()) if job.secret), "")

    def job(self, number: int) -> Eventful:
        """InputError where there is none of this number."""
        if number not in self._jobs:
            raise InputError(f"there is no job {number} here.")
        return self._jobs[number]

    def training(self, number: int) -> Job:
        """InputError where the job of this number trains nothing."""
        job = self.job(number)
        if not isinstance(job, Job):
            raise InputError(f"job {number} is a measurement: it trains nothing.")
        return job

    def of(self, name: str) -> Job | None:
        """The job that trains the run of this name now."""
        return next((job for job in self._trainings() if job.live and job.run == name), None)

    def fork(self, job: Eventful) -> None:
        """Copy the job's run as it is now, or as it ended."""
        if job.live or not isinstance(job, Job):
            job.order("fork")
            return
        fork = self.run(job.run).fork()
        name = fork.folder.relative_to(self.folder).as_posix()
        step = read_metrics(fork.metrics)[-1]["step"] if fork.metrics.exists() else job.step
        intervened(fork.folder, step, "fork", of=job.run)
        job.note("forked", step=step, run=name)

    def close(self) -> None:
        """Have every job saved, and end it."""
        self._closing.set()
        deadline = time.monotonic() + ENDING
        live = [job for job in self._jobs.values() if job.live]
        for job in live:
            with suppress(InputError):  # it has just ended
                job.order("stop")
        for job in live:
            job.end(deadline)
        if self._keeper is not None:
            self._keeper.join(5)
        if self._private is not None:
            self._private.cleanup()

    def measure(self, pieces: Pieces) -> Measurement:
        """Measure these, one after the other."""
        with self._lock:
            if sum(job.live for job in self._jobs.values() if isinstance(job, Measurement)) >= MOST_MEASURED:
                raise Busy(f"{MOST_MEASURED} measurements run already: wait a moment.")
            return self._added(lambda number: Measurement(number, pieces))

    def _trainings(self) -> list[Job]:
        return [job for job in self._jobs.values() if isinstance(job, Job)]

    def _begin(self, arguments: list[str], run: str = "", secret: str = "") -> Job:
        with self._lock:
            if sum(job.live for job in self._trainings()) >= MOST:
                raise Busy(f"{MOST} trainings run already: end one of them first.")
            return self._added(lambda number: Job(number, arguments, self.folder, run, secret))

    def _added(self, begin: Callable[[int], J]) -> J:
        """A new job, under the next number; of those that are over, the oldest are forgotten."""
        over = [number for number, job in self._jobs.items() if not job.live]
        for number in over[: max(0, len(self._jobs) + 1 - KEPT)]:
            del self._jobs[number]
        self._count += 1
        job = begin(self._count)
        self._jobs[self._count] = job
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._look_after_all, daemon=True)
            self._keeper.start()
        return job

    def _look_after_all(self) -> None:
        while not self._closing.wait(min(1.0, self._after[0] / 4)):
            for job in list(self._jobs.values()):
                job.look_after(*self._after)


def _with(file: Path | None) -> list[str]:
    return [] if file is None else ["--with", str(file.resolve())]
