"""GPT's recipes: windows, decay groups, the rate's course; a GPT learns, is resumed and writes."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from handmade.errors import InputError
from handmade.models import gpt
from handmade.models.char_lm import BigramLM
from handmade.recipes import RECIPES, gpt_stages, recipe_of
from handmade.recipes.gpt import warmed_cosine
from handmade.tasks import changed
from handmade.tasks.decay import decay_groups
from handmade.tasks.language import task as language_modelling
from handmade.tasks.language.sequences import EveryWindow, Windows
from handmade.train import Trainer, new_run, open_run
from handmade.train import loop as loop_module
from handmade.train.display import PlainDisplay

TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 12


@pytest.fixture
def small(tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)
    return replace(
        recipe_of("gpt"), data=f"text:{tmp_path / 'text.txt'}", batch_size=4, sequence_length=16, epochs=2,
        epoch_steps=8, n_layer=2, n_head=2, n_embd=16, dropout=0.1, learning_rate=0.01, warmup_steps=4,
    )  # fmt: skip


# --- windows ----------------------------------------------------------------------------------------------------------


def test_windows_come_from_random_places():
    tokens = np.arange(100) * 3
    windows = Windows(tokens, batch_size=50, sequence_length=9, steps=3, seed=1)
    assert len(windows) == 3
    for inputs, targets in windows.batches(0, 0):
        assert inputs.shape == targets.shape == (50, 9)
        assert_array_equal(np.diff(inputs, axis=1), 3)
        assert_array_equal(targets, inputs + 3)
    first = np.concatenate([inputs[:, 0] for epoch in range(20) for inputs, _ in windows.batches(epoch, 0)]) // 3
    assert set(first) == set(range(91))  # the last window's last target is the last token


def test_windows_depend_on_seed_epoch_and_number_alone():
    windows = Windows(np.arange(1000), 4, 8, steps=5, seed=1)
    whole = [inputs for inputs, _ in windows.batches(2, 0)]
    assert_array_equal([inputs for inputs, _ in windows.batches(2, 3)], whole[3:])
    others = Windows(np.arange(1000), 4, 8, 5, seed=2).batches(2, 0), windows.batches(3, 0)
    assert all(not np.array_equal(next(other)[0], whole[0]) for other in others)
    assert not np.array_equal(whole[0], whole[1])


def test_a_text_shorter_than_a_window():
    with pytest.raises(InputError, match="the text has 8 characters; windows of 8 .* take 9 at least"):
        Windows(np.arange(8), 2, 8, 1, 0)


def test_testing_reads_every_window_once():
    windows = EveryWindow(np.arange(30), batch_size=2, sequence_length=9)
    batches = list(windows.batches(0, 0))
    assert [inputs.shape for inputs, _ in batches] == [(2, 9), (1, 9)]
    assert_array_equal(np.concatenate([inputs for inputs, _ in batches]).ravel(), np.arange(27))
    assert_array_equal(np.concatenate([targets for _, targets in batches]).ravel(), np.arange(1, 28))
    assert len(windows) == 2
    assert next(EveryWindow(np.arange(5), 2, 9).batches(0, 0))[0].shape == (1, 4)


# --- the optimizer ----------------------------------------------------------------------------------------------------


def test_matrices_decay_and_norms_and_biases_do_not():
    model = gpt("gpt-cpu", bias=True, n_layer=1)
    decayed, others = decay_groups(model, 0.1)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.1, 0.0)
    assert all("ln" not in names[id(p)] and names[id(p)].endswith("weight") for p in decayed["params"])
    assert all("ln" in names[id(p)] or names[id(p)].endswith("bias") for p in others["params"])
    assert len(decayed["params"]) + len(others["params"]) == len(list(model.parameters()))
    assert len(decay_groups(BigramLM(5), 0.1)) == 1


def test_the_rate_warms_up_and_falls():
    rates = [warmed_cosine(step, 10, 110, 0.1) for step in range(120)]
    assert rates[0] == pytest.approx(1 / 11)
    assert max(rates) == rates[10] == 1
    assert rates[60] == pytest.approx(0.55)
    assert rates[110] == rates[119] == pytest.approx(0.1)
    assert np.all(np.diff(rates[:11]) > 0)
    assert np.all(np.diff(rates[10:111]) < 0)


def test_the_settings_of_nanogpt():
    recipe = RECIPES["gpt-cpu"]
    assert (recipe.batch_size, recipe.sequence_length, recipe.epochs * recipe.epoch_steps) == (12, 64, 2000)
    options = recipe.task().optimizer.param_groups[0]
    assert (options["betas"], options["weight_decay"], options["lr"]) == ((0.9, 0.99), 0.1, 1e-3)
    assert (recipe.min_learning_rate, recipe.warmup_steps, recipe.dropout, recipe.max_norm) == (1e-4, 100, 0.0, 1.0)


# --- learning ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def _quick(monkeypatch):
    monkeypatch.setattr(loop_module, "draw_curves", lambda path, lines, title: None)
    monkeypatch.setattr(language_modelling, "draw_surprise", lambda *_, **__: None)
    monkeypatch.setattr(language_modelling, "SAMPLE", 12)


def trained(run):
    task = run.recipe.task(run.facts)
    trainer = Trainer(task, run, PlainDisplay(task))
    trainer.train()
    return task


@pytest.mark.slow
@pytest.mark.usefixtures("_quick")
def test_a_gpt_learns_and_writes(small, tmp_path):
    recipe = replace(small, steps=60, epoch_steps=30, dropout=0.0)
    task = trained(new_run(recipe, recipe.task().facts, tmp_path / "run"))
    assert task.evaluate()["loss"] < 1.3  # it begins at 2.9; the text repeats itself
    assert len(task.use.write("the c", 30, 0)) == 35


@pytest.mark.slow
@pytest.mark.usefixtures("_quick")
def test_resumed_is_as_if_never_stopped(small, tmp_path):
    """Dropout included: the generator comes back from the checkpoint."""
    recipe = replace(small, steps=11, checkpoint_seconds=0.0)
    whole = new_run(recipe, recipe.task().facts, tmp_path / "whole")
    trained(whole)
    stopped = new_run(recipe, whole.facts, tmp_path / "stopped")
    task = recipe.task(whole.facts)
    trainer, loss = Trainer(task, stopped, PlainDisplay(task)), task.loss

    def stopping(batch):
        if trainer.progress.step == 7:
            raise KeyboardInterrupt
        return loss(batch)

    task.loss = stopping
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    trained(open_run(tmp_path / "stopped"))
    assert stopped.weights.read_bytes() == whole.weights.read_bytes()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("n_head=5", "n_head is 5, which does not divide n_embd = 128: heads share it"),
        ("dropout=1", "dropout is 1.0, expected below 1"),
        ("beta2=1", "beta2 is 1.0, expected below 1"),
        ("n_layer=0", "n_layer is 0, expected a number of at least 1"),
        ("epoch_steps=0", "epoch_steps is 0, expected a number of at least 1"),
    ],
)
def test_settings_that_cannot_be_used(setting, message):
    with pytest.raises(InputError, match=message):
        changed(recipe_of("gpt-cpu"), [setting])


# --- stages -----------------------------------------------------------------------------------------------------------


def test_the_table_of_stages_has_this_runs_loss():
    lines = gpt_stages.stage_table(2, 2.222).splitlines()
    assert len(lines) == 1 + len(gpt_stages.STAGES) == 1 + len(gpt_stages.MEASURED)
    assert "this run: 2.222" in lines[2]
    assert "one head" in lines[2]
    assert sum("this run" in line for line in lines) == 1
    gain = gpt_stages.MEASURED[0] - gpt_stages.MEASURED[1]
    assert f"{gain:.3f}" in lines[2]


def test_no_such_stage():
    with pytest.raises(InputError, match="stage is 8, expected 1 to 7"):
        changed(recipe_of("gpt-stage"), ["stage=8"])
