"""Run folders: made, found again, refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import handmade
from handmade import nn
from handmade.errors import InputError
from handmade.recipes import recipe_of
from handmade.train import Run, new_run, open_run

RECIPE = replace(recipe_of("lenet5"), epochs=2, learning_rate=1 / 3)


def test_a_run_is_opened_as_it_was_made(tmp_path):
    run = new_run(RECIPE, {"classes": ["a", "b"]}, tmp_path / "deep" / "run")
    assert open_run(tmp_path / "deep" / "run") == run == Run(run.folder, RECIPE, {"classes": ["a", "b"]})


def test_runs_are_numbered_where_no_folder_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [new_run(RECIPE, {}).folder for _ in range(3)] == [Path(f"runs/lenet5-{n}") for n in (1, 2, 3)]


def test_a_folder_that_holds_a_run_is_refused(tmp_path):
    new_run(RECIPE, {}, tmp_path)
    with pytest.raises(InputError, match=r"holds a run already: resume it, or give another folder"):
        new_run(RECIPE, {}, tmp_path)


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "letter.txt").touch()
    with pytest.raises(InputError, match="is not empty: give a new folder"):
        new_run(RECIPE, {}, tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write .*/file/run: Not a directory\."):
        new_run(RECIPE, {}, tmp_path / "file" / "run")


def test_a_folder_that_may_not_be_written_is_named(tmp_path, monkeypatch):
    def refused(self, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(InputError, match=r"cannot write .*/run: Permission denied\."):
        new_run(RECIPE, {}, tmp_path / "run")


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no run: there is no .*config\.json"):
        open_run(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"recipe": {}}', '{"recipe": {"epochs": 3}, "facts": {}}', "\x00"])
def test_a_config_that_is_damaged_is_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config\.json is damaged or not handmade's"):
        open_run(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "lenet6"}, "no recipe trains 'lenet6'"),
        ({"warp": 3}, "does not fit this version's recipe of lenet5: .*warp"),
        ({"epochs": 0}, "epochs is 0"),
    ],
)
def test_a_config_of_another_version_is_refused(tmp_path, change, message):
    new_run(RECIPE, {}, tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "recipe": {**config["recipe"], **change}}))
    with pytest.raises(InputError, match=message):
        open_run(tmp_path)


def test_the_model_comes_back_bit_by_bit(tmp_path):
    run = new_run(RECIPE, {}, tmp_path)
    model, other = (
        nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)),
        nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)),
    )
    model(handmade.randn(4, 2, 5, 6))
    run.save_model(model)
    run.load_model(other)
    for name, tensor in model.state_dict().items():
        assert np.array_equal(tensor.array, other.state_dict()[name].array), name


def test_a_run_without_a_model_says_how_to_get_one(tmp_path):
    run = new_run(RECIPE, {}, tmp_path / "my run")
    with pytest.raises(InputError, match=r"my run has no trained model yet: resume the run"):
        run.load_model(nn.Linear(2, 3))


def test_a_model_that_does_not_fit_lists_what_differs(tmp_path):
    run = new_run(RECIPE, {}, tmp_path)
    run.save_model(nn.Linear(2, 3))
    with pytest.raises(InputError, match=r"misshapen: weight: given \(3, 2\), expected \(4, 2\)"):
        run.load_model(nn.Linear(2, 4))
