"""Threads that meet in machine code: whoever finished a kernel waits awake for the next one, but only for a moment.

Between two kernels of a training step Python computes for 10 to 100 microseconds. To wake a sleeping thread takes as
long, and the thread needs Python's lock first. So a helper that has done its part of a kernel looks for a tenth of a
millisecond whether another one has begun, without Python, and only then goes to sleep in the pool of `threads`.

They meet at a *board* in memory: which kernel runs, how many helpers are inside, and whether it is open to more. Who
enters raises a counter; if it was negative, the kernel was closed, and he takes himself off again. The caller closes it
by an addition too, so nothing is ever locked.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from handmade.kernels import threads
from handmade.kernels.compiled.build import Ints, kernel
from handmade.kernels.compiled.instructions import add_atomically, call_kernel, pause, read_shared

if TYPE_CHECKING:
    from handmade.kernels.threads import Scratch

AWAKE = 4e-4
"""Seconds that a helper looks for the next kernel before it goes to sleep."""
CLOSED = -(1 << 32)
"""What is added to INSIDE while no kernel is open."""
TICKET, INSIDE, CODE, PARAMETERS, SCRATCH, PLACES = range(0, 48, 8)
"""Places on the board, each on a cache line of its own: how many kernels there have been, helpers that take part, the
kernel's code, its parameters, the bytes of memory that it needs, and the helpers that it wants."""
_LOOKS = 1000


class Team:
    """The helpers' board. One caller uses it at a time; a second one computes alone."""

    def __init__(self) -> None:
        self.board = np.zeros(48, np.int64)
        self.board[INSIDE] = CLOSED
        self.busy = threading.Lock()
        self.awake = 0  # helpers that are at the board, or on their way
        self.counting = threading.Lock()

    def run(self, code: int, parameters: int, scratch: int, wanted: int, wake: bool) -> bool:
        """Run a kernel in as many as `wanted` threads, the calling one included; False if another caller is at it."""
        if not self.busy.acquire(False):
            return False
        try:
            helpers = wanted - 1
            if wake and self.awake < helpers:
                self._call(helpers)
            memory = threads.own_scratch().address(scratch) if scratch else 0
            _lead.alone(self.board, code, parameters, memory, scratch, helpers, _patience())
            if self.board[INSIDE] != CLOSED:
                self._wait()
        finally:
            self.busy.release()
        return True

    def _call(self, helpers: int) -> None:
        with self.counting:
            missing, self.awake = helpers - self.awake, helpers
        threads.invite(self._help, missing)

    def _wait(self) -> None:
        """Until nobody is inside: the arrays that the kernel works on must outlive it, Ctrl-C or not."""
        interrupted: KeyboardInterrupt | None = None
        while self.board[INSIDE] != CLOSED:
            try:
                time.sleep(AWAKE)
            except KeyboardInterrupt as error:
                interrupted = error
        if interrupted is not None:
            raise interrupted

    def _help(self, scratch: Scratch) -> None:
        """A helper's life from being woken until it finds nothing to do for a moment."""
        needed = np.zeros(1, np.int64)
        while True:
            _help.alone(self.board, threads.runs(), scratch.address(0), scratch.size, _patience(), needed)
            if needed[0] <= scratch.size:
                break
            scratch.address(int(needed[0]))
        with self.counting:
            self.awake -= 1


def _patience() -> int:
    """How many looks at the board a helper takes; one, where there are more threads than processors."""
    return 1 if threads.get_num_threads() > (os.cpu_count() or 1) else _looks()


@functools.cache
def _looks() -> int:
    """How many looks take AWAKE seconds."""
    times, needed = [], np.zeros(1, np.int64)
    for _ in range(3):
        start = time.perf_counter()
        _help.alone(Team().board, threads.runs(), 0, 0, _LOOKS, needed)
        times.append(time.perf_counter() - start)
    return max(1, int(_LOOKS * AWAKE / min(times)))


@kernel
def _lead(
    piece: int, board: Ints, code: int, parameters: int, memory: int, size: int, places: int, patience: int
) -> None:
    """Open a kernel to helpers, do one's part, close it, and wait a moment for those inside."""
    board[CODE], board[PARAMETERS], board[SCRATCH], board[PLACES] = code, parameters, size, places
    add_atomically(board, INSIDE, -CLOSED)
    add_atomically(board, TICKET, 1)
    call_kernel(code, parameters, memory)
    add_atomically(board, INSIDE, CLOSED)
    for _ in range(patience):
        if read_shared(board, INSIDE) == CLOSED:
            break
        pause()


@kernel
def _help(
    piece: int, board: Ints, runs: Ints, memory: int, size: int, patience: int, needed: Ints
) -> None:
    """Take part in each kernel that opens, until none has opened for `patience` looks or `run` calls its helpers."""
    begun = read_shared(runs, 0)
    seen, waited = -1, 0
    while waited < patience and read_shared(runs, 0) == begun:
        ticket = read_shared(board, TICKET)
        if ticket == seen:
            waited += 1
            pause()
            continue
        seen, waited = ticket, 0
        others = add_atomically(board, INSIDE, 1)
        if 0 <= others < board[PLACES]:
            if board[SCRATCH] > size:
                needed[0] = board[SCRATCH]
                waited = patience
            else:
                call_kernel(board[CODE], board[PARAMETERS], memory)
        add_atomically(board, INSIDE, -1)
