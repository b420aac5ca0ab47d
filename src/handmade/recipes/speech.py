"""Speech: which digit is said in a clip, and when a digit is said in a stream."""

from handmade.tasks.speech.task import SpeechRecipe
from handmade.tasks.trigger.task import TriggerRecipe

SPOKEN_DIGITS = SpeechRecipe(model="spoken-digits", data="spoken-digits", epochs=5, batch_size=32, learning_rate=4e-3)
TRIGGER_WORD = TriggerRecipe(model="trigger-word", data="spoken-digits", epochs=8, batch_size=16, learning_rate=3e-3)
RECIPES = (SPOKEN_DIGITS, TRIGGER_WORD)
