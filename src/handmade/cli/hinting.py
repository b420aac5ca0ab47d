"""What `hint` and `watch` share."""

from handmade.workshop.exercise import Exercise
from handmade.workshop.hints import next_hint
from handmade.workshop.workspace import Workspace


def next_in_words(workspace: Workspace, exercise: Exercise) -> str:
    """The next hint, and how to see more."""
    hints = next_hint(workspace, exercise)
    if hints.from_verdict:
        more = "" if hints.last else f"\n`handmade hint {exercise.name}` says more."
        return f"{exercise.title}, as it was last checked. {hints.shown[0]}{more}"
    count = len(exercise.hints)
    lines = [f"{exercise.title}, hint {number} of {count}: {hint}" for number, hint in enumerate(hints.shown, 1)]
    if hints.last:
        lines.append(f"That was the last hint. `handmade solution {exercise.name} --give-up` shows our code.")
    return "\n".join(lines)
