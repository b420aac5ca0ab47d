"""Language models learn real text, carry their state, are stopped and resumed, and write."""

from dataclasses import replace
from itertools import islice, pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import handmade
from handmade import data
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.recipes import RECIPES, recipe_of
from handmade.tasks import changed
from handmade.tasks.language import task as language_modelling
from handmade.train import Trainer, new_run, open_run
from handmade.train import loop as loop_module
from handmade.train.display import PlainDisplay, epoch_text
from handmade.train.metrics import read_metrics

TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 12
LETTERS = "\nabcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def small(tmp_path):
    """A recipe that learns a small file."""
    (tmp_path / "text.txt").write_text(TEXT)
    return replace(
        recipe_of("char-lstm"), data=f"text:{tmp_path / 'text.txt'}", batch_size=3, sequence_length=24, epochs=2,
        hidden_size=8, embedding_dim=4,
    )  # fmt: skip


@pytest.fixture
def _quick(monkeypatch):
    """No pictures, and short samples."""
    monkeypatch.setattr(loop_module, "draw_curves", lambda path, lines, title: None)
    monkeypatch.setattr(language_modelling, "draw_surprise", lambda *_, **__: None)
    monkeypatch.setattr(language_modelling, "SAMPLE", 12)


def learn(recipe):
    """A task that has taken the recipe's steps, and the loss of each."""
    task, losses = recipe.task(), []
    while len(losses) < task.total_steps:
        for batch in islice(task.batches(len(losses) // task.steps_per_epoch, 0), task.total_steps - len(losses)):
            loss = task.loss(batch).loss
            task.optimizer.zero_grad()
            loss.backward()
            task.optimizer.step()
            task.schedule.step()
            losses.append(loss.item())
    return task, losses


def trainer_of(run):
    task = run.recipe.task(run.facts)
    return Trainer(task, run, PlainDisplay(task))


# --- learning ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_lstm_learns_shakespeare():
    """50 steps: below 2.6 nats. Characters drawn evenly have 4.2, by their frequency 3.3."""
    recipe = replace(recipe_of("char-lstm"), hidden_size=64, num_layers=1, batch_size=16, learning_rate=1e-2, steps=50)
    _, losses = learn(recipe)
    assert losses[0] > 4
    assert np.mean(losses[-10:]) < 2.6


def bigram_nats(names, log_p):
    """The mean of -log p over the letters of names, as the pairs of letters in real names have it."""
    pairs = [pair for name in names for pair in pairwise(f"\n{name}\n")]
    return -np.mean([log_p[LETTERS.index(a), LETTERS.index(b)] for a, b in pairs])


@pytest.mark.slow
def test_names_are_like_names(rng):
    task, _ = learn(replace(recipe_of("names-gru"), hidden_size=64, batch_size=64, learning_rate=6e-3, steps=150))
    assert task.evaluate()["loss"] < 2.3
    made = task.use.write("", 400, rng).split("\n")[:-1]
    real, known = data.load("names", "test").lines, data.load("names", "train").lines

    lengths, real_lengths = [len(name) for name in made], [len(name) for name in real]
    assert abs(np.mean(lengths) - np.mean(real_lengths)) < 0.7
    assert abs(np.std(lengths) - np.std(real_lengths)) < 0.5

    counts = np.ones((27, 27))
    for name in known:
        for a, b in pairwise(f"\n{name}\n"):
            counts[LETTERS.index(a), LETTERS.index(b)] += 1
    log_p = np.log(counts / counts.sum(axis=1, keepdims=True))
    shuffled = ["".join(rng.permutation(list(name))) for name in real]
    assert bigram_nats(real, log_p) < 2.4
    assert bigram_nats(shuffled, log_p) > 3.2
    assert bigram_nats(made, log_p) < 2.65
    assert len(set(made) - set(known)) > len(made) / 2  # invented, not remembered


@pytest.mark.parametrize("name", ["char-rnn", "char-lstm", "char-gru", "names-gru"])
def test_every_recipe_builds_its_model_for_its_data(name):
    recipe = RECIPES[name]
    task = recipe.task()
    tokens, targets, state = next(task.batches(0, 0))
    assert tokens.shape == targets.shape
    assert tokens.shape[0] == recipe.batch_size == 32
    assert state is None
    assert task.learns_lines == (name == "names-gru")
    kind = name.split("-")[1].upper()
    assert type(task.model.network).__name__ == kind


# --- the carried state ------------------------------------------------------------------------------------------------


def test_a_batch_goes_on_from_the_state_of_the_one_before(small):
    task = small.task()
    batches = task.batches(0, 0)
    first = next(batches)
    assert first[2] is None
    task.loss(first)
    second = next(batches)
    _, expected = task.model.read(first[0])
    for carried, tensor in zip(second[2], expected, strict=True):
        assert not carried.requires_grad
        assert_array_equal(carried.numpy(), tensor.numpy())
    both = Tensor(np.concatenate([first[0].numpy(), second[0].numpy()], axis=1))
    whole = task.model(both, Tensor(np.concatenate([first[1].numpy(), second[1].numpy()], axis=1)))[1].item()
    assert (task.loss(first).loss.item() + task.loss(second).loss.item()) / 2 == pytest.approx(whole, rel=1e-6)
    assert next(task.batches(1, 0))[2] is None  # an epoch begins at the beginning


def test_no_gradient_goes_back_into_the_carried_state(small):
    task = small.task()
    batches = task.batches(0, 0)
    task.loss(next(batches))
    tokens, targets, state = next(batches)
    task.loss((tokens, targets, state)).loss.backward()
    through = {name: parameter.grad.numpy().copy() for name, parameter in task.model.named_parameters()}
    task.model.zero_grad()
    task.loss((tokens, targets, tuple(Tensor(tensor.numpy().copy()) for tensor in state))).loss.backward()
    for name, parameter in task.model.named_parameters():
        assert_array_equal(parameter.grad.numpy(), through[name])


def test_lines_carry_nothing():
    task = replace(recipe_of("names-gru"), hidden_size=4).task()
    batches = task.batches(0, 0)
    task.loss(next(batches))
    assert next(batches)[2] is None


class Killed(Exception):
    pass


@pytest.mark.slow
@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("step", [3, 10])
def test_a_killed_run_ends_with_the_same_bits(small, tmp_path, step):
    """Epochs have 8 steps; the carried state comes back from the checkpoint."""
    recipe = replace(small, steps=13, checkpoint_seconds=0.0)
    whole = new_run(recipe, recipe.task().facts, tmp_path / "whole")
    assert trainer_of(whole).train()

    killed = new_run(recipe, whole.facts, tmp_path / "killed")
    trainer = trainer_of(killed)
    loss = trainer.task.loss

    def killing(batch):
        if trainer.progress.step == step:
            raise Killed
        return loss(batch)

    trainer.task.loss = killing
    with pytest.raises(Killed):
        trainer.train()
    assert trainer_of(open_run(tmp_path / "killed")).train()
    assert (tmp_path / "killed" / "model.safetensors").read_bytes() == whole.weights.read_bytes()
    assert read_metrics(killed.metrics)[-1]["test_loss"] == read_metrics(whole.metrics)[-1]["test_loss"]


@pytest.mark.usefixtures("_quick")
def test_gradients_are_clipped_before_the_step(small, tmp_path):
    recipe = replace(small, steps=3, max_norm=0.01)
    run = new_run(recipe, recipe.task().facts, tmp_path / "run")
    trainer = trainer_of(run)
    norms, step = [], trainer.task.optimizer.step

    def measured():
        norms.append(np.sqrt(sum(float((p.grad.numpy() ** 2).sum()) for p in trainer.task.model.parameters())))
        step()

    trainer.task.optimizer.step = measured
    trainer.train()
    assert norms == pytest.approx([0.01] * 3, rel=1e-3)


# --- testing and samples ----------------------------------------------------------------------------------------------


def test_the_measure_is_nats_a_character_of_the_whole_test_text(small):
    task = replace(small, batch_size=1).task()
    text = data.load(small.data, "test").text
    ids = np.array(task.tokenizer.encode(text))[None]
    loss = task.model(Tensor(ids[:, :-1]), Tensor(ids[:, 1:]))[1].item()
    assert task.evaluate() == {"loss": pytest.approx(loss, rel=1e-6)}


@pytest.mark.usefixtures("_quick")
def test_testing_and_sampling_draw_nothing_from_the_global_generator(small):
    task = small.task()
    before = handmade.random.get_state()
    assert task.evaluate() == task.evaluate()
    assert task.sample() == task.sample()
    assert handmade.random.get_state() == before
    assert task.model.training


@pytest.mark.slow
@pytest.mark.usefixtures("_quick")
def test_samples_are_shown_as_it_learns(small, tmp_path, capsys):
    run = new_run(small, small.task().facts, tmp_path / "run")
    trainer = trainer_of(run)
    trainer.train()
    epochs = [line for line in read_metrics(run.metrics) if "test_loss" in line]
    assert len(epochs) == 2
    printed = capsys.readouterr().err
    for line in epochs:
        assert len(line["sample"]) > 5
        assert epoch_text(line, trainer.task) in printed
        assert "\n    " in epoch_text(line, trainer.task)


@pytest.mark.slow
def test_the_picture_of_surprise(small, tmp_path):
    from PIL import Image

    for recipe in (small, replace(recipe_of("names-gru"), hidden_size=4)):
        (path,) = recipe.task().draw(tmp_path)
        with Image.open(path) as image:
            assert image.width > 300
            assert np.asarray(image.convert("RGB")).std() > 10


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def task(small):
    return learn(replace(small, learning_rate=0.03, hidden_size=24))[0]


@pytest.fixture
def names():
    return learn(replace(recipe_of("names-gru"), hidden_size=16, steps=30))[0]


def written(task, prompt, length, seed=0, **choice):
    return task.use.write(prompt, length, seed, **choice)


@pytest.mark.slow
def test_a_text_begins_with_the_prompt_and_has_the_length_asked_for(task):
    text = written(task, "the c", 40)
    assert text.startswith("the c")
    assert len(text) == 45
    assert written(task, "the c", 40) == text
    assert written(task, "the c", 40, seed=1) != text
    assert len(written(task, "", 12)) == 12


@pytest.mark.slow
def test_temperature_zero_takes_the_likeliest(task):
    text = written(task, "the d", 30, temperature=0.0)
    assert text == written(task, "the d", 30, seed=9, temperature=0.0) == written(task, "the d", 30, seed=3, top_k=1)
    for place in range(5, len(text)):  # the same, each from its whole past
        ids = Tensor(np.array([task.tokenizer.encode(text[:place])]))
        assert task.tokenizer.decode([int(task.model(ids)[0].numpy()[0, -1].argmax())]) == text[place]


def test_it_streams(task, monkeypatch):
    """A character is handed over before the next is computed."""
    read, calls = task.model.read, []
    monkeypatch.setattr(task.model, "read", lambda *given: calls.append(1) or read(*given))
    text = task.use.stream("the", 50, 0)
    assert (next(text), len(next(text))) == ("the", 1)
    assert len(calls) == 1
    next(text)
    assert len(calls) == 2


@pytest.mark.slow
def test_lines_each_begin_with_the_prompt(names):
    text = written(names, "jo", 60)
    *lines, rest = text.split("\n")
    assert len(lines) > 2
    assert all(line.startswith("jo") for line in lines)
    assert len(text) - 2 * (len(lines) + bool(rest)) == 60


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"temperature": -0.5}, "temperature: got -0.5, expected 0"),
        ({"top_k": 0}, "top_k: got 0, expected 1 or more"),
        ({"top_p": 0.0}, "top_p: got 0.0, expected above 0 and at most 1"),
        ({"top_p": 1.5}, "top_p: got 1.5, expected above 0 and at most 1"),
    ],
)
def test_choices_that_cannot_be_used_are_refused_before_anything_is_written(task, choice, message):
    with pytest.raises(InputError, match=message):
        task.use.write("the", 10, 0, **choice)


