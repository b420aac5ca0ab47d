"""Who is stopped early, how a sweep is asked to stop, and what there is without Ray. None of it starts Ray."""

import signal
import sys
from types import SimpleNamespace

import pytest

from handmade.errors import InputError
from handmade.sweep import run_sweep
from handmade.sweep.record import Result, Trial
from handmade.sweep.tuning import _asked_by_interrupt, _halving, _telling, _watch
from tests.sweep.test_record import evaluated

RATES = "learning_rate=1e-5,1e-4,1e-3,1e-2"


def nobody(trial: Trial, result: Result) -> None:
    """Is told, and says nothing."""


def in_ray(number: int, **last_result: object) -> SimpleNamespace:
    """A trial as Ray Tune has it."""
    return SimpleNamespace(config={"number": number}, last_result=last_result)


@pytest.mark.slow  # Tune takes a second to import
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_who_falls_behind_is_stopped_also_by_what_was_reported_before_a_restart(made):
    sweep = made(RATES, epochs=4)

    def decide(halving, number: int, percent: float, loss: float) -> str:
        return halving.on_trial_result(None, in_ray(number), {"percent": percent, "loss": loss})

    first = _halving(sweep)
    for trial in sweep.trials:
        first.on_trial_add(None, in_ray(trial.number))
    assert decide(first, 1, 25, 2.0) == "CONTINUE"  # there is none to compare it with
    assert decide(first, 2, 25, 3.0) == "STOP"
    assert decide(first, 3, 25, 1.0) == "CONTINUE"
    assert decide(first, 1, 50, 1.9) == "CONTINUE"
    assert decide(first, 1, 100, 1.8) == "STOP"  # it has come to its end

    evaluated(sweep.trials[0], 2.0)  # an epoch of four
    evaluated(sweep.trials[1], 3.0)
    again = _halving(sweep)
    for number in (3, 4):
        again.on_trial_add(None, in_ray(number))
    assert decide(again, 1, 25, 9.0) == "CONTINUE"  # it has passed that
    assert decide(again, 3, 25, 2.9) == "STOP"
    assert decide(again, 4, 25, 1.0) == "CONTINUE"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_tune_tells_of_a_trial_is_written_down(made, tmp_path):
    sweep, stop, told = made(RATES), tmp_path / "stop", []
    watch = _watch(sweep, stop)
    for trial in sweep.trials:
        watch.on_trial_start(0, [], in_ray(trial.number))
    with _telling(made(RATES), lambda trial, result: told.append((trial.number, result.state))):
        watch.on_trial_complete(0, [], in_ray(1, percent=100.0))
        watch.on_trial_complete(0, [], in_ray(2, percent=25.0))
        assert not watch.stopper.stop_all()
        stop.touch()
        assert not watch.stopper.stop_all()  # two are being saved
        watch.on_trial_complete(0, [], in_ray(3, percent=0.0, state="waiting"))
        watch.on_trial_error(0, [], in_ray(4))
        assert watch.stopper.stop_all()
    assert told == [(1, "finished"), (2, "stopped early"), (4, "failed")]
    assert [result.state for result in sweep.results.values()] == ["finished", "stopped early", "waiting", "failed"]
    assert "died 4 times" in sweep.results[4].error


@pytest.fixture
def interrupted_as_usual():
    """A program that is started in the background may ignore SIGINT; here it raises KeyboardInterrupt."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupted_as_usual")
def test_a_first_ctrl_c_asks_and_a_second_stops(tmp_path):
    stop, before = tmp_path / "stop", signal.getsignal(signal.SIGINT)
    with _asked_by_interrupt(stop):
        signal.raise_signal(signal.SIGINT)
        assert stop.exists()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert not stop.exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_without_ray_there_is_a_line_to_install_it(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"a sweep needs Ray, .*: pip install 'handmade\[ray\]'"):
        run_sweep(made("learning_rate=1,2"), "local", 1, True, nobody)


def test_a_missing_data_set_is_told_before_anything_runs(made):
    with pytest.raises(InputError, match="nowhere"):
        run_sweep(made("data=fashion-mnist,nowhere"), "local", 1, True, nobody)
