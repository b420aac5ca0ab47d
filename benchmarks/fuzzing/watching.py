"""Runs cases in a process with limits, and goes on in a new one where a case ends it.

A case is read (fine, or wrong data), refused (a documented error that names the file), unclear (any other error, the
end of the process included), or it hangs.
"""

import ast
import gc
import mmap
import os
import resource
import shutil
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import FrameType

import numpy as np

from benchmarks.fuzzing.format import Format, digest, write

OUTCOMES = ("refused", "read", "unclear", "hangs", "wrong data")
REFUSED, READ, UNCLEAR, HANGS, WRONG = range(5)
PROCESSOR_SECONDS, SECONDS = 2.0, 20.0
"""A case hangs that takes more: on a busy machine the second may be long where the first is not."""
DEAD_SECONDS = 60.0
"""... and what does not even obey a signal is ended."""
MEMORY = 2**30
"""Bytes that a case may take beyond those of the process before it."""
LONGEST_MESSAGE = 4_000


class Hang(BaseException):
    """A case has taken too long. Not an Exception: readers catch those."""


@dataclass(frozen=True)
class Found:
    """Something that should not be. what: of its kind; told: the error in full."""

    format: str
    number: int
    outcome: str
    what: str
    told: str = ""


def run_case(
    form: Format, seed: int, number: int, folder: Path, expected: Sequence[bytes | None]
) -> tuple[int, str, str]:
    """The outcome of a case, and what there is to tell about it. expected: digests of what the seeds are read as."""
    which, files = form.case(seed, number)
    write(folder, files)
    try:
        with limited(), warnings.catch_warnings(action="error"):  # a warning is not for who reads a file
            made = form.read(folder)
            if form.checked and digest(made) != expected[which]:
                return WRONG, "other data than were written", ""
        return READ, "", ""
    except Hang:
        return HANGS, "hangs", traceback.format_exc()
    except form.documented as error:
        trouble = _trouble(str(error), form, folder)
        return (UNCLEAR, trouble, traceback.format_exc()) if trouble else (REFUSED, "", "")
    except BaseException as error:
        return UNCLEAR, f"{type(error).__name__} at {_place(error)}", traceback.format_exc()


def _trouble(message: str, form: Format, folder: Path) -> str:
    """What is wrong with a refusal's message; "" where nothing is."""
    if form.named not in message:
        return f"the message does not name the file: {message[:60]!r}"
    if not all(character.isprintable() or character in "\n\t" for character in message):
        return f"the message holds control characters: {message.replace(str(folder), '')[:60]!r}"
    return "the message is too long" if len(message) > LONGEST_MESSAGE else ""


def _place(error: BaseException) -> str:
    """The last line of ours that the error went through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/handmade/" in frame.filename] or frames
    return f"{Path(ours[-1].filename).name}, {ours[-1].name}"


@contextmanager
def limited() -> Iterator[None]:
    """Raise Hang where the block takes too long."""
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _hang(number: int, frame: FrameType | None) -> None:
    raise Hang


def dealt(formats: Sequence[Format]) -> Iterator[tuple[int, int]]:
    """Which format's turn it is, and its how manieth case, without end: in each round all have their share."""
    total = sum(form.share for form in formats)
    credit, numbers = [0] * len(formats), [0] * len(formats)
    while True:
        for index, form in enumerate(formats):
            credit[index] += form.share
        index = max(range(len(formats)), key=credit.__getitem__)
        credit[index] -= total
        yield index, numbers[index]
        numbers[index] += 1


class Watched:
    """A run of cases; `counts` has a row for each format and a column for each outcome."""

    def __init__(self, formats: Sequence[Format], seed: int) -> None:
        self.formats, self.seed = formats, seed
        self._shared = mmap.mmap(-1, 8 * (2 + len(formats) * len(OUTCOMES)))
        numbers = np.frombuffer(self._shared, np.int64)
        self._done, self.counts = numbers[:2], numbers[2:].reshape(len(formats), len(OUTCOMES))
        self.found: list[Found] = []

    @property
    def done(self) -> int:
        return int(self._done[0])

    def run(self, cases: int, seconds: float = float("inf")) -> None:
        """So many cases, or as many as there is time for."""
        self.expected = [_expected(form) for form in self.formats]
        end = time.monotonic() + seconds
        gc.collect()
        while self.done < cases and time.monotonic() < end:
            with tempfile.TemporaryFile() as told:
                child = os.fork()
                if child == 0:
                    self._work(cases, end, told.fileno())
                status = self._watch(child)
                told.seek(0)
                self._take(told.read())
            if status:
                self._note_end(status)

    def _work(self, cases: int, end: float, told: int) -> None:
        """In the child: cases from where the one before it ended."""
        try:
            _limit_memory()
            signal.signal(signal.SIGPROF, _hang)
            signal.signal(signal.SIGALRM, _hang)
            turns = self._turns()
            with _folder() as folder:
                while self.done < cases and time.monotonic() < end:
                    index, number = next(turns)
                    outcome, what, trace = run_case(
                        self.formats[index], self.seed, number, folder, self.expected[index]
                    )
                    self.counts[index, outcome] += 1
                    if outcome in (UNCLEAR, HANGS, WRONG):
                        os.write(told, repr((index, number, outcome, what, trace[-3000:])).encode() + b"\0")
                    _empty(folder)
                    self._done[0] += 1
        except BaseException:
            traceback.print_exc()
            os._exit(70)
        os._exit(0)

    def _watch(self, child: int) -> int:
        """Wait for the child; what it died of. One that stands still is ended."""
        last, since = self.done, time.monotonic()
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            if self.done != last:
                last, since = self.done, time.monotonic()
            elif time.monotonic() - since > DEAD_SECONDS:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return -signal.SIGKILL
            time.sleep(0.02)

    def _turns(self) -> Iterator[tuple[int, int]]:
        """The turns from the first case that is not done."""
        return islice(dealt(self.formats), self.done, None)

    def _take(self, told: bytes) -> None:
        for line in told.split(b"\0")[:-1]:
            index, number, outcome, what, trace = ast.literal_eval(line.decode())
            self.found.append(Found(self.formats[index].name, number, OUTCOMES[outcome], what, trace))

    def _note_end(self, status: int) -> None:
        """The case that was being read ended the process: it counts, and the next one is on."""
        if status == 70:
            raise RuntimeError("the fuzz itself failed")
        index, number = next(self._turns())
        outcome = HANGS if status == -signal.SIGKILL else UNCLEAR
        self.counts[index, outcome] += 1
        self._done[0] += 1
        name = self.formats[index].name
        self.found.append(Found(name, number, OUTCOMES[outcome], f"the process ended with {status}"))


def _expected(form: Format) -> list[bytes | None]:
    """What the right files are read as; a format whose right files cannot be read has a mistake."""
    digests: list[bytes | None] = []
    for files in form.seeds:
        with _folder() as folder:
            write(folder, files)
            made = form.read(folder)
            digests.append(digest(made) if form.checked else None)
    return digests


def _limit_memory() -> None:
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def _folder() -> Iterator[Path]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


def _empty(folder: Path) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
