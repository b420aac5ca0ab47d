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


DAMAGED = [
    ("", "is not JSON: line 1, column 1: Expecting value"),
    ("{", "is not JSON: line 1, column 2: "),
    ("\0", "is not JSON: line 1, column 1: "),
    ("[]", r"is \[\], expected an object with recipe, facts"),
    ('{"recipe": {}}', "has no facts"),
    ('{"recipe": 5, "facts": {}}', "recipe is 5, expected an object"),
    ('{"recipe": {"epochs": 3}, "facts": {}}', "recipe has no model"),
    ('{"recipe": {"model": []}, "facts": {}}', r"recipe: model is \[\], expected text"),
    ("[" * 99_999, "is nested more than 100 levels deep"),
    ('{"facts": ' + "[" * 200 + "]" * 200 + "}", "is nested more than 100 levels deep"),
]


@pytest.mark.parametrize(("text", "message"), DAMAGED, ids=[text[:40] for text, _ in DAMAGED])
def test_a_config_that_is_damaged_is_refused(tmp_path, text, message):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match=rf"/config\.json:? {message}"):
        open_run(tmp_path)


def test_a_config_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "config.json").write_bytes(b'{"recipe": \xff')
    with pytest.raises(InputError, match=r"/config\.json is not UTF-8: byte 11 is 0xFF"):
        open_run(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "lenet6"}, r"/config\.json: no recipe trains 'lenet6'"),
        ({"warp": 3}, "does not fit this version's recipe of lenet5: .*warp"),
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": 2.0}, "epochs is 2.0, expected a whole number"),
        ({"epochs": True}, "epochs is true, expected a whole number"),
        ({"steps": "9"}, 'steps is "9", expected a whole number or null'),
        ({"seed": 1e308}, r"seed is 1e\+308, expected a whole number"),
        ({"seed": -1}, "seed is -1, expected a number of at least 0"),
        ({"learning_rate": float("nan")}, "learning_rate is NaN, expected a number"),
        ({"learning_rate": 10**400}, r"learning_rate is 10+\.\.\., expected a number"),
        ({"optimizer": "sdg"}, "optimizer is \"sdg\", expected 'sgd' or 'adam' or 'adamw'"),
        ({"flip": 1}, "flip is 1, expected true or false"),
        ({"data": None}, "data is null, expected text"),
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


FACTS = {
    "lenet5": {"classes": ["a", "b"], "shape": [1, 28, 28], "mean": [0.3], "std": [0.3]},
    "char-rnn": {"lines": False, "characters": ["a", "b"]},
    "bert": {"merges": ["a b"]},
    "seq2seq": {"characters": None, "merges": ["a b"]},
    "spoken-digits": {"classes": ["0", "1"]},
    "trigger-word": {"mean": [0.0] * 40, "std": [1.0] * 40},
}
"""What a task of each kind must know of its data."""


@pytest.mark.parametrize("model", FACTS)
def test_facts_that_do_not_fit_are_refused_with_their_place(tmp_path, model):
    recipe, facts = recipe_of(model), FACTS[model]
    assert new_run(recipe, facts, tmp_path / "right").task().facts
    for name in facts:
        run = Run(tmp_path, recipe, {key: value for key, value in facts.items() if key != name})
        with pytest.raises(InputError, match=rf"/config\.json: facts has no {name}\.$"):
            run.task()
        for wrong in (5, "x", [None], {"a": 1}, [[]], [10**400]):
            run = Run(tmp_path, recipe, {**facts, name: wrong})
            with pytest.raises(InputError, match=rf"/config\.json: facts: ({name} is .*, )?expected "):
                run.use()
    with pytest.raises(InputError, match=r"/config\.json: facts has no "):
        Run(tmp_path, recipe, {}).task()


@pytest.mark.parametrize(
    ("model", "change", "message"),
    [
        ("lenet5", {"shape": [1, 28]}, "a shape of three lengths, and of each channel a mean and a std above 0"),
        ("lenet5", {"mean": []}, "a shape of three lengths, and of each channel a mean and a std above 0"),
        ("lenet5", {"std": [0.0]}, "a shape of three lengths, and of each channel a mean and a std above 0"),
        ("lenet5", {"classes": []}, "a shape of three lengths, and of each channel a mean and a std above 0"),
        ("bert", {"merges": ["ab"]}, "merges: expected two tokens and one space in each merge, got 'ab'"),
        ("seq2seq", {"merges": ["ab"]}, "merges: expected two tokens and one space in each merge, got 'ab'"),
        ("char-rnn", {"characters": ["a", "a"]}, "'a' occurs twice"),
        ("trigger-word", {"mean": [0.0]}, "a mean and a standard deviation of each of the 40 bands"),
    ],
)
def test_facts_that_contradict_each_other_are_refused(tmp_path, model, change, message):
    with pytest.raises(InputError, match=rf"/config\.json: .*{message}"):
        Run(tmp_path, recipe_of(model), {**FACTS[model], **change}).task()


def test_a_fork_is_a_copy_beside_the_run_with_the_next_number(tmp_path):
    run = new_run(RECIPE, {"classes": ["a"]}, tmp_path / "run")
    with pytest.raises(InputError, match="no checkpoint"):
        run.fork()
    run.checkpoint.write_bytes(b"state")
    (run.folder / ".checkpoint.7.part").write_bytes(b"half")
    forks = [run.fork(), run.fork()]
    assert [fork.folder.name for fork in forks] == ["run-fork-1", "run-fork-2"]
    for fork in forks:
        assert open_run(fork.folder) == Run(fork.folder, run.recipe, run.facts)
        assert sorted(path.name for path in fork.folder.iterdir()) == ["checkpoint", "config.json"]
        assert fork.checkpoint.read_bytes() == b"state"
