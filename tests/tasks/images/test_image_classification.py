"""The task of image classifiers, on real images."""

from dataclasses import replace

import numpy as np
import pytest

import handmade
from handmade import nn, random
from handmade.errors import InputError
from handmade.recipes import recipe_of

LENET5 = replace(recipe_of("lenet5"), steps=60)


@pytest.fixture(scope="module")
def task():
    return LENET5.task()


@pytest.mark.slow
def test_it_learns_real_images_within_sixty_steps(task):
    losses = []
    for batch in task.batches(0, 0):
        outcome = task.loss(batch)
        losses.append(outcome.loss.item())
        task.optimizer.zero_grad()
        outcome.loss.backward()
        task.optimizer.step()
        task.schedule.step()
        if len(losses) == 60:
            break
    assert losses[0] > 2
    assert np.mean(losses[-10:]) < 1
    measured = task.evaluate()
    assert list(measured) == ["loss", "accuracy"]
    assert measured["accuracy"] > 0.65


@pytest.mark.slow
def test_the_papers_network_learns_by_its_own_loss():
    task = replace(LENET5, paper=True, learning_rate=1e-3, steps=30).task()
    losses = []
    for batch, _ in zip(task.batches(0, 0), range(30), strict=False):
        outcome = task.loss(batch)
        losses.append(outcome.loss.item())
        task.optimizer.zero_grad()
        outcome.loss.backward()
        task.optimizer.step()
    assert np.mean(losses[:5]) > 65
    assert np.mean(losses[-5:]) < 45


def test_a_loss_counts_images_and_right_answers(task):
    images, labels = next(iter(task.batches(0, 0)))
    outcome = task.loss((images, labels))
    right = (task.model(images).array.argmax(axis=1) == labels.array).sum()
    assert (outcome.count, outcome.totals) == (LENET5.batch_size, {"accuracy": right})


@pytest.mark.slow
def test_the_order_is_decided_by_seed_and_epoch_and_can_be_entered_anywhere(task):
    whole = [labels.array for _, labels in task.batches(3, 0)]
    entered = [labels.array for _, labels in task.batches(3, 180)]
    assert len(whole) == task.steps_per_epoch == 188
    assert all(np.array_equal(a, b) for a, b in zip(entered, whole[180:], strict=True))
    assert not np.array_equal(next(iter(task.batches(4, 0)))[1].array, whole[0])


@pytest.mark.slow
def test_evaluation_draws_nothing_and_leaves_the_mode(task):
    before = random.get_state()
    for training in (True, False):
        task.model.train(training)
        task.evaluate()
        assert task.model.training is training
    assert random.get_state() == before


@pytest.mark.slow
def test_evaluation_switches_dropout_off():
    task = LENET5.task()
    task.model = nn.Sequential(nn.Dropout(0.9), task.model)
    assert task.evaluate() == task.evaluate()


def test_probabilities_of_images_of_any_size(task, rng):
    images = [rng.integers(0, 256, shape).astype(np.uint8) for shape in ((1, 28, 28), (1, 50, 33))]
    probabilities = task.use.probabilities(images)
    assert probabilities.shape == (2, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.slow
def test_the_seed_decides_the_first_weights():
    def first(seed: int) -> np.ndarray:
        return next(iter(replace(LENET5, seed=seed).task().model.parameters())).array

    handmade.rand(3)
    assert np.array_equal(first(1), first(1))
    assert not np.array_equal(first(1), first(2))


def test_facts_build_the_same_model_without_the_training_set(task, monkeypatch):
    from handmade.tasks.images import task as module

    monkeypatch.setattr(module, "load_images", None)
    assert LENET5.task(task.facts).images == task.images


def test_data_without_images_are_refused():
    with pytest.raises(InputError, match="names holds no images; take a set such as fashion-mnist"):
        replace(LENET5, data="names").task()


def test_a_test_set_of_other_classes_is_refused(task, picture_folder):
    other = replace(LENET5, data=f"folder:{picture_folder}").task(task.facts)
    with pytest.raises(
        InputError, match=r"the model tells T-shirt/top, .* apart, but the classes of .* are dark, light"
    ):
        other.evaluate()


def test_the_papers_network_has_ten_classes(picture_folder):
    with pytest.raises(InputError, match="has ten classes, folder:.* has 2"):
        replace(LENET5, paper=True, data=f"folder:{picture_folder}").task()


@pytest.mark.slow
def test_its_pictures_are_drawn(task, tmp_path):
    assert [path.name for path in task.draw(tmp_path)] == ["confusion.png", "misclassified.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.glob("*.png"))
    assert all(path.with_suffix(".txt").read_text() for path in tmp_path.glob("*.png")), "a caption beside each"
