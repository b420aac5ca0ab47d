"""Recipes: changed by the command line, refused where they make no sense."""

from dataclasses import dataclass
from typing import Literal

import pytest

from handmade.errors import InputError
from handmade.recipes import RECIPES, recipe_of
from handmade.tasks import Recipe, changed


@dataclass(frozen=True, kw_only=True)
class Example(Recipe):
    rate: float = 0.1
    rule: Literal["sgd", "adam"] = "sgd"
    flip: bool = False


EXAMPLE = Example(model="m", data="d", epochs=2, batch_size=4)


def test_values_are_read_as_the_fields_type():
    made = changed(EXAMPLE, ["epochs=7", "rate=3e-4", "rule=adam", "flip=yes", "data=folder:a=b", "steps=12"])
    assert made == Example(
        model="m", data="folder:a=b", epochs=7, batch_size=4, steps=12, rate=3e-4, rule="adam", flip=True
    )
    assert changed(made, ["steps=none"]).steps is None


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epoch=3", r"has no 'epoch'; did you mean 'epochs'\?$"),
        ("zzz=3", r"has no 'zzz'\. It has"),
        ("epochs", "expected key=value"),
        ("epochs=two", "epochs is 'two', expected a whole number"),
        ("epochs=1.5", "epochs is '1.5', expected a whole number"),
        ("rate=fast", "rate is 'fast', expected a number"),
        ("flip=maybe", "flip is 'maybe', expected true or false"),
        ("rule=adm", r"rule is 'adm'; did you mean 'adam'\? Expected: sgd or adam"),
        ("model=other", "take the recipe of other"),
        ("epochs=0", "epochs is 0, expected a number of at least 1"),
        ("steps=-3", "steps is -3"),
        ("batch_size=0", "batch_size is 0"),
        ("seed=-1", "seed is -1"),
        ("checkpoint_seconds=nan", "checkpoint_seconds is nan"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(setting, message):
    with pytest.raises(InputError, match=message):
        changed(EXAMPLE, [setting])


@pytest.mark.parametrize(
    "setting",
    ["learning_rate=-1", "learning_rate=inf", "momentum=1", "label_smoothing=1", "weight_decay=-1", "shift=-1"],
)
def test_image_recipes_refuse_values_out_of_range(setting):
    with pytest.raises(InputError, match=setting.split("=")[0]):
        changed(recipe_of("lenet5"), [setting])


def test_an_unknown_model_is_told_the_nearest_one():
    with pytest.raises(InputError, match=r"no recipe trains 'lnet5'; did you mean 'lenet5'\?"):
        recipe_of("lnet5")


def test_every_recipe_is_under_its_models_name():
    assert all(name == recipe.model for name, recipe in RECIPES.items())
