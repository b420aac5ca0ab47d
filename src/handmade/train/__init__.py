"""Training: recipes, the loop, checkpoints, the run folder and its pictures."""

from handmade.train.display import display_of
from handmade.train.image_classification import ImageClassification, ImageRecipe
from handmade.train.language_modelling import LanguageModelling, LanguageRecipe
from handmade.train.loop import Trainer
from handmade.train.masked_language_modelling import MaskedLanguageModelling, MaskedRecipe
from handmade.train.recipe import Recipe, changed
from handmade.train.recipes import RECIPES, recipe_of
from handmade.train.run import Run, new_run, open_run
from handmade.train.task import Outcome, Task
from handmade.train.translation import TranslationRecipe, TranslationTask

__all__ = [
    "RECIPES",
    "ImageClassification",
    "ImageRecipe",
    "LanguageModelling",
    "LanguageRecipe",
    "MaskedLanguageModelling",
    "MaskedRecipe",
    "Outcome",
    "Recipe",
    "Run",
    "Task",
    "Trainer",
    "TranslationRecipe",
    "TranslationTask",
    "changed",
    "display_of",
    "new_run",
    "open_run",
    "recipe_of",
]
