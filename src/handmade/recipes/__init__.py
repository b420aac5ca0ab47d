"""The recipes: how each network is trained, one file a network. The card of a network names the file.

A file ends in `RECIPES`, the recipes of its networks; it is read when one of them is first asked for. One file has
mistakes in place of a network: faulty.py.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

from handmade.errors import InputError, suggestion
from handmade.models import ZOO
from handmade.tasks.recipe import Recipe

FORMER_NAMES = {"alexnet": "alexnet-cifar", "vgg11": "vgg11-cifar", "googlenet": "googlenet-cifar"}
"""What recipes were called when a network for small images had the name of the large one."""


class Recipes(Mapping[str, Recipe]):
    """The recipes by the name of their network. `in` and iteration read the cards only."""

    def __getitem__(self, name: str) -> Recipe:
        if name not in self:
            raise KeyError(name)
        file = import_module(f"{__name__}.{ZOO[name].recipe}")
        return {recipe.model: recipe for recipe in file.RECIPES}[name]

    def __contains__(self, name: object) -> bool:
        return name in ZOO and bool(ZOO[str(name)].recipe)

    def __iter__(self) -> Iterator[str]:
        return (card.name for card in ZOO.values() if card.recipe)

    def __len__(self) -> int:
        return sum(1 for _ in self)


RECIPES = Recipes()


def recipe_of(model: str) -> Recipe:
    """The recipe of a network; a former name is accepted.

    Raises InputError for a name that no recipe trains, with the nearest that one does.
    """
    name = FORMER_NAMES.get(model, model)
    if name in RECIPES:
        return RECIPES[name]
    if name in ZOO:
        raise InputError(f"no recipe trains {model!r}. Recipes train {', '.join(RECIPES)}.")
    raise InputError(f"no recipe trains {model!r}{suggestion(model, RECIPES)} There are {', '.join(RECIPES)}.")