def test_a_length_of_nothing_is_refused(task):
    with pytest.raises(InputError, match="length is 0, expected at least 1 character"):
        written(task, "the", 0)


def test_an_unknown_character_is_named(task):
    with pytest.raises(InputError, match="character 'é' .* at position 2 .* write 'e' instead"):
        written(task, "thé", 10)


def test_a_line_end_does_not_begin_a_line(names):
    with pytest.raises(InputError, match="the prompt holds a line end"):
        written(names, "jo\nan", 10)


# --- data that do not fit ---------------------------------------------------------------------------------------------


def test_another_text_must_be_of_known_characters(small, tmp_path):
    facts = small.task().facts
    other = tmp_path / "other.txt"
    other.write_text("the café sat on the öre. " * 20)
    with pytest.raises(InputError, match="does not fit this model's vocabulary: 4 of .*'f', 'r', 'é', 'ö'"):
        replace(small, data=f"text:{other}").task(facts).evaluate()
    other.write_text("the mat sat on the cat. " * 20)
    assert replace(small, data=f"text:{other}").task(facts).evaluate()["loss"] > 0


def test_lines_are_no_running_text(small):
    with pytest.raises(InputError, match="the model learned running text, and names holds lines"):
        replace(small, data="names").task(small.task().facts).evaluate()


def test_images_are_no_text(small):
    with pytest.raises(InputError, match="fashion-mnist holds no text to go on with"):
        replace(small, data="fashion-mnist").task()


def test_a_text_that_is_too_short(small, tmp_path):
    short = tmp_path / "short.txt"
    short.write_text("ab cd ef gh ij")
    with pytest.raises(InputError, match="the text has 12 characters; 16 streams side by side"):
        replace(small, data=f"text:{short}", batch_size=16).task().steps_per_epoch  # noqa: B018


def test_an_empty_text(small, tmp_path):
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(InputError, match="is empty"):
        replace(small, data=f"text:{tmp_path / 'empty.txt'}").task()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("sequence_length=0", "sequence_length is 0, expected a number of at least 1"),
        ("hidden_size=0", "hidden_size is 0, expected a number of at least 1"),
        ("learning_rate=-1", "learning_rate is -1.0, expected a number of at least 0"),
        ("max_norm=nan", "max_norm is nan, expected a number of at least 0"),
    ],
)
def test_settings_that_cannot_be_used(setting, message):
    with pytest.raises(InputError, match=message):
        changed(recipe_of("char-lstm"), [setting])
