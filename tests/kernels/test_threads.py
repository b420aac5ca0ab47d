"""The pool: every piece done once, errors come back, nobody waits for a helper that has nothing to do."""

import os
import subprocess
import sys
import threading
import time

import pytest

import handmade
from handmade.kernels import threads


@pytest.fixture(autouse=True)
def _same_number_afterwards():
    before = threads.get_num_threads()
    yield
    threads.set_num_threads(before)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_piece_is_done_once(count):
    threads.set_num_threads(count)
    done = []
    threads.for_each(done.append, 100)
    assert sorted(done) == list(range(100))


def test_several_threads_take_part():
    threads.set_num_threads(3)
    meeting, names = threading.Barrier(3, timeout=20), set()

    def piece(_):
        names.add(threading.current_thread().name)
        meeting.wait()

    threads.for_each(piece, 3)
    assert len(names) >= 2  # all three pieces were under way at once; helpers share a name


def test_an_error_in_a_piece_reaches_the_caller():
    threads.set_num_threads(2)

    def piece(i):
        if i == 7:
            raise ArithmeticError("piece 7")

    with pytest.raises(ArithmeticError, match="piece 7"):
        threads.for_each(piece, 20)
    threads.for_each(lambda i: None, 20)  # the pool still works


def test_a_piece_may_itself_use_the_pool():
    threads.set_num_threads(2)
    done = []
    threads.for_each(lambda i: threads.for_each(lambda j: done.append((i, j)), 3), 4)
    assert len(set(done)) == len(done) == 12


def test_waiting_threads_sleep():
    threads.set_num_threads(4)
    threads.for_each(lambda i: None, 8)
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.1


def test_two_threads_may_call_at_once():
    threads.set_num_threads(2)
    totals = []

    def call():
        done = []
        for _ in range(50):
            threads.for_each(done.append, 10)
        totals.append(sorted(done))

    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert totals == [sorted(list(range(10)) * 50)] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_gets_helpers_of_its_own():
    code = """
import os, handmade
from handmade.kernels import threads
threads.set_num_threads(2)
threads.for_each(lambda i: None, 8)
child = os.fork()
if child == 0:
    done = []
    threads.for_each(done.append, 8)
    os._exit(0 if sorted(done) == list(range(8)) and threads.get_num_threads() == 2 else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


@pytest.mark.parametrize(("given", "error"), [(0, ValueError), (-2, ValueError), (1.5, TypeError), (True, TypeError)])
def test_a_wrong_number_is_refused(given, error):
    with pytest.raises(error, match="set_num_threads"):
        handmade.set_num_threads(given)


@pytest.mark.parametrize("given", ["0", "two", "-1", "1.5"])
def test_a_wrong_variable_is_named(given, monkeypatch):
    monkeypatch.setenv("HANDMADE_NUM_THREADS", given)
    monkeypatch.setattr(threads, "_pool", threads._Pool())
    with pytest.raises(ValueError, match="HANDMADE_NUM_THREADS is '.*', expected a whole number"):
        threads.get_num_threads()


def test_the_variable_decides(monkeypatch):
    monkeypatch.setenv("HANDMADE_NUM_THREADS", "3")
    monkeypatch.setattr(threads, "_pool", threads._Pool())
    assert handmade.get_num_threads() == 3
