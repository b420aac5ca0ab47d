"""The learner's files, as the pages run them: in the workshop's sandbox only, which stays warm between questions."""

import queue
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from handmade.errors import InputError
from handmade.workshop.cell.cases import Case, Result
from handmade.workshop.cell.job import Limits
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import NAMES
from handmade.workshop.judging.mishaps import mishaps
from handmade.workshop.judging.reading import read
from handmade.workshop.judging.verdict import Finding, Verdict
from handmade.workshop.quiet import QUIET
from handmade.workshop.workspace import Workspace, workspace_around

if TYPE_CHECKING:
    import anyio

    from handmade.workshop.judging.judge import Judge

T = TypeVar("T")

LIMITS = Limits(seconds=5.0)

DEBOUNCE = 200
"""Milliseconds in which several writes of an editor are one."""

AGAIN = 0.5
"""Seconds after which a workspace that was not there is looked for again."""

ENDING = 1.0
"""Seconds that a job at work is waited for when all ends."""


class _Stopped:
    """The event that ends one listener: its own, or that of all. awatch sets what it is given when its reader goes, and
    a page that is closed must not end the others."""

    def __init__(self, of_all: "anyio.Event") -> None:
        self._of_all, self._own = of_all, False

    def is_set(self) -> bool:
        return self._own or self._of_all.is_set()

    def set(self) -> None:
        self._own = True


class Bench:
    """The workspace's files by the names of their exercises, and the process that runs them, one job at a time.

    That process ends with the thread that started it (bubblewrap's --die-with-parent), and each question has its own
    thread: one that stays does all jobs.
    """

    def __init__(self, workspace: Workspace | Path | None) -> None:
        """workspace: or the folder around which it is looked for, each time: `handmade start` may come later."""
        self._where, self._looked = workspace, -2 * AGAIN
        self._lock = threading.Lock()  # held while a job is at work
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._judge: Judge | None = None
        self._verdicts: dict[str, tuple[bytes, Verdict]] = {}

    @property
    def workspace(self) -> Workspace | None:
        """The workspace, as soon as there is one."""
        if isinstance(self._where, Path) and time.monotonic() - self._looked > AGAIN:
            self._looked = time.monotonic()
            self._where = workspace_around(self._where) or self._where
        return None if isinstance(self._where, Path) else self._where

    def file(self, exercise: str) -> Path | None:
        """The learner's file of an exercise; None where there is none."""
        workspace = self.workspace
        if workspace is None or exercise not in NAMES:
            return None
        path = workspace.file(exercise)
        return path if path.is_file() else None

    def run(self, exercise: Exercise, cases: list[Case]) -> tuple[list[Result], list[Finding], str]:
        """What the learner's file gives for these cases, what stood in the way, and what it printed.

        InputError where there is no such file.
        """
        path = self._required(exercise)
        return self._done(lambda: self._run(path, exercise, cases))

    def verdict(self, exercise: Exercise) -> Verdict:
        """What the judge says of the learner's file as it is now. InputError where there is none."""
        path = self._required(exercise)
        return self._done(lambda: self._check(path, exercise))

    async def saved(self, stop: "anyio.Event") -> AsyncIterator[list[str]]:
        """The exercises whose files were saved, each time some are, until `stop`."""
        workspace = self.workspace
        if workspace is None:
            return
        from watchfiles import awatch

        mine = cast(Any, _Stopped(stop))
        async for changes in awatch(
            workspace.folder, stop_event=mine, debounce=DEBOUNCE, step=DEBOUNCE // 4, rust_timeout=500
        ):
            names = sorted({Path(path).stem for _, path in changes if path.endswith(".py")} & set(NAMES))
            if names:
                yield names

    def close(self) -> None:
        """End the learner's process, also one that is at work."""
        waited = self._lock.acquire(timeout=ENDING)
        try:
            if self._judge is not None:
                self._judge.sandbox.close()
                self._judge = None
            if self._thread is not None:
                self._jobs.put(None)
                self._thread = None
        finally:
            if waited:
                self._lock.release()

    def _run(self, path: Path, exercise: Exercise, cases: list[Case]) -> tuple[list[Result], list[Finding], str]:
        with QUIET:
            solution = read(path, exercise, cases)
            if solution.findings:
                return [], solution.findings, ""
            job = solution.job(exercise, cases, LIMITS, solution.torch)
            outcome = self._warm().sandbox.run(job)
            return outcome.results, list(mishaps(outcome, job, exercise)), outcome.printed

    def _check(self, path: Path, exercise: Exercise) -> Verdict:
        content = path.read_bytes()
        known = self._verdicts.get(exercise.name)
        if known is None or known[0] != content:
            known = (content, self._warm().check(path, exercise))
            self._verdicts[exercise.name] = known
        return known[1]

    def _done(self, job: Callable[[], T]) -> T:
        """What the job gives, in the thread that does them all; what it raises is raised here."""
        future: Future[T] = Future()

        def do() -> None:
            try:
                future.set_result(job())
            except BaseException as error:
                future.set_exception(error)

        if self._thread is None:
            with self._lock:
                self._thread = self._thread or self._started()
        self._jobs.put(do)
        return future.result()

    def _started(self) -> threading.Thread:
        def work() -> None:
            while (job := self._jobs.get()) is not None:
                with self._lock:
                    job()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def _required(self, exercise: Exercise) -> Path:
        path = self.file(exercise.name)
        if path is None:
            raise InputError(f"there is no file of {exercise.name} here: `handmade start` makes a folder of exercises.")
        return path

    def _warm(self) -> "Judge":
        if self._judge is None:
            from handmade.workshop.judging.judge import Judge

            self._judge = Judge()
        return self._judge
