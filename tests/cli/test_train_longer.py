"""A recipe is shown; a run is trained longer; and what is removed under a training is made again."""

import dataclasses
import json
import shutil

import pytest

from handmade.recipes import RECIPES
from handmade.tasks.meanings import meanings
from handmade.train import duration
from handmade.train.display import FEW_SECONDS, PlainDisplay
from handmade.train.metrics import read_metrics
from tests.support.clocks import with_clocks
from tests.support.tiny_task import RECIPE, trainer_in

SHORT = ["--set", "batch_size=8", "--seed", "5"]


@pytest.mark.parametrize("name", RECIPES)
def test_each_setting_of_each_recipe_has_a_meaning(name):
    missing = [field for field, meaning in meanings(RECIPES[name]).items() if len(meaning) < 10]
    assert missing == []


def test_what_a_setting_means_comes_from_the_class_that_has_it():
    found = meanings(RECIPES["gpt"])
    assert found["n_head"] == "Heads in each."
    assert found["learning_rate"].startswith("The maximum, reached by linear warm-up")
    assert found["weight_decay"] == "Of matrices and tables; norms and biases have none."


def test_a_recipe_is_shown_with_its_time_and_what_it_reaches(handmade, picture_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(duration, "SECONDS", 0.0)
    ran = handmade("train", "lenet5", "--show", "--data", f"folder:{picture_folder}", *SHORT)
    assert ran.code == 0
    assert "learning_rate = 0.003\n    The highest in the course of the run.\n" in ran.out
    assert "batch_size = 8" in ran.out
    assert "It reaches: 88.3 % right" in ran.out
    assert "It takes about" in ran.out
    assert "84 steps of" in ran.out
    ran = handmade("train", "transformer", "--show", "--data", "parallel:none.de,none.en")
    assert "How long it takes here is not known: " in ran.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_finished_run_is_trained_longer(handmade, picture_folder, tmp_path):
    run = tmp_path / "run"
    handmade("train", "lenet5", "--data", f"folder:{picture_folder}", *SHORT, "--steps", "2", "--out", run)
    ran = handmade("train", "--resume", run, "--steps", "2")
    assert (ran.code, "has made 2 steps already: give a length beyond 2 steps" in ran.err) == (2, True)
    ran = handmade("train", "--resume", run, "--steps", "4")
    assert ran.code == 0, ran.err
    assert "It has made 2 steps and trains up to 4" in ran.out
    assert read_metrics(run / "metrics.jsonl")[-1]["step"] == 4
    assert json.loads((run / "config.json").read_text())["recipe"]["steps"] == 4
    assert handmade("eval", run).code == 0


@pytest.mark.slow
def test_a_folder_removed_under_a_training_is_made_again(tmp_path, capsys):
    folder = tmp_path / "runs" / "tiny"
    folder.mkdir(parents=True)
    trainer = trainer_in(folder, dataclasses.replace(RECIPE, checkpoint_seconds=0))
    trainer.run.write_config()
    step = trainer._step

    def removing(batch):
        step(batch)
        if trainer.progress.step == 14:
            shutil.rmtree(tmp_path / "runs")

    trainer._step = removing
    assert trainer.train()
    assert "It is made again; nothing is lost." in capsys.readouterr().err
    assert {"config.json", "metrics.jsonl", "checkpoint", "model.safetensors"} <= {p.name for p in folder.iterdir()}
    steps = [line["step"] for line in read_metrics(folder / "metrics.jsonl")]
    assert steps == sorted(steps)
    assert steps[0] == 10
    assert steps[-1] == 36


def test_a_pipe_gets_a_line_every_few_seconds(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("handmade.train.display.time", with_clocks(monotonic=lambda: now[0]))
    display = PlainDisplay(RECIPE.task())
    display.begin(0)
    for step in range(1, 13):
        now[0] += 1.0
        display.step(step, {"loss": 0.5}, 8.0)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 12 // FEW_SECONDS
    assert lines[0] == "epoch 1/3  step 5 of 36  loss 0.500  8 points/s  about 31 seconds left"
