"""A checkpoint whose checksum is right and whose entries are wrong: one sentence that names the file and the entry."""

from dataclasses import replace

import numpy as np
import pytest

from handmade.errors import InputError
from handmade.recipes import recipe_of
from handmade.tasks.language.task import LanguageModelling
from handmade.train.checkpoint import load_checkpoint, save_checkpoint
from handmade.train.display import PlainDisplay
from handmade.train.loop import Trainer
from handmade.train.run import Run
from tests.support.tiny_task import RECIPE, trainer_in

TEXT = "abab ba\ncaba bac abba\n" * 4


def strides(tree) -> object:
    """How the arrays of a tree lie in memory."""
    if isinstance(tree, dict):
        return {str(key): strides(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return list(map(strides, tree))
    return tree.strides if isinstance(tree, np.ndarray) else None


def state_of(trainer: Trainer) -> dict:
    """All that a resumed run must have as the one before had it."""
    task = trainer.task
    model = {name: tensor.array for name, tensor in task.model.state_dict().items()}
    return {"model": model, "optimizer": task.optimizer.state_dict(), "task": task.state()}


def train(trainer: Trainer) -> None:
    """To the end, without pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("handmade.train.loop.draw_curves", lambda *arguments: None)
        patch.setattr(trainer.task, "draw", lambda folder: [])
        trainer.train()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run of a tiny task, stopped after five steps: its folder and the tree of its checkpoint."""
    folder = tmp_path_factory.mktemp("run")
    train(trainer_in(folder, replace(RECIPE, steps=5)))
    return folder, load_checkpoint(folder / "checkpoint")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"model": []}, r"model is \[\], expected an object"),
        ({"optimizer": None}, "optimizer is null, expected an object"),
        ({"optimizer": np.zeros(3)}, "optimizer is .*ndarray"),
        ({"optimizer": {"state": {}, "param_groups": []}}, r"groups of \[\] parameters"),
        ({"schedule": {"last_epoch": 4, "base_lrs": [0.01]}}, "its schedule is at step 4, not 5"),
        ({"schedule": {"last_epoch": 5, "base_lrs": []}}, "expected the rates of 1 groups"),
        ({"random": {"bit_generator": "PCG64"}}, "state: expected what get_state returns"),
        ({"random": {"bit_generator": "MT19937", "state": {}}}, "state: expected what get_state returns"),
        ({"task": {"carried": None}}, "its task's state has carried, expected nothing"),
        ({"progress": {"step": 5, "seconds": -1.0, "count": 0, "totals": {}}}, "its progress is 5 steps"),
        ({"progress": {"step": 5, "seconds": 1.0, "count": -8, "totals": {}}}, "its progress is 5 steps"),
        ({"progress": {"step": 5}}, "its progress has no seconds"),
    ],
)
def test_wrong_entries_are_named(stopped, tmp_path, entries, message):
    save_checkpoint(tmp_path / "checkpoint", {**stopped[1], **entries})
    with pytest.raises(InputError, match=f"checkpoint is not of this run's tiny: .*{message}"):
        trainer_in(tmp_path)


def test_a_tree_without_an_entry_is_refused(stopped, tmp_path):
    for name in stopped[1]:
        save_checkpoint(tmp_path / "checkpoint", {key: value for key, value in stopped[1].items() if key != name})
        with pytest.raises(InputError, match=f"it has no {name}"):
            trainer_in(tmp_path)


def language_trainer(folder, model: str) -> Trainer:
    (folder / "text.txt").write_text(TEXT)
    sizes = {"hidden_size": 3, "num_layers": 2, "embedding_dim": 2}
    recipe = replace(
        recipe_of(model), data=f"text:{folder / 'text.txt'}", batch_size=2, sequence_length=4, steps=3, **sizes
    )
    task = recipe.task({"lines": False, "characters": sorted(set(TEXT))})
    assert isinstance(task, LanguageModelling)
    return Trainer(task, Run(folder, recipe, task.facts), PlainDisplay(task))


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    """A language model's run after three steps, in the middle of its text."""
    folder = tmp_path_factory.mktemp("language")
    trainer = language_trainer(folder, "char-lstm")
    train(trainer)
    return trainer, load_checkpoint(folder / "checkpoint")


def test_what_is_carried_on_comes_back_with_its_layout(language, tmp_path):
    trainer, tree = language
    save_checkpoint(tmp_path / "checkpoint", tree)
    resumed = language_trainer(tmp_path, "char-lstm")
    assert strides(state_of(resumed)) == strides(state_of(trainer))
    for before, after in zip(trainer.task.state()["carried"], resumed.task.state()["carried"], strict=True):
        assert np.array_equal(before, after)


CARRIED = np.zeros((2, 2, 3), np.float32)


@pytest.mark.parametrize(
    "carried",
    [[], [CARRIED], [CARRIED, CARRIED[0]], [CARRIED, CARRIED.astype(np.int32)], [CARRIED, "x"], [CARRIED] * 3],
)
def test_what_is_carried_on_must_fit(language, tmp_path, carried):
    save_checkpoint(tmp_path / "checkpoint", {**language[1], "task": {"carried": carried}})
    with pytest.raises(InputError, match=r"its task's state carries .*, expected \[\(\(2, 2, 3\), dtype\('float32'\)"):
        language_trainer(tmp_path, "char-lstm")
