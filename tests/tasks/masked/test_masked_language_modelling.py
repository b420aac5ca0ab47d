"""A small BERT learns to fill in masks."""

import dataclasses

import numpy as np
import pytest

from handmade import random
from handmade.errors import InputError
from handmade.nn.utils import clip_grad_norm_
from handmade.recipes import recipe_of
from handmade.tasks import MaskedRecipe
from handmade.tasks.masked.masking import CLS, MASK, SEP

VERSE = "the king of france\nthe queen of spain\na cat in a hat\n"


@pytest.fixture
def recipe(tmp_path):
    """Of a small network on three lines, repeated."""
    path = tmp_path / "verse.txt"
    path.write_text(VERSE * 60)
    return MaskedRecipe(
        model="bert",
        data=f"text:{path}",
        epochs=4,
        batch_size=8,
        learning_rate=5e-3,
        merges=40,
        sequence_length=20,
        hidden_size=32,
        num_layers=2,
        num_heads=2,
    )


def learned(recipe):
    task = recipe.task()
    losses = []
    for step in range(recipe.steps or task.total_steps):
        epoch, number = divmod(step, task.steps_per_epoch)
        task.model.train()
        outcome = task.loss(next(iter(task.batches(epoch, number))))
        task.optimizer.zero_grad()
        outcome.loss.backward()
        clip_grad_norm_(task.model.parameters(), task.recipe.max_norm)
        task.optimizer.step()
        task.schedule.step()
        losses.append(outcome.loss.item())
    return task, losses


@pytest.mark.slow
def test_it_learns_the_order_of_letters(recipe, tmp_path):
    """Each letter follows from its neighbours, and all are equally frequent: who looks at none has 2.3 nats."""
    (tmp_path / "letters.txt").write_text("abcdefghij" * 300)
    letters = dataclasses.replace(
        recipe, data=f"text:{tmp_path / 'letters.txt'}", merges=0, sequence_length=14, num_layers=1, batch_size=32
    )
    task, losses = learned(dataclasses.replace(letters, learning_rate=3e-3, steps=160))
    assert losses[0] > 4
    measures = task.evaluate()
    assert measures["loss"] < 1.6
    assert measures["accuracy"] > 0.4
    (best,) = task.use.fill("abcde[MASK]ghijab", 3)
    assert len(best) == 3
    assert best[0][1] > best[1][1] > best[2][1]


def test_batches_depend_on_seed_epoch_and_number_alone(recipe):
    task, again = recipe.task(), recipe.task()
    whole = list(task.batches(1, 0))
    assert len(whole) == task.steps_per_epoch == again.steps_per_epoch
    for late, batch in zip(again.batches(1, 2), whole[2:], strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(late, batch, strict=True))
    other = next(task.batches(2, 0))
    assert not np.array_equal(other.tokens, whole[0].tokens)
    assert {tuple(row[[0, -1]]) for batch in whole for row in batch.tokens} == {(CLS, SEP)}


def test_the_test_hides_the_same_and_draws_nothing(recipe):
    task = recipe.task()
    before = random.get_state()
    assert task.evaluate() == task.evaluate()
    assert random.get_state() == before


def test_facts_make_the_same_model(recipe):
    task = recipe.task()
    again = recipe.task(task.facts)
    for name, value in task.model.state_dict().items():
        assert np.array_equal(again.model.state_dict()[name].numpy(), value.numpy())


def test_a_sample_shows_right_and_wrong_guesses(recipe, monkeypatch):
    task = recipe.task()
    text = task._cut(task.test_tokens, 0)[0]
    pieces = task.tokenizer.pieces(text.tolist())
    first, second = pieces[4], pieces[11]

    def right_then_wrong(self, tokens):
        assert np.flatnonzero(tokens == MASK).tolist() == [4, 11, 18]
        return np.eye(len(task.tokenizer))[[text[4], 4 + ord("x") - ord("!"), text[18]]]

    monkeypatch.setattr(type(task.use), "probabilities", right_then_wrong)
    sample = task.sample()
    assert f"[{first.strip() or '␣'}]" in sample
    assert f"[x, not {second.strip() or '␣'}]" in sample
    assert "[CLS]" not in sample
    assert "[SEP]" not in sample


def test_special_tokens_are_never_guessed(recipe):
    task = recipe.task()
    probabilities = task.use.probabilities(np.array([CLS, MASK, 80, SEP]))
    assert not probabilities[:, :4].any()
    assert probabilities.sum() == pytest.approx(1)


def test_the_recipe_of_the_command_line():
    recipe = recipe_of("bert")
    assert isinstance(recipe, MaskedRecipe)
    assert recipe.data == "shakespeare"


# ---- what makes no sense


def test_nothing_to_fill_in(recipe):
    with pytest.raises(InputError, match=r"'the king' holds no \[MASK\]: put one where the model shall fill in"):
        recipe.task().use.fill("the king")


def test_a_text_that_is_too_long(recipe):
    with pytest.raises(InputError, match="the text has 41 tokens, and this model sees 18 at once: shorten it"):
        recipe.task().use.fill("[MASK]" + "é" * 20)


def test_a_data_set_that_is_too_short(recipe, tmp_path):
    (tmp_path / "short.txt").write_text("to be or not to be")
    short = dataclasses.replace(recipe, data=f"text:{tmp_path / 'short.txt'}", merges=0)
    with pytest.raises(InputError, match="has 16 tokens in a part; sequence_length 20 takes 35 at least"):
        _ = short.task().steps_per_epoch


def test_lines_are_no_running_text(recipe):
    with pytest.raises(InputError, match="names holds no running text; take a set such as shakespeare, or text:FILE"):
        dataclasses.replace(recipe, data="names").task()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_heads": 3}, "num_heads is 3, which does not divide hidden_size = 32"),
        ({"sequence_length": 2}, "sequence_length is 2, expected a number of at least 3"),
        ({"merges": -1}, "merges is -1, expected a number of at least 0"),
    ],
)
def test_recipes_that_make_no_sense(recipe, changes, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(recipe, **changes)
