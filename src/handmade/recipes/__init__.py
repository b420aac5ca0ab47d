"""The recipes by the name of their model."""

from handmade.errors import InputError, suggestion
from handmade.recipes.alexnet import ALEXNET
from handmade.recipes.bert import BERT
from handmade.recipes.char_lm import CHAR_GRU, CHAR_LSTM, CHAR_RNN, NAMES_GRU
from handmade.recipes.googlenet import GOOGLENET
from handmade.recipes.gpt import GPTS
from handmade.recipes.gpt_stages import GPT_STAGE
from handmade.recipes.lenet import LENET5
from handmade.recipes.resnet import RESNETS
from handmade.recipes.seq2seq import SEQ2SEQ, SEQ2SEQ_ATTENTION
from handmade.recipes.speech import SPOKEN_DIGITS, TRIGGER_WORD
from handmade.recipes.transformer import TRANSFORMER
from handmade.recipes.vgg import VGG11
from handmade.tasks.recipe import Recipe

_ALL: tuple[Recipe, ...] = (
    LENET5,
    ALEXNET,
    VGG11,
    GOOGLENET,
    *RESNETS,
    CHAR_RNN,
    CHAR_LSTM,
    CHAR_GRU,
    NAMES_GRU,
    *GPTS,
    GPT_STAGE,
    BERT,
    SEQ2SEQ,
    SEQ2SEQ_ATTENTION,
    TRANSFORMER,
    SPOKEN_DIGITS,
    TRIGGER_WORD,
)
RECIPES: dict[str, Recipe] = {recipe.model: recipe for recipe in _ALL}


def recipe_of(model: str) -> Recipe:
    """The recipe of a model. InputError for an unknown name, with the nearest known one."""
    if model not in RECIPES:
        raise InputError(f"no recipe trains {model!r}{suggestion(model, RECIPES)} There are {', '.join(RECIPES)}.")
    return RECIPES[model]
