"""The kinds of learning, a room each: the task, how its data are cut, and how the trained model is used."""

from handmade.tasks.images.task import ImageClassification, ImageRecipe
from handmade.tasks.language.task import LanguageModelling, LanguageRecipe
from handmade.tasks.masked.task import MaskedLanguageModelling, MaskedRecipe
from handmade.tasks.recipe import Recipe, changed
from handmade.tasks.speech.task import SpeechClassification, SpeechRecipe
from handmade.tasks.task import Outcome, Task
from handmade.tasks.translation.task import TranslationRecipe, TranslationTask
from handmade.tasks.trigger.task import TriggerDetection, TriggerRecipe

__all__ = [
    "ImageClassification",
    "ImageRecipe",
    "LanguageModelling",
    "LanguageRecipe",
    "MaskedLanguageModelling",
    "MaskedRecipe",
    "Outcome",
    "Recipe",
    "SpeechClassification",
    "SpeechRecipe",
    "Task",
    "TranslationRecipe",
    "TranslationTask",
    "TriggerDetection",
    "TriggerRecipe",
    "changed",
]
