"""sweep.json and sweep.csv: what became of each trial, read again."""

import csv
import json

import pytest

from handmade.errors import InputError
from handmade.sweep import changes_of, folder_for, reopened, result_rows, shown
from handmade.train.metrics import Line


def evaluated(trial, *losses: float) -> None:
    """A run folder as training leaves it: a line a step, and an evaluation an epoch of ten steps."""
    trial.folder.mkdir(exist_ok=True)
    lines: list[Line] = []
    for epoch, loss in enumerate(losses, 1):
        step = {"step": 10 * epoch, "epoch": float(epoch), "seconds": 2.0 * epoch}
        lines += [{**step, "loss": 9.0}, {**step, "test_loss": loss, "test_accuracy": 1 - loss / 10}]
    (trial.folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_results_are_read_from_run_folders_and_stay(made):
    sweep = made("learning_rate=1e-3,3e-3,1", "data=mnist,fashion-mnist")
    assert [trial.folder.name for trial in sweep.trials][:2] == [
        "1-learning_rate=0.001,data=mnist",
        "2-learning_rate=0.001,data=fashion-mnist",
    ]
    evaluated(sweep.trials[0], 2.0, 1.5)
    evaluated(sweep.trials[1], 1.0)
    assert sweep.end(sweep.trials[0], "finished").measures == {"loss": 1.5, "accuracy": 0.85}
    sweep.end(sweep.trials[1], "stopped early")
    sweep.end(sweep.trials[2], "diverged", "the loss is nan")
    sweep.end(sweep.trials[3], "failed", "its process died")
    again = made("learning_rate=1e-3,3e-3,1", "data=mnist,fashion-mnist")
    assert again.results == sweep.results
    assert reopened(again).results == sweep.results
    assert [trial.number for trial in again.left] == [4, 5, 6]  # what failed is tried again
    assert again.best == again.trials[0]  # finished; the second, stopped early, has less only by now

    with (sweep.folder / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows][:4] == ["finished", "stopped early", "diverged", "failed"]
    assert (rows[0]["learning_rate"], rows[0]["test_loss"], rows[0]["test_accuracy"]) == ("0.001", "1.5", "0.85")
    assert (rows[2]["test_loss"], rows[2]["error"]) == ("", "the loss is nan")
    assert json.loads((sweep.folder / "sweep.json").read_text())["best"] == sweep.trials[0].folder.name

    header, table = result_rows(again)
    assert header == ["trial", "learning_rate", "data", "test loss", "test accuracy", "epoch", "time", "state"]
    assert table[0] == ["1", "0.001", "mnist", "1.500", "85.0 %", "2", "4 seconds", "finished"]
    assert [row[0] for row in table[:2]] == ["1", "2"]


def test_a_folder_holds_one_sweep(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sweep = made("learning_rate=1,2")
    for others in (("learning_rate=1,3",), ("learning_rate=1,2", "seed=1")):
        with pytest.raises(InputError, match="holds another sweep"):
            made(*others)
    with pytest.raises(InputError, match="holds another sweep"):
        made("learning_rate=1,2", batch_size=7)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(InputError, match="is not empty and holds no sweep"):
        made("learning_rate=1,2", folder=tmp_path / "full")
    with pytest.raises(InputError, match="cannot write"):
        made("learning_rate=1,2", folder=tmp_path / "full/file/below")
    values = [trial.values for trial in sweep.trials]
    assert str(folder_for(sweep.recipe, values)) == "sweeps/lenet5-1"
    made("learning_rate=5,6", folder=tmp_path / "sweeps/lenet5-1")
    assert str(folder_for(sweep.recipe, values)) == "sweeps/lenet5-2"
    made("learning_rate=1,2", folder=tmp_path / "sweeps/lenet5-2")
    made("learning_rate=7,8", folder=tmp_path / "sweeps/lenet5-3")
    assert str(folder_for(sweep.recipe, values)) == "sweeps/lenet5-2"


def test_values_that_the_recipe_does_not_allow_are_told_where_no_other_are_left(made):
    with pytest.raises(InputError, match=r"learning_rate is -1\.0"):
        made("learning_rate=-1,-2")
    assert len(made("learning_rate=-1,2").trials) == 2


@pytest.mark.parametrize("content", ["{", "[]", '{"recipe": {}, "trials": [{"values": {}, "state": "odd"}]}'])
def test_a_damaged_record_is_named(made, tmp_path, content):
    made("learning_rate=1,2")
    (tmp_path / "sweep/sweep.json").write_text(content)
    with pytest.raises(InputError, match=r"sweep\.json"):
        made("learning_rate=1,2")


def test_values_as_a_person_writes_them(made):
    assert [shown(value) for value in (1e-05, 0.001, 1e9, 4, True, "mnist", None)] == [
        "1e-05", "0.001", "1e+09", "4", "True", "mnist", "None",
    ]  # fmt: skip
    assert float(shown(0.123456789012)) == 0.123456789012
    trial = made("learning_rate=0.5").trials[0]
    assert changes_of(trial.recipe) == [("learning_rate", 0.5)]
