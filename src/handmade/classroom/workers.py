"""Papers judged by several processes of this machine: one that dies takes no other paper with it."""

import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from handmade.classroom.papers import Paper, Verdict, not_judged, verdict_on

AHEAD = 4
"""How many papers are on their way for each process."""


def _end_quietly() -> None:
    """Ctrl-C reaches the processes, too: one that waits for a paper ends without a traceback."""
    signal.signal(signal.SIGINT, lambda number, frame: sys.exit(128 + number))


def judged_here(papers: Iterable[Paper], workers: int) -> Iterator[tuple[Paper, Verdict]]:
    """Each paper with its verdict, in the order in which they are ready.

    Where a process dies, the papers that were on their way are judged again one by one: the one at which it dies again
    is told so.
    """
    coming, suspects = iter(papers), deque[Paper]()
    while True:
        with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_end_quietly) as pool:
            flying: dict[Future[Verdict], Paper] = {}
            try:
                while True:
                    alone = bool(suspects)
                    while len(flying) < (1 if alone else AHEAD * workers):
                        paper = suspects.popleft() if suspects else None if alone else next(coming, None)
                        if paper is None:
                            break
                        flying[pool.submit(verdict_on, paper)] = paper
                    if not flying:
                        return
                    for future in wait(flying, return_when=FIRST_COMPLETED).done:
                        verdict = future.result()
                        yield flying.pop(future), verdict
            except BrokenProcessPool:
                lost = list(flying.values())
        if len(lost) == 1:
            yield lost[0], not_judged(lost[0], "the process that judged it died")
        else:
            suspects.extend(lost)
