"""One trial in this process: begun, stopped, resumed, finished; and what becomes of what goes wrong."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from handmade.errors import InputError
from handmade.recipes import recipe_of
from handmade.sweep import read_axes, sweep_in, trials_of
from handmade.sweep.trial import Reporting, Stopped, run_trial
from handmade.sweep.tuning import _reported
from handmade.train.checkpoint import load_checkpoint
from tests.sweep.conftest import SIZES


@pytest.fixture
def small(tmp_path, text):
    """A sweep of one trial of a small GPT; or of another rate, or number of heads."""

    def make(over="learning_rate=0.01"):
        recipe = replace(recipe_of("gpt"), data=text, **SIZES)
        return sweep_in(tmp_path / "sweep", recipe, trials_of(read_axes(recipe, [over]), None, 0))

    return make


@pytest.mark.slow
def test_a_stopped_trial_is_saved_and_resumed_to_its_end(small, tmp_path, monkeypatch):
    monkeypatch.setattr("handmade.sweep.trial.LOOK", 0.0)
    sweep, stop, reports = small(), tmp_path / "stop", []
    (trial,) = sweep.trials

    def report(percent: float, loss: float) -> None:
        reports.append((percent, loss))
        assert (trial.folder / "model.safetensors").exists()  # what was evaluated is saved

    with monkeypatch.context() as patch:
        patch.setattr(Reporting, "step", lambda self, step, *rest: stop.touch() if step == 5 else None)
        with pytest.raises(Stopped):
            run_trial(trial, 1, report, stop)
    assert [percent for percent, _ in reports] == [25, 50]
    assert load_checkpoint(trial.folder / "checkpoint")["progress"]["step"] == 5  # in the middle of an epoch of two
    stop.unlink()
    run_trial(trial, 1, report=lambda *told: reports.append(told), stop=stop)
    assert [percent for percent, _ in reports] == [25, 50, 75, 100]
    assert [line["test_loss"] for line in sweep.evaluations(trial)] == [loss for _, loss in reports]
    before = {path: path.stat().st_mtime_ns for path in trial.folder.iterdir()}
    run_trial(trial, 1, report=lambda *told: reports.append(told), stop=stop)
    assert {path: path.stat().st_mtime_ns for path in trial.folder.iterdir()} == before
    assert reports[-1] == reports[-2]


@pytest.mark.parametrize(
    ("over", "state", "said"),
    [
        ("learning_rate=1e30", "diverged", "training diverged: the loss"),
        ("n_head=2,3", "failed", "n_head"),
        ("data=nowhere", "failed", "nowhere"),
    ],
)
def test_what_goes_wrong_is_a_result(small, tmp_path, over, state, said):
    (trial,) = small(over).trials[-1:]
    told = []
    _reported(trial, Path.cwd(), 1, tmp_path / "stop", told.append)
    assert told[-1]["state"] == state, told[-1]["error"]
    assert said in told[-1]["error"]
    assert math.isnan(told[-1]["loss"])


def test_a_folder_that_is_no_run_is_left_alone(small, tmp_path):
    (trial,) = small().trials
    trial.folder.mkdir()
    (trial.folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        run_trial(trial, 1, lambda percent, loss: None, tmp_path / "stop")
