"""The kinds of learning, a room each: the task, how its data are cut, and how the trained model is used."""

from handmade.tasks.images.classifier import Classifier as Classifier
from handmade.tasks.images.task import ImageClassification as ImageClassification
from handmade.tasks.images.task import ImageRecipe as ImageRecipe
from handmade.tasks.language.task import LanguageModelling as LanguageModelling
from handmade.tasks.language.task import LanguageRecipe as LanguageRecipe
from handmade.tasks.language.writer import LineWriter as LineWriter
from handmade.tasks.language.writer import Writer as Writer
from handmade.tasks.masked.encoder import Encoder as Encoder
from handmade.tasks.masked.filler import Filler as Filler
from handmade.tasks.masked.task import MaskedLanguageModelling as MaskedLanguageModelling
from handmade.tasks.masked.task import MaskedRecipe as MaskedRecipe
from handmade.tasks.recipe import Recipe as Recipe
from handmade.tasks.recipe import changed as changed
from handmade.tasks.speech.listener import Listener as Listener
from handmade.tasks.speech.task import SpeechClassification as SpeechClassification
from handmade.tasks.speech.task import SpeechRecipe as SpeechRecipe
from handmade.tasks.task import Outcome as Outcome
from handmade.tasks.task import Task as Task
from handmade.tasks.translation.task import TranslationRecipe as TranslationRecipe
from handmade.tasks.translation.task import TranslationTask as TranslationTask
from handmade.tasks.translation.translator import Translator as Translator
from handmade.tasks.trigger.listener import TriggerListener as TriggerListener
from handmade.tasks.trigger.task import TriggerDetection as TriggerDetection
from handmade.tasks.trigger.task import TriggerRecipe as TriggerRecipe
from handmade.tasks.use import Use as Use
