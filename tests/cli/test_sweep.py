"""handmade sweep at the keyboard. tests/sweep/test_on_ray.py runs whole ones."""

import json

import pytest

from handmade.sweep.record import Sweep
from tests.sweep.test_record import evaluated


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "no recipe trains 'nothing'"),
        (["lenet"], "did you mean 'lenet5'"),
        (["lenet5"], "nothing to sweep"),
        (["lenet5", "--over", "lr=1,2"], "did you mean 'learning_rate'"),
        (["lenet5", "--over", "learning_rate=1,2", "--workers", "0"], "--workers is 0"),
        (["lenet5", "--over", "learning_rate=1,2", "--workers", "1", "--address", "local"], "name one of them"),
        (["lenet5", "--over", "learning_rate=1,2", "--steps", "1", "--epochs", "1"], "give only one"),
        (["lenet5", "--over", "learning_rate=1,2", "--trials", "3"], "trials is for ranges"),
        (
            ["lenet5", "--over", "learning_rate=1,2", "--set", "learning_rate=3"],
            "learning_rate is swept by --over, and set",
        ),
        pytest.param(
            ["lenet5", "--over", "learning_rate=1,2", "--address", "127.0.0.1:1"],
            "no Ray cluster answers at '127.0.0.1:1'",
            marks=pytest.mark.slow,
        ),
        (["gpt", "--over", "stage=1,8", "--data", "no"], "no"),
    ],
)
def test_what_cannot_be_swept(handmade, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    ran = handmade("sweep", *arguments)
    assert ran.code == 2
    assert said in ran.err


@pytest.fixture
def instead_of_ray(monkeypatch):
    """In place of Ray Tune: the first trial finishes, the second diverges, all others wait."""

    def run(sweep: Sweep, address: str, workers: int, early_stopping: bool, told) -> None:
        from handmade.train import new_run

        for trial, state in zip(sweep.left, ("finished", "diverged"), strict=False):
            new_run(trial.recipe, {"characters": ["a", "b"], "lines": False}, trial.folder)
            if state == "finished":
                evaluated(trial, 2.0, 1.0)
            told(trial, sweep.end(trial, state, "" if state == "finished" else "the loss is nan"))

    monkeypatch.setattr("handmade.sweep.run_sweep", run)


@pytest.mark.slow
def test_the_same_command_goes_on_and_ends_with_the_best(handmade, tmp_path, monkeypatch, instead_of_ray):
    monkeypatch.chdir(tmp_path)
    command = ["sweep", "gpt", "--over", "learning_rate=1e-3,3e-4", "--over", "n_layer=1,2", "--steps", "9"]
    ran = handmade(*command)
    assert ran.code == 130
    assert "gpt learns with 4 settings; the runs are saved in sweeps/gpt-1" in ran.out
    assert "1  learning_rate=0.001, n_layer=1: finished at epoch 2, test: loss 1.000, accuracy 90.0 %\n" in ran.err
    assert "2  learning_rate=0.001, n_layer=2: diverged. the loss is nan\n" in ran.err
    assert "trial  learning_rate  n_layer  test loss  test accuracy  epoch  time       state\n" in ran.out
    assert "Trial 2: the loss is nan" in ran.out
    assert "Written to sweeps/gpt-1: sweep.csv, sweep.json, sweep.png." in ran.out
    assert "  handmade train gpt --set steps=9 --set learning_rate=0.001 --set n_layer=1\n" in ran.out
    assert "  handmade sample sweeps/gpt-1/1-learning_rate=0.001,n_layer=1\n" in ran.out
    assert ran.out.endswith(f"2 of 4 trials are left. To resume:\n  handmade {' '.join(command)}\n")
    again = handmade(*command)
    assert again.code == 0
    assert "2 of 4 trials have ended already, in sweeps/gpt-1." in again.out
    states = [trial["state"] for trial in json.loads((tmp_path / "sweeps/gpt-1/sweep.json").read_text())["trials"]]
    assert states == ["finished", "diverged"] * 2
    assert "4 of 4 trials have ended already" in handmade(*command).out
