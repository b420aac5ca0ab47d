"""Solutions that draw their weights inside: judged as they stand, on the weights that they drew."""

from collections.abc import Callable
from dataclasses import replace

from handmade.workshop.cell.cases import Case, Result
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.counterfactuals import RIGHT, Counterfactuals
from handmade.workshop.judging.outcome import Outcome
from handmade.workshop.judging.reading import Solution
from handmade.workshop.judging.trial import Trial
from handmade.workshop.judging.verdict import Check, Followed, Verdict

NAME = "draws its weights inside"


def as_it_stands(
    solution: Solution, exercise: Exercise, cases: list[Case], run: Callable[[list[Case]], Outcome]
) -> Verdict | None:
    """The verdict on a solution that lacks the last argument and draws it; None where it is not one, or not right.

    run: runs the solution on cases without the last argument, under the driver that keeps what is drawn.
    """
    if exercise.with_drawn is None or [finding.name for finding in solution.findings] != ["wrong signature"]:
        return None
    if "random" not in solution.source:
        return None
    outcome = run([replace(case, args=case.args[:-1]) for case in cases])
    if outcome.ending != "finished":
        return None
    complete, results = [], []
    for case, result in zip(cases, outcome.results, strict=True):
        drawn = (result.outputs or {}).get("drawn")
        whole = exercise.with_drawn(case, drawn) if isinstance(drawn, list) else None
        if whole is None or result.outputs is None:
            return None
        complete.append(whole)
        results.append(Result({name: result.outputs[name] for name in exercise.outputs}))
    if not Trial.of(Counterfactuals(exercise, complete), results).is_explained_by(RIGHT):
        return None
    tests = [Check(case.label, "passed") for case in cases]
    return Verdict(exercise.name, passed=True, conventions=[Followed(NAME, exercise.drawing)], tests=tests)
