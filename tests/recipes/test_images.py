"""Every family of image networks learns real images by its recipe, brought down to small batches."""

from dataclasses import replace

import numpy as np
import pytest

from handmade import nn
from handmade.data import RandomHorizontalFlip
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.recipes import RECIPES, recipe_of
from handmade.tasks import ImageRecipe
from handmade.tasks.images.task import load_images
from handmade.tasks.schedules import SCHEDULES

SMALL = {"batch_size": 32, "schedule": "constant", "shift": 0, "flip": False}


def losses(recipe, steps):
    task = recipe.task()
    found = []
    for _, batch in zip(range(steps), task.batches(0, 0), strict=False):
        outcome = task.loss(batch)
        found.append(outcome.loss.item())
        task.optimizer.zero_grad()
        outcome.loss.backward()
        task.optimizer.step()
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "changes", "steps", "bar"),
    [
        ("alexnet-cifar", {"dropout": 0.0, "learning_rate": 0.02}, 25, 1.9),
        ("vgg11-cifar", {"dropout": 0.0, "learning_rate": 0.01}, 12, 1.6),
        ("googlenet-cifar", {"dropout": 0.0, "learning_rate": 0.01, "aux_logits": False}, 16, 1.9),
        ("resnet20", {"learning_rate": 0.05}, 24, 1.7),
    ],
)
def test_each_family_begins_to_learn(model, changes, steps, bar):
    found = losses(replace(recipe_of(model), **SMALL, **changes), steps)
    assert found[0] > 2.1  # ten classes, as yet unknown: about log 10 = 2.3
    assert np.mean(found[-4:]) < bar


def test_resnets_and_plain_networks_are_built_by_name_for_any_number_of_classes():
    shapes = []
    for model in ("resnet20", "plain20"):
        built = recipe_of(model).build(7)
        shapes.append([tuple(weight.shape) for weight in built.parameters()])
        assert built.layer1[0].skip == (model == "resnet20")
    assert shapes[0] == shapes[1]
    assert shapes[0][-1] == (7,)
    assert {"resnet56", "resnet110", "plain56"} <= RECIPES.keys()


def test_every_image_recipe_learns_the_packaged_images_unless_told_otherwise():
    recipes = [recipe for recipe in RECIPES.values() if isinstance(recipe, ImageRecipe)]
    assert {recipe.data for recipe in recipes} == {"fashion-mnist"}


def test_the_papers_steps_of_the_rate_are_at_half_and_three_quarters_of_the_run():
    task = replace(recipe_of("resnet20"), schedule="steps", steps=64).task()
    rates = []
    for _ in range(64):
        rates.append(task.schedule.get_last_lr()[0])
        task.schedule.step()
    np.testing.assert_allclose(rates, [0.1] * 32 + [0.01] * 16 + [0.001] * 16)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_stays_between_nothing_and_the_whole_rate(name):
    factors = [SCHEDULES[name](step / 50) for step in range(51)]
    assert max(factors) == pytest.approx(1)
    assert min(factors) >= 0
    ends = {"constant": 1, "steps": 0.01, "inverse-square-root": 0.1**0.5}
    assert factors[-1] == pytest.approx(ends.get(name, 0))
    top = factors.index(max(factors))
    assert top == {"one-cycle": 10, "inverse-square-root": 5}.get(name, 0)
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)


@pytest.mark.parametrize(("data", "mirrored"), [("fashion-mnist", True), ("mnist", False)])
def test_written_characters_are_never_mirrored(data, mirrored):
    task = replace(recipe_of("lenet5"), data="fashion-mnist").task()
    task.recipe = replace(task.recipe, data=data)  # and the images of fashion-mnist
    task.train_set = load_images("fashion-mnist", "train")
    steps = task.loader.transform.transforms
    assert any(isinstance(step, RandomHorizontalFlip) for step in steps) is mirrored


def test_the_papers_lenet_sees_a_background_of_minus_a_tenth():
    task = replace(recipe_of("lenet5"), paper=True).task()
    images, _ = next(task.batches(0, 0))
    assert images.shape == (64, 1, 32, 32)
    assert images.array.min() == pytest.approx(-0.1, abs=1e-6)
    assert images.array.max() == pytest.approx(1.175, abs=1e-6)


@pytest.mark.slow
def test_the_papers_lenet_is_tested_by_its_own_loss():
    task = replace(recipe_of("lenet5"), paper=True).task()
    logits, labels = (Tensor(part) for part in task.test_logits())
    assert task.evaluate()["loss"] == task.model.loss(logits, labels).item()


@pytest.mark.slow
def test_a_loss_of_the_models_own_takes_no_label_smoothing():
    with pytest.raises(InputError, match="label_smoothing is for cross-entropy; googlenet-cifar has a loss of its own"):
        replace(recipe_of("googlenet-cifar"), label_smoothing=0.1).task()


@pytest.mark.slow
def test_the_small_classifiers_of_googlenet_count_in_training_and_their_answers_do_not():
    task = replace(recipe_of("googlenet-cifar"), batch_size=4).task()
    images, labels = next(task.batches(0, 0))
    outputs = task.model(images)
    expected = [nn.functional.cross_entropy(scores, labels).item() for scores in outputs]
    assert task.model.loss(outputs, labels).item() == pytest.approx(expected[0] + 0.3 * sum(expected[1:]))
    outcome = task.loss((images, labels))
    assert outcome.loss.item() > 3  # three losses of about 2.3 each
    assert outcome.count == 4
    task.model.eval()
    scores = task.model(images)
    assert task.model.loss(scores, labels).item() == nn.functional.cross_entropy(scores, labels).item()
