"""The threads that the compiled kernels run on. They sleep while they wait, and take work in small pieces.

A kernel's work is cut into numbered pieces, by the sizes of its arrays alone. The calling thread and the helpers take
the next number from a shared counter until none is left. Nobody is told beforehand what to do, so a core that another
program keeps busy only takes fewer pieces; and since the cut does not depend on who does a piece, results are the same,
bit by bit, for every number of threads.

A helper that wakes too late finds the job closed and goes back to sleep: the caller waits only for helpers that have
taken a piece. Threads that wait in a loop for each other ("spinning") save some microseconds on an idle machine; on a
busy one they take the time of those that they wait for. Helpers of compiled kernels do so for a tenth of a millisecond
(`compiled/team.py`).
"""

import itertools
import math
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

import numpy as np

Work = Callable[["Scratch"], None]
"""Takes pieces until none is left; called once in every thread that takes part, with that thread's scratch memory."""


class Scratch:
    """One thread's working memory, which a kernel leaves to the next one: new pages cost more than old ones."""

    ALIGNMENT = 64  # bytes of a cache line

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)

    @property
    def size(self) -> int:
        """Bytes that are there without taking more."""
        return max(0, self._memory.size - self.ALIGNMENT)

    def address(self, size: int) -> int:
        """The address of `size` bytes with anything in them."""
        if self._memory.size < size + self.ALIGNMENT:
            self._memory = np.empty(size + self.ALIGNMENT, np.uint8)
        start = self._memory.ctypes.data
        return start + -start % self.ALIGNMENT


class _Own(threading.local):
    def __init__(self) -> None:
        self.scratch = Scratch()
        self.workspace = np.empty(0, np.float32)
        self.inside = False  # a piece that itself calls `run` does the work alone


_own = _Own()


def workspace(*shape: int) -> np.ndarray:
    """A float32 array with anything in it, for what one kernel leaves to the next of the same call.

    It lies in memory that the calling thread keeps and the next call overwrites.
    """
    size = math.prod(shape)
    if _own.workspace.size < size:
        _own.workspace = np.empty(size, np.float32)
    return _own.workspace[:size].reshape(shape)


class _Job:
    """Work that is under way: who takes part in it, and the first error that came up."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.error: BaseException | None = None
        self._lock = threading.Lock()
        self._finished = threading.Condition(self._lock)
        self._helpers, self._closed = 0, False

    def help(self, _: Scratch) -> None:
        """Take part, if it is not too late."""
        with self._lock:
            if self._closed:
                return
            self._helpers += 1
        self.take_part()
        with self._lock:
            self._helpers -= 1
            if self._helpers == 0:
                self._finished.notify_all()

    def take_part(self) -> None:
        _own.inside = True
        try:
            self.work(_own.scratch)
        except BaseException as error:
            self.error = self.error or error
        finally:
            _own.inside = False

    def finish(self) -> None:
        """Let nobody in any more, wait for those who are, and raise the error if there was one."""
        with self._lock:
            self._closed = True
            while self._helpers:
                self._finished.wait()
        if self.error is not None:
            raise self.error


class _Pool:
    """Helper threads, started when first needed; they end with the process."""

    def __init__(self) -> None:
        self.size = 0  # threads in all, the caller included; 0 is not decided yet
        self.runs = np.zeros(1, np.int64)  # of `run`; a helper that waits in machine code for a kernel looks at it
        self._lock = threading.Lock()
        self._helps: SimpleQueue[Work] = SimpleQueue()
        self._started = 0

    def call(self, help: Work, helpers: int) -> None:
        """Let so many helpers call `help`, each with its scratch memory."""
        if self._started < helpers:
            with self._lock:
                while self._started < helpers:
                    threading.Thread(target=self._serve, name="handmade kernel", daemon=True).start()
                    self._started += 1
        for _ in range(helpers):
            self._helps.put(help)

    def _serve(self) -> None:
        helps, scratch = self._helps, _own.scratch
        while True:
            helps.get()(scratch)


_pool = _Pool()


def _forget_threads() -> None:
    """A forked child has only the thread that forked: its helpers must be started anew."""
    global _pool, _own
    size = _pool.size
    _pool, _own = _Pool(), _Own()
    _pool.size = size


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


def run(work: Work, pieces: int) -> None:
    """Call `work` in as many threads as there are pieces, at most `get_num_threads()`; return when all is done."""
    helpers = min(get_num_threads(), pieces) - 1
    if helpers < 1 or is_inside():
        work(own_scratch())
        return
    job = _Job(work)
    _pool.runs += 1
    invite(job.help, helpers)
    job.take_part()
    job.finish()


def invite(help: Work, helpers: int) -> None:
    """Wake so many helpers to call `help`, now or a little later."""
    _pool.call(help, helpers)


def is_inside() -> bool:
    """Whether the calling thread is doing a piece of work: what it calls must be done by itself."""
    return _own.inside


def own_scratch() -> Scratch:
    """The calling thread's working memory."""
    return _own.scratch


def runs() -> np.ndarray:
    """[how often `run` has called helpers so far], to be watched."""
    return _pool.runs


def for_each(function: Callable[[int], None], pieces: int) -> None:
    """Call function(0), function(1), ... in several threads: pieces of NumPy's work, which lets other threads run."""
    numbers = itertools.count()

    def work(_: Scratch) -> None:
        while (piece := next(numbers)) < pieces:
            function(piece)

    run(work, pieces)


def get_num_threads() -> int:
    """How many threads the kernels use: as set, as $HANDMADE_NUM_THREADS says, or one for every core we may use."""
    if not _pool.size:
        _pool.size = _from_environment() or _cores()
    return _pool.size


def set_num_threads(threads: int) -> None:
    """Use this many threads, the calling one included. Results do not depend on it."""
    if isinstance(threads, bool) or not isinstance(threads, int):
        raise TypeError(f"set_num_threads: expected a whole number, got {threads!r}")
    if threads < 1:
        raise ValueError(f"set_num_threads: expected at least 1 thread, got {threads}")
    _pool.size = threads


def _from_environment() -> int | None:
    given = os.environ.get("HANDMADE_NUM_THREADS", "").strip()
    if not given:
        return None
    if not given.isdecimal() or int(given) < 1:
        raise ValueError(f"HANDMADE_NUM_THREADS is {given!r}, expected a whole number of threads, at least 1")
    return int(given)


def _cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
