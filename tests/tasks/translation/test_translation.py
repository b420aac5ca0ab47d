"""Sequence-to-sequence models learn, translate, are tested, drawn, and refuse what does not fit."""

from dataclasses import replace
from itertools import islice, product

import numpy as np
import pytest
from PIL import Image

from handmade.data import dates
from handmade.errors import InputError
from handmade.models.sequence_to_sequence import PAD
from handmade.recipes import RECIPES, recipe_of
from handmade.tasks import changed
from handmade.tasks.translation import translator as translation_module
from handmade.tasks.translation.alignment import draw_alignment, draw_exact_by_length

SMALL = ["hidden_size=32", "embedding_dim=16", "batch_size=150", "learning_rate=0.03"]


@pytest.fixture
def words(tmp_path):
    """Two small files: words, and the same in capitals."""
    names = ["".join(letters) for length in (2, 3, 4, 5) for letters in product("abc", repeat=length)][::2]
    for name, lines in (("low", names), ("high", map(str.upper, names))):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    return f"{tmp_path / 'low'},{tmp_path / 'high'}"


@pytest.fixture
def small(words):
    return changed(recipe_of("seq2seq-attention"), [f"data=parallel:{words}", "tokens=characters", *SMALL])


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


# --- learning ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["seq2seq", "seq2seq-attention"])
def test_it_begins_to_read_dates(name, monkeypatch):
    """50 steps: below 1.5 nats a character, of 4.2 at the start."""
    settings = ["hidden_size=64", "batch_size=1000", "steps=50", "learning_rate=0.02"]
    monkeypatch.setattr(dates, "COUNTS", {"train": 3000, "test": 100})
    _, losses = learn(changed(recipe_of(name), settings))
    assert losses[0] > 4
    assert np.mean(losses[-10:]) < 1.5


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["dot", "general", "concat", "additive"])
def test_it_learns_to_write_capitals(small, attention):
    """A hundred steps: most words that were never seen come out right."""
    task, losses = learn(replace(small, attention=attention, steps=100))
    assert losses[-1] < 0.2
    assert task.evaluate()["exact"] >= 0.75
    assert task.use.translate(["bab", "ab"], beam=3) == ["BAB", "AB"]
    read, written, weights = task.use.alignment("cab", "CAB")
    assert (read, written) == (["c", "a", "b", "■"], ["C", "A", "B", "■"])
    assert weights.shape == (4, 4)


def test_the_loss_is_of_the_tokens_that_count(small):
    task = small.task()
    source, target = next(task.batches(0, 0))
    outcome = task.loss((source, target))
    assert outcome.count == (target.array[:, 1:] != PAD).sum()
    longer = [type(x)(np.pad(x.array, ((0, 0), (0, 2)))) for x in (source, target)]
    assert np.isclose(task.loss((longer[0], longer[1])).loss.item(), outcome.loss.item())


@pytest.mark.slow
def test_label_smoothing_is_for_training_only(small):
    """A model that has learned to be sure is punished by it; the test's loss is that of the true targets."""
    task, losses = learn(replace(small, label_smoothing=0.3, steps=100))
    assert losses[-1] > 0.8
    assert task.evaluate()["loss"] < 0.6


@pytest.mark.slow
def test_evaluation_is_without_smoothing_and_draws_nothing(small):
    first = replace(small, dropout=0.5).task()
    second = replace(small, dropout=0.5, label_smoothing=0.3).task()
    assert first.evaluate() == second.evaluate() == first.evaluate()
    assert first.model.training


def test_byte_pairs_are_judged_by_bleu(words):
    task = changed(recipe_of("seq2seq"), [f"data=parallel:{words}", "merges=5", *SMALL]).task()
    assert task.facts["characters"] is None
    assert len(task.facts["merges"]) == 5
    assert set(task.evaluate()) == {"loss", "bleu"}
    assert len(task.sample().splitlines()) == 3
    assert task.use.alignment("ab", "AB") is None


def test_test_pairs_of_their_own(words, small, tmp_path):
    (tmp_path / "a").write_text("abc\n")
    (tmp_path / "b").write_text("ABC\n")
    task = replace(small, test=f"{tmp_path / 'a'},{tmp_path / 'b'}").task()
    assert (len(task.train_pairs), len(task.test_pairs)) == (180, 1)
    assert (len(small.task().train_pairs), len(small.task().test_pairs)) == (162, 18)


