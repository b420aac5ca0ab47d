"""The next hint: steps towards the mend of what the last verdict found, then the exercise's own three."""

from dataclasses import dataclass

from handmade.workshop.exercise import Exercise
from handmade.workshop.workspace import Workspace


@dataclass(frozen=True)
class Hints:
    """What is shown: one step from the last verdict, or the exercise's own hints up to the newest.

    from_verdict: whether it is a step. last: whether nothing more of its kind follows, and for the exercise's own,
    whether the last had been shown before.
    """

    shown: list[str]
    from_verdict: bool
    last: bool


def next_hint(workspace: Workspace, exercise: Exercise) -> Hints:
    """The next step from the last verdict; where there is none, the exercise's own hints shown so far and one more.

    What is shown is recorded.
    """
    before = workspace.progress().of(exercise.name)
    if before.steps:
        workspace.change(lambda progress: progress.take_step(exercise.name))
        return Hints(before.steps[:1], True, len(before.steps) == 1)
    count = len(exercise.hints)
    shown = workspace.change(lambda progress: progress.take_hint(exercise.name, count)).of(exercise.name).hints
    return Hints(list(exercise.hints[:shown]), False, before.hints == count)
