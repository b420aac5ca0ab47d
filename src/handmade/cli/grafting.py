"""What `handmade train MODEL --with FILE` does before it trains: judge the file, compare, and put the function in."""

from pathlib import Path

import typer

from handmade.cli.screen import say
from handmade.cli.verdicts import show
from handmade.tasks import Recipe, Task
from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging.verdict import Verdict
from handmade.workshop.side_by_side import comparison, side_by_side
from handmade.workshop.transplant import Function, Graft, graft_for, passing_function, transplant

STEPS = 10


def passed(model: str, file: Path) -> tuple[Graft, Function]:
    """The function that the file has for this model, once the judge lets it pass; else its verdict, and exit code 1."""
    graft = graft_for(model)
    found = passing_function(graft, file)
    if isinstance(found, Verdict):
        show(found, exercise_named(graft.exercise), file, None)
        raise typer.Exit(1)
    return graft, found


def put_in(task: Task, recipe: Recipe, graft: Graft, function: Function) -> None:
    """Show a few steps with the built-in and with the learner's function, and leave the latter in the task's model."""
    say(f"Your {function.__name__} passes. From here on it runs in this process, outside the sandbox.")
    say(f"{STEPS} steps of {recipe.model}, beside the built-in:")
    say(comparison(side_by_side(recipe, graft, function, STEPS)))
    places = transplant(task.model, graft, function)
    say(f"From here on {recipe.model} trains with yours, in {places} place{'s' if places > 1 else ''}.")
