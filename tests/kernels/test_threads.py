"""The threads of compiled kernels: every piece done once, nobody waits for a helper that has nothing to do."""

from __future__ import annotations

import _thread
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import handmade
from handmade.kernels import threads
from handmade.kernels.compiled import build, team
from handmade.kernels.compiled.build import Floats, Ints, kernel
from handmade.kernels.compiled.instructions import add_atomically, address_of, pause, read_shared
from tests.support.compiled_forms import using

pytest.importorskip("numba")
BUSY = 200_000


@kernel
def work(piece: int, scratch: Floats, times: Ints, who: Ints, steps: int) -> None:
    """Counts how often each piece is done, and in whose memory, which takes some steps."""
    for _ in range(steps):
        pause()
    add_atomically(times, piece, 1)
    who[piece] = address_of(scratch)


@kernel
def meet(piece: int, arrived: Ints, missed: Ints, steps: int) -> None:
    """Waits until every piece is under way; else notes it."""
    add_atomically(arrived, 0, 1)
    for _ in range(steps):
        if read_shared(arrived, 0) == 2:
            break
        pause()
    else:
        missed[0] = 1


@pytest.fixture(autouse=True)
def _all_helpers_are_woken(monkeypatch):
    before = threads.get_num_threads()
    monkeypatch.setattr(build, "WAKING", 0.0)
    yield
    threads.set_num_threads(before)


def done(pieces: int, steps: int = 0, memory: int = 16) -> tuple[np.ndarray, np.ndarray]:
    times, who = np.zeros(pieces, np.int64), np.zeros(pieces, np.int64)
    work(pieces, times, who, steps, scratch=memory)
    return times, who


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_piece_is_done_once(count):
    threads.set_num_threads(count)
    for pieces in (1, 2, 3, 100, 1000):
        assert (done(pieces)[0] == 1).all()


def test_several_threads_take_part_each_with_memory_of_its_own():
    threads.set_num_threads(2)
    done(2)
    for _ in range(50):  # a busy machine may let a helper come too late
        arrived, missed = np.zeros(1, np.int64), np.zeros(1, np.int64)
        meet(2, arrived, missed, 50 * BUSY)
        if not missed[0]:
            break
    assert not missed[0]
    assert any(len(set(done(64, 2000)[1].tolist())) == 2 for _ in range(50))


def test_a_helper_takes_the_memory_that_a_kernel_needs():
    threads.set_num_threads(2)
    for memory in (16, 100_000, 50, 3_000_000):
        for _ in range(5):
            assert (done(40, 200, memory)[0] == 1).all()


def test_waiting_threads_sleep():
    threads.set_num_threads(4)
    done(8, 2000)
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.1


def test_several_callers_at_once_each_get_all_done():
    threads.set_num_threads(3)
    wrong = []

    def call():
        for _ in range(200):
            times, _ = done(10, 20)
            if not (times == 1).all():
                wrong.append(times)

    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


def test_an_interrupt_waits_for_the_helpers(monkeypatch):
    """The arrays of a kernel are freed when its call ends, however it ends: nobody may still be at work on them."""
    with using("compiled", 2):
        helpers = build.team()
        done(4)
        leaving = threading.Timer(0.2, lambda: helpers.board.__setitem__(team.INSIDE, team.CLOSED))
        interrupting = threading.Timer(0.05, _thread.interrupt_main)
        helpers.board[team.INSIDE] = team.CLOSED + 1  # a helper that is slow to leave
        before = signal.signal(
            signal.SIGINT, signal.default_int_handler
        )  # what was started in the background ignores it
        leaving.start()
        interrupting.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                helpers._wait()
        finally:
            signal.signal(signal.SIGINT, before)
        assert helpers.board[team.INSIDE] == team.CLOSED
        leaving.join()
        assert (done(4)[0] == 1).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_gets_helpers_of_its_own():
    code = """
import os, numpy as np, handmade
from handmade.kernels import tanh, threads
threads.set_num_threads(2)
x = np.linspace(-2, 2, 100_000, dtype="f4")
y = tanh.tanh(x)
child = os.fork()
if child == 0:
    os._exit(0 if (tanh.tanh(x) == y).all() and threads.get_num_threads() == 2 else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    environment = os.environ | {"HANDMADE_KERNELS": "compiled"}
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False, env=environment).returncode == 0


def test_without_posix_threads_the_caller_works_alone(monkeypatch):
    monkeypatch.setattr(team, "_posix_threads", lambda: None)
    monkeypatch.setattr(build, "team", lambda: team.Team())
    threads.set_num_threads(2)
    times, who = done(50, 100)
    assert (times == 1).all()
    assert len(set(who.tolist())) == 1


@pytest.mark.parametrize(("given", "error"), [(0, ValueError), (-2, ValueError), (1.5, TypeError), (True, TypeError)])
def test_a_wrong_number_is_refused(given, error):
    with pytest.raises(error, match="set_num_threads"):
        handmade.set_num_threads(given)


@pytest.mark.parametrize("given", ["0", "two", "-1", "1.5"])
def test_a_wrong_variable_is_named(given, monkeypatch):
    monkeypatch.setenv("HANDMADE_NUM_THREADS", given)
    monkeypatch.setattr(threads, "_wanted", 0)
    with pytest.raises(ValueError, match="HANDMADE_NUM_THREADS is '.*', expected a whole number"):
        threads.get_num_threads()


def test_the_variable_decides(monkeypatch):
    monkeypatch.setenv("HANDMADE_NUM_THREADS", "3")
    monkeypatch.setattr(threads, "_wanted", 0)
    assert handmade.get_num_threads() == 3