@pytest.mark.slow
def test_a_test_on_other_files_takes_all_their_pairs(words, small, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("ab\n" * 3)
    task = small.tested_on(f"parallel:{tmp_path / 'a'},{tmp_path / 'b'}").task(small.task().facts)
    assert len(task.test_pairs) == 3
    assert replace(small, test=words).tested_on("dates").task().test_pairs.name == "dates"


def test_the_same_seed_gives_the_same_model(small):
    one, other = (learn(replace(small, steps=4, dropout=0.2))[1] for _ in range(2))
    assert one == other
    assert learn(replace(small, steps=4, dropout=0.2, seed=1))[1] != one


@pytest.mark.slow
def test_translations_come_in_the_order_of_the_texts(small, monkeypatch):
    monkeypatch.setattr(translation_module, "AT_ONCE", 2)
    task, _ = learn(replace(small, steps=5))
    texts = ["cabbca", "a", "bac", "abab", "b"]
    assert task.use.translate(texts) == [task.use.translate([text])[0] for text in texts]


def test_the_rate_follows_the_schedule(small):
    task = replace(small, schedule="one-cycle", steps=100).task()
    rates = []
    for _ in range(100):
        rates.append(task.schedule.get_last_lr()[0])
        task.schedule.step()
    assert np.isclose(rates[0], 0.003)
    assert np.isclose(max(rates), 0.03)
    assert rates[-1] < 0.001


# --- pictures ---------------------------------------------------------------------------------------------------------


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


@pytest.mark.slow
def test_pictures_of_a_run(small, tmp_path):
    assert [path.name for path in small.task().draw(tmp_path)] == ["alignment.png", "exact.png"]
    for name in ("alignment", "exact"):
        assert pixels(tmp_path / f"{name}.png").shape[1] > 200
    without = replace(recipe_of("seq2seq"), data=small.data, tokens="characters").task()
    assert [path.name for path in without.draw(tmp_path)] == ["exact.png"]


@pytest.mark.slow
def test_the_picture_is_dark_where_the_weight_is(tmp_path):
    pictures = []
    for name, weights in (("one", np.eye(2, 3)), ("other", np.eye(2, 3)[:, ::-1])):
        draw_alignment(tmp_path / name, ["the", "cat", "■"], ["die", "Katze"], weights)
        pictures.append(pixels(tmp_path / name))
    assert pictures[0].shape == pictures[1].shape
    assert not np.array_equal(*pictures)


def test_exact_by_length_of_few_texts(tmp_path):
    draw_exact_by_length(tmp_path / "a.png", {"one": (np.array([5]), np.array([True]))})
    lengths = np.array([3, 3, 90])
    draw_exact_by_length(tmp_path / "a.png", dict.fromkeys(("one", "other"), (lengths, lengths < 9)))
    assert pixels(tmp_path / "a.png").shape[1] > 200


# --- what does not fit ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("label_smoothing=1", "label_smoothing is 1.0, expected a number below 1"),
        ("dropout=1", "dropout is 1.0, expected a probability below 1"),
        ("merges=-1", "merges is -1"),
        ("hidden_size=0", "hidden_size is 0"),
        ("hidden_size=15", "hidden_size is 15, expected an even number"),
        ("attention=cosine", "attention is 'cosine'. Expected: dot or general or concat or additive"),
        ("tokens=words", "tokens is 'words'"),
        ("test=a,b", "dates has no split 'all'"),
        ("data=names", "names holds no pairs of texts; take dates, or parallel:SOURCE,TARGET"),
    ],
)
def test_settings_that_make_no_sense(setting, message):
    with pytest.raises(InputError, match=message):
        changed(recipe_of("seq2seq-attention"), [setting]).task()


def test_additive_attention_has_one_layer():
    with pytest.raises(InputError, match="num_layers is 2; the network of additive attention has 1 layer"):
        changed(recipe_of("seq2seq-attention"), ["attention=additive", "num_layers=2"])


def test_targets_that_the_model_cannot_write(small, tmp_path):
    facts = small.task().facts
    for name, lines in (("a", ["ab"] * 10), ("b", ["λόγος"] * 10)):
        (tmp_path / name).write_text("\n".join(lines))
    other = small.tested_on(f"parallel:{tmp_path / 'a'},{tmp_path / 'b'}").task(facts)
    with pytest.raises(InputError, match=r"does not fit this model's vocabulary: 5 characters of its targets"):
        other.evaluate()


def test_too_few_pairs_for_a_test(small, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("ab\n" * 5)
    with pytest.raises(InputError, match=r"has no pairs for test: of fewer than ten, none is kept"):
        replace(small, data=f"parallel:{tmp_path / 'a'},{tmp_path / 'b'}").task()


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_to_translate(small, text):
    with pytest.raises(InputError, match="text 2 of 2 is empty"):
        small.task().use.translate(["ab", text])


def test_unknown_characters_are_read_as_unknown(small):
    assert len(small.task().use.translate(["abωb"])) == 1


def test_both_recipes_learn_dates():
    for name in ("seq2seq", "seq2seq-attention"):
        assert RECIPES[name].data == "dates"
