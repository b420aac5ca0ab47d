"""Training: the loop, checkpoints, the run folder; they know a Task and nothing of its kind.

Recipes and tasks, which had their place here, are found here too.
"""

from handmade.recipes import RECIPES, recipe_of
from handmade.tasks import (
    ImageClassification,
    ImageRecipe,
    LanguageModelling,
    LanguageRecipe,
    MaskedLanguageModelling,
    MaskedRecipe,
    Outcome,
    Recipe,
    Task,
    TranslationRecipe,
    TranslationTask,
    changed,
)
from handmade.train.display import display_of
from handmade.train.loop import Trainer
from handmade.train.run import Run, new_run, open_run

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
