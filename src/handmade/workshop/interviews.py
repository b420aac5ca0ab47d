"""Interviews: which exercise may be asked, and the post-mortem afterwards."""

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from handmade.errors import InputError, suggestion
from handmade.files import write_text
from handmade.reading import read_json, require
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import NAMES, TOPICS, names_of, topic_of
from handmade.workshop.judging.verdict import Verdict
from handmade.workshop.progress import Progress
from handmade.workshop.workspace import Workspace


@dataclass(frozen=True)
class Interview:
    """One that was held. allowed, used: seconds. mistakes: what the judge found.

    whole: whether concepts and numbers were asked, too. concepts: cards with the rating one gave oneself, 1 to 4;
    numbers: drills, and whether they were right; rubric: 1 to 4 for each row.
    """

    exercise: str
    date: str
    allowed: int
    used: int
    passed: bool
    mistakes: list[str] = field(default_factory=list)
    whole: bool = False
    concepts: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, bool] = field(default_factory=dict)
    rubric: dict[str, int] = field(default_factory=dict)


def drawn(progress: Progress, topic: str | None, seed: int | None) -> str:
    """The exercise of an interview, of one topic or any: one not started yet. With a seed it is always the same one."""
    if seed is None:
        return random.choice(unseen(progress, topic))
    return random.Random(seed).choice(names_of(None if topic is None else known(topic)))


def known(topic: str) -> str:
    """The topic. InputError where there is none of this name."""
    if topic not in TOPICS:
        raise InputError(f"there is no topic {topic!r}{suggestion(topic, TOPICS)} There are {', '.join(TOPICS)}.")
    return topic


def unseen(progress: Progress, topic: str | None) -> list[str]:
    """The exercises, of one topic or any, that were not started yet. InputError if there is none."""
    if topic is not None:
        known(topic)
    asked = {held.get("exercise") for held in progress.interviews}
    left = []
    for name in names_of(topic):
        entry = progress.of(name)
        if name not in asked and not (entry.attempts or entry.hints or entry.gave_up):
            left.append(name)
    if not left:
        which = f" on {topic}" if topic else ""
        raise InputError(f"there is no exercise{which} left that you have not seen. `handmade drill` asks about those.")
    return left


RUNNING = "running.json"
"""The file in interviews/ that says which interview is held now, and until when."""


@contextmanager
def running(workspace: Workspace, exercise: str, seconds: float) -> Iterator[None]:
    """While an interview is held: nothing gives its answer away (see `refuse_while_running`)."""
    mark = workspace.folder / "interviews" / RUNNING
    write_text(mark, json.dumps({"exercise": exercise, "ends": time.time() + seconds}))
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def refuse_while_running(workspace: Workspace, exercise: str, what: str) -> None:
    """InputError where an interview on this exercise is held now. what: what is asked for, as "the solution"."""
    mark = workspace.folder / "interviews" / RUNNING
    try:
        held = read_json(mark)
        require(held, {"exercise": str, "ends": float}, str(mark))
    except InputError:  # there is none, or it is damaged
        return
    left = held["ends"] - time.time()
    if held["exercise"] == exercise and left > 0:
        raise InputError(
            f"an interview on {exercise} is running, for {left / 60:.0f} more minutes: {what} is for afterwards. "
            f"(If it was killed, remove {workspace.shown(mark)}.)"
        )


def remember(workspace: Workspace, held: Interview, verdict: Verdict) -> None:
    """Add it to the workspace's record, where it counts as an attempt."""

    def change(progress: Progress) -> None:
        progress.interviews.append(asdict(held))
        progress.add(verdict)

    workspace.change(change)


def post_mortem(held: Interview, verdict: Verdict, exercise: Exercise, before: Progress) -> str:
    """What went well, what did not, and what to practise. Markdown."""
    practise = ["## What to practise", "", *advice(held, verdict, exercise, before)]
    return "\n".join([*account(held, verdict, exercise, before), *practise]) + "\n"


def cases_right(verdict: Verdict, exercise: Exercise) -> tuple[int, int]:
    """How many of the exercise's cases passed, and how many there are."""
    labels = {case.label for case in exercise.all_cases()}
    return sum(test.status == "passed" for test in verdict.tests if test.name in labels), len(labels)


def account(held: Interview, verdict: Verdict, exercise: Exercise, before: Progress) -> list[str]:
    """What came of the code: the result, the time, and each mistake with its evidence. Lines of Markdown."""
    right, cases = cases_right(verdict, exercise)
    lines = [
        f"# Interview: {exercise.title}",
        "",
        f"{held.date.replace('T', ', ')}. {exercise.paper}.",
        "",
        f"- Result: {'passed' if held.passed else 'not passed'}; {right} of {cases} cases right.",
        f"- Time: {_clock(held.used)} of {_clock(held.allowed)}.",
        *(f"- Convention: {followed.name}. {followed.message}" for followed in verdict.conventions),
        "",
    ]
    if verdict.findings:
        lines += ["## Mistakes", ""]
    for finding in verdict.findings:
        times = sum(record.mistakes.get(finding.name, 0) for record in before.exercises.values())
        again = f" You made this mistake {times} times before." if times else ""
        lines += [f"**{finding.name}**: {finding.message}{again}", ""]
        if finding.evidence:
            lines += ["```", finding.evidence, "```", ""]
    return lines


def advice(held: Interview, verdict: Verdict, exercise: Exercise, before: Progress) -> list[str]:
    """What to practise after it, most important first."""
    found = []
    if not held.passed:
        found.append(
            f"- {exercise.title} again, without a clock: `handmade check {exercise.name}`, with hints if needed."
        )
        found += [
            f"- {finding.name}: {exercise.faults[finding.name].mend}"
            for finding in verdict.findings
            if finding.name in exercise.faults
        ]
    found.append(f"- Reading code: `handmade drill {exercise.name}` hides one of its {len(exercise.faults)} mistakes.")
    if held.passed and held.used > held.allowed / 2:
        found.append("- Speed: write it once more from memory, in half the time.")
    related = [
        name
        for name in NAMES
        if name != exercise.name and topic_of(name) == exercise.topic and not before.of(name).passed
    ]
    if related:
        found.append(f"- Of the same topic, not passed yet: {', '.join(related[:5])}.")
    return found


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"
