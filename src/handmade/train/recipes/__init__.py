"""The recipes by the name of their model."""

from handmade.errors import InputError
from handmade.train.recipe import Recipe, suggestion
from handmade.train.recipes.char_lm import CHAR_GRU, CHAR_LSTM, CHAR_RNN, NAMES_GRU
from handmade.train.recipes.lenet import LENET5

RECIPES: dict[str, Recipe] = {recipe.model: recipe for recipe in (LENET5, CHAR_RNN, CHAR_LSTM, CHAR_GRU, NAMES_GRU)}


def recipe_of(model: str) -> Recipe:
    """The recipe of a model. InputError for an unknown name, with the nearest known one."""
    if model not in RECIPES:
        raise InputError(f"no recipe trains {model!r}{suggestion(model, RECIPES)} There are {', '.join(RECIPES)}.")
    return RECIPES[model]


__all__ = ["RECIPES", "recipe_of"]
