"""Ctrl-C as a request to stop after the current step."""

import signal
import threading

import pytest

from handmade.train.interrupt import Interrupt


@pytest.fixture(autouse=True)
def ctrl_c():
    """Ctrl-C raises KeyboardInterrupt, also where the tests run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_first_ctrl_c_is_remembered_and_the_second_stops():
    with Interrupt() as interrupt:
        assert not interrupt.came
        signal.raise_signal(signal.SIGINT)
        assert interrupt.came
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_afterwards_ctrl_c_does_what_it_did():
    before = signal.getsignal(signal.SIGINT)
    with Interrupt():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_another_thread_trains_without_it():
    seen = []

    def work() -> None:
        with Interrupt() as interrupt:
            seen.append(interrupt.came)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
