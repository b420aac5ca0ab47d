"""What the cards say of recipes: which file trains a network, and which network a recipe builds."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from handmade import recipes
from handmade.errors import InputError
from handmade.models import ZOO
from handmade.recipes import FORMER_NAMES, RECIPES, recipe_of
from handmade.train import new_run, open_run
from tests.support.networks import count


def test_cards_and_recipe_files_name_each_other():
    texts = {path.stem: path.read_text() for path in Path(recipes.__file__).parent.glob("[a-z]*.py")}
    files = {name for name, text in texts.items() if "\nRECIPES = " in text}
    assert texts.keys() - files == {"faulty"}
    assert {card.recipe for card in ZOO.values() if card.recipe} == files
    for name in RECIPES:
        assert recipe_of(name).model == name


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains_the_network_of_the_card(name, request):
    card, recipe = ZOO[name], recipe_of(name)
    if not hasattr(recipe, "build"):  # speech: the model is made by the task, which reads its data
        request.getfixturevalue("shared_data")
        assert count(recipe.task().model) == card.parameters
        return
    size = 10 if card.classes else dict(card.arguments).get("vocab_size", 260 if name == "bert" else 65)
    extra = {"aux_logits": False} if name == "googlenet-cifar" else {}
    assert count(replace(recipe, **extra).build(size)) == card.parameters


@pytest.mark.parametrize("name", FORMER_NAMES)
def test_former_names_are_accepted(name, tmp_path):
    assert recipe_of(name).model == FORMER_NAMES[name]
    run = new_run(recipe_of(name), {}, tmp_path / "run")
    config = json.loads((run.folder / "config.json").read_text())
    config["recipe"]["model"] = name
    (run.folder / "config.json").write_text(json.dumps(config))
    assert asdict(open_run(run.folder).recipe) == asdict(run.recipe)


def test_a_network_that_no_recipe_trains():
    with pytest.raises(InputError, match=r"no recipe trains 'resnet50'\. Recipes train lenet5, .*trigger-word"):
        recipe_of("resnet50")
    with pytest.raises(KeyError):
        RECIPES["resnet50"]
    assert "resnet50" not in RECIPES
