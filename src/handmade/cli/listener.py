"""A trained model of speech, from the folder of its run."""

from pathlib import Path

from handmade.train import open_run
from handmade.train.speech import SpeechClassification, SpeechRecipe
from handmade.train.trigger import TriggerDetection, TriggerRecipe


def is_listener(folder: Path) -> bool:
    """Whether the folder holds a run of a model of speech."""
    return Path(folder, "config.json").exists() and isinstance(open_run(folder).recipe, SpeechRecipe | TriggerRecipe)


def open_listener(folder: Path) -> SpeechClassification | TriggerDetection:
    """The task of such a run, its model trained. `describe(path)` says what it hears in a WAV file."""
    run = open_run(folder)
    task = run.recipe.task(run.facts)
    assert isinstance(task, SpeechClassification | TriggerDetection)
    run.load_model(task.model)
    return task
