"""Training: the loop, checkpoints and the run folder, for any Task.

Recipes and tasks, which used to be here, can still be imported from here.
"""

from handmade.recipes import RECIPES as RECIPES
from handmade.recipes import recipe_of as recipe_of
from handmade.tasks import ImageClassification as ImageClassification
from handmade.tasks import ImageRecipe as ImageRecipe
from handmade.tasks import LanguageModelling as LanguageModelling
from handmade.tasks import LanguageRecipe as LanguageRecipe
from handmade.tasks import MaskedLanguageModelling as MaskedLanguageModelling
from handmade.tasks import MaskedRecipe as MaskedRecipe
from handmade.tasks import Outcome as Outcome
from handmade.tasks import Recipe as Recipe
from handmade.tasks import Task as Task
from handmade.tasks import TranslationRecipe as TranslationRecipe
from handmade.tasks import TranslationTask as TranslationTask
from handmade.tasks import changed as changed
from handmade.train.display import display_of as display_of
from handmade.train.loop import Trainer as Trainer
from handmade.train.run import Run as Run
from handmade.train.run import new_run as new_run
from handmade.train.run import open_run as open_run
