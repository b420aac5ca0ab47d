"""A trained BERT that fills in masks, for `handmade predict`."""

from collections.abc import Iterator
from pathlib import Path

from handmade.text.wordpiece import MASK
from handmade.train import MaskedLanguageModelling, MaskedRecipe, open_run


def is_filler(folder: Path) -> bool:
    """Whether the folder holds a run of a model that fills in masks."""
    return Path(folder, "config.json").exists() and isinstance(open_run(folder).recipe, MaskedRecipe)


def open_filler(folder: Path) -> MaskedLanguageModelling:
    """The task of such a run, its model trained."""
    run = open_run(folder)
    task = run.recipe.task(run.facts)
    assert isinstance(task, MaskedLanguageModelling)
    run.load_model(task.model)
    return task


def filled(task: MaskedLanguageModelling, text: str) -> Iterator[str]:
    """The text with its masks filled in, then a line for each mask: the likeliest tokens and their probabilities.

    Raises InputError where nothing is masked, or the text is longer than the model can see.
    """
    guesses = task.fill(text)
    parts = text.split(MASK)
    whole = "".join(part.removesuffix(" ") + best[0][0] for part, best in zip(parts, guesses, strict=False)) + parts[-1]
    yield whole.replace("\n", "¶")
    for number, best in enumerate(guesses, 1):
        likely = ", ".join(f"{token.strip() or repr(token)} {100 * probability:.1f} %" for token, probability in best)
        yield f"  mask {number}: {likely}"
