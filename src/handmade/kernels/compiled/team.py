"""The threads that kernels run on: they meet in machine code, without Python and its lock.

They meet at a *board* in memory: which kernel runs, how many helpers are inside, and whether it is open to more. Who
enters raises a counter; if it was negative, the kernel was closed, and he takes himself off again. The caller closes it
by an addition, too, so entering and leaving lock nothing. The caller waits only for helpers that are inside.

A helper with nothing to do looks at the board a little longer, since the next kernel of a training step is often some
microseconds away, and then sleeps until the caller wakes it, by the condition variables of the C library (POSIX
threads). Without these, kernels run in the calling thread alone.
"""

from __future__ import annotations

import ctypes
import functools
import threading
import time

import numpy as np

from handmade.kernels import threads
from handmade.kernels.compiled.build import Ints, address, kernel
from handmade.kernels.compiled.instructions import (
    add_atomically,
    address_of,
    call_function,
    call_kernel,
    pause,
    read_shared,
    shift,
)

AWAKE = 2e-5
"""Seconds that a helper looks for the next kernel before it goes to sleep."""
LEAVING = 2e-4
"""Seconds that the caller looks for the helpers to leave before it sleeps for as long."""
CLOSED = -(1 << 32)
"""What is added to INSIDE while no kernel is open."""
TICKET, INSIDE, CODE, PARAMETERS, SCRATCH, PLACES, ASLEEP, LOCK, BELL = range(0, 9 * 16, 16)
"""Places on the board, each on cache lines of its own: how many kernels there have been, helpers that take part, the
kernel's code, its parameters, the bytes of memory that it needs, the helpers that it wants, the helpers that sleep; and
the C library's mutex and condition variable."""
_LOOKS = 1000


class Team:
    """The helpers and their board. One caller uses it at a time; a second one computes alone."""

    def __init__(self) -> None:
        self.board = np.zeros(10 * 16, np.int64)
        self.board[INSIDE] = CLOSED
        self._library = _posix_threads()
        self._busy = threading.Lock()
        self._started = 0
        if self._library is not None:
            start = address(self.board)
            self._library.mutex_init(start + 8 * LOCK, None)
            self._library.cond_init(start + 8 * BELL, None)

    def run(self, code: int, parameters: int, scratch: int, wanted: int, wake: bool) -> bool:
        """Run a kernel in as many as `wanted` threads, the calling one included; False if it must be run alone."""
        if self._library is None or not self._busy.acquire(False):
            return False
        try:
            helpers = wanted - 1
            while self._started < helpers:
                threading.Thread(target=self._help, name="handmade kernel", daemon=True).start()
                self._started += 1
            memory = threads.own_scratch().address(scratch) if scratch else 0
            signal = self._library.signal if wake else 0
            lock, unlock = self._library.lock, self._library.unlock
            _lead.alone(self.board, code, parameters, memory, scratch, helpers, _looks(LEAVING), signal, lock, unlock)
            if self.board[INSIDE] != CLOSED:
                self._wait()
        finally:
            self._busy.release()
        return True

    def _wait(self) -> None:
        """Until nobody is inside: the arrays that the kernel works on must outlive it, Ctrl-C or not."""
        interrupted: KeyboardInterrupt | None = None
        while self.board[INSIDE] != CLOSED:
            try:
                time.sleep(LEAVING)
            except KeyboardInterrupt as error:
                interrupted = error
        if interrupted is not None:
            raise interrupted

    def _help(self) -> None:
        """A helper's life. It comes out of the machine code only to take more memory."""
        library, scratch, needed = self._library, threads.own_scratch(), np.zeros(1, np.int64)
        assert library is not None
        while True:
            memory, size = scratch.address(scratch.size), scratch.size
            _help.alone(self.board, memory, size, _looks(AWAKE), needed, library.wait, library.lock, library.unlock)
            scratch.address(int(needed[0]))


class _PosixThreads:
    """Addresses of functions of the C library; AttributeError where they are missing."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self.lock, self.unlock, self.wait, self.signal = (
            ctypes.cast(getattr(library, f"pthread_{name}"), ctypes.c_void_p).value or 0
            for name in ("mutex_lock", "mutex_unlock", "cond_wait", "cond_signal")
        )
        self.mutex_init, self.cond_init = library.pthread_mutex_init, library.pthread_cond_init
        self.mutex_init.argtypes = self.cond_init.argtypes = [ctypes.c_void_p, ctypes.c_void_p]


@functools.cache
def _posix_threads() -> _PosixThreads | None:
    try:
        return _PosixThreads()
    except (AttributeError, TypeError, OSError):  # TypeError: Windows has no library without a name
        return None


@functools.cache
def _looks(seconds: float) -> int:
    """How many looks at the board take so many seconds."""
    times, board = [], np.zeros(10 * 16, np.int64)
    for _ in range(3):
        start = time.perf_counter()
        _lead.alone(board, 0, 0, 0, 0, 0, _LOOKS, 0, 0, 0)
        times.append(time.perf_counter() - start)
    return max(1, int(_LOOKS * seconds / min(times)))


@kernel
def _lead(
    piece: int, board: Ints, code: int, parameters: int, memory: int, size: int, places: int, patience: int,
    signal: int, lock: int, unlock: int,
) -> None:  # fmt: skip
    """Open a kernel to helpers, do one's part, close it, and wait a moment for those inside."""
    board[CODE], board[PARAMETERS], board[SCRATCH], board[PLACES] = code, parameters, size, places
    add_atomically(board, INSIDE, -CLOSED)
    add_atomically(board, TICKET, 1)
    if signal and read_shared(board, ASLEEP):
        call_function(lock, address_of(shift(board, LOCK)), 0)
        for _ in range(min(places, board[ASLEEP])):
            call_function(signal, address_of(shift(board, BELL)), 0)
        call_function(unlock, address_of(shift(board, LOCK)), 0)
    if code:
        call_kernel(code, parameters, memory)
    add_atomically(board, INSIDE, CLOSED)
    for _ in range(patience):
        if read_shared(board, INSIDE) == CLOSED:
            break
        pause()


@kernel
def _help(
    piece: int, board: Ints, memory: int, size: int, patience: int, needed: Ints, wait: int, lock: int, unlock: int
) -> None:
    """Take part in each kernel that opens, until one needs more memory than there is."""
    seen, needed[0] = -1, 0
    while not needed[0]:
        looks = 0
        while looks < patience and read_shared(board, TICKET) == seen:
            pause()
            looks += 1
        if looks == patience:
            call_function(lock, address_of(shift(board, LOCK)), 0)
            add_atomically(board, ASLEEP, 1)
            while read_shared(board, TICKET) == seen:
                call_function(wait, address_of(shift(board, BELL)), address_of(shift(board, LOCK)))
            add_atomically(board, ASLEEP, -1)
            call_function(unlock, address_of(shift(board, LOCK)), 0)
        seen = read_shared(board, TICKET)
        others = add_atomically(board, INSIDE, 1)
        if 0 <= others < board[PLACES]:
            if board[SCRATCH] > size:
                needed[0] = board[SCRATCH]
            else:
                call_kernel(board[CODE], board[PARAMETERS], memory)
        add_atomically(board, INSIDE, -1)
