"""What `hint` and `watch` share."""

from handmade.workshop.exercise import Exercise
from handmade.workshop.progress import Progress
from handmade.workshop.workspace import Workspace


def next_hint(workspace: Workspace, exercise: Exercise) -> str:
    """The next step towards the mend of what the last verdict found; where there is none, the exercise's own hints
    shown so far and one more. What is shown is recorded."""
    steps = workspace.progress().of(exercise.name).steps
    if steps:

        def take(progress: Progress) -> None:
            progress.of(exercise.name).steps = steps[1:]

        workspace.change(take)
        more = "" if len(steps) == 1 else f"\n`handmade hint {exercise.name}` says more."
        return f"{exercise.title}, as it was last checked. {steps[0]}{more}"
    count = len(exercise.hints)

    def change(progress: Progress) -> None:
        entry = progress.of(exercise.name)
        entry.hints = min(entry.hints + 1, count)

    before = workspace.progress().of(exercise.name).hints
    shown = workspace.change(change).of(exercise.name).hints
    lines = [
        f"{exercise.title}, hint {number} of {count}: {exercise.hints[number - 1]}" for number in range(1, shown + 1)
    ]
    if before == count:
        lines.append(f"That was the last hint. `handmade solution {exercise.name} --give-up` shows our code.")
    return "\n".join(lines)
