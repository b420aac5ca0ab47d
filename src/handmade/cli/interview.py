"""handmade interview: an exercise that you have not seen, against the clock, and questions on it."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from handmade.cli.screen import say
from handmade.errors import InputError

if TYPE_CHECKING:
    from random import Random
    from typing import Any

    from handmade.workshop.interviews import Interview


def interview(
    topic: Annotated[str | None, typer.Option(help="The topic, for example attention; by default any.")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Time limit; by default the usual one for the exercise.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="The seed of the random choice; the same seed draws the same exercise, seen or not."),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="The whole interview: code, five concepts and three numbers, on one clock.")
    ] = False,
    report: Annotated[bool, typer.Option("--report", help="Show how all interviews so far went, and exit.")] = False,
) -> None:
    """Solve an exercise you have not seen, against the clock and without hints; then read a post-mortem.

    After code that is handed in before the clock ends, three questions on it follow: answer them aloud, then compare.
    --whole asks five concepts and three numbers, all on one clock, and rates the interview from 1 to 4: correct, speed,
    knows why, numbers.

    The exit code is 0 if your code passed, 1 if not.
    """
    import random

    from handmade.cli import handing_in
    from handmade.cli.checking import here_or_started
    from handmade.cli.verdicts import show, shown_from_here
    from handmade.files import write_text
    from handmade.study.reports import MINUTES, rubric, whole_report
    from handmade.workshop.exercises import exercise_named
    from handmade.workshop.interviews import Interview, drawn, known, post_mortem, remember, running
    from handmade.workshop.judging.judge import Judge
    from handmade.workshop.progress import free_path, now
    from handmade.workshop.source import stub
    from handmade.workshop.workspace import made

    if minutes is not None and minutes <= 0:
        raise InputError(f"--minutes is {minutes:g}, expected more than 0.")
    if topic is not None:
        known(topic)
    workspace = here_or_started()
    before = workspace.progress()
    if report:
        _show_trend(before.interviews)
        return
    draw = random.Random(seed)
    exercise = exercise_named(drawn(before, topic, seed))
    allowed = 60 * ((minutes or exercise.minutes) + (MINUTES if whole else 0))
    path = free_path(made(workspace.folder / "interviews"), f"{exercise.name}.{{}}.py")
    write_text(path, stub(exercise))
    shown = shown_from_here(path)
    say(f"{exercise.title}, {allowed / 60:g} minutes. The question is in {shown}; write your answer there.")
    say("The clock is running. You have no hints, and hand in once.")
    begun = time.monotonic()
    with Judge() as judge, running(workspace, exercise.name, allowed):
        used = handing_in.hand_in(exercise, path, allowed, judge.sandbox)
        if used is None:
            raise typer.Exit(1)
        verdict = judge.check(path, exercise)
    show(verdict, exercise, path, None)
    mistakes = [finding.name for finding in verdict.findings]
    held = Interview(exercise.name, now(), round(allowed), round(used), verdict.passed, mistakes, whole)
    if whole:
        _ask_the_rest(held, draw, begun + allowed)
        held.rubric.update(rubric(held, verdict, exercise))
    elif used < allowed:  # the end of the clock ends the interview
        _follow_up(held, draw)
    written = path.with_suffix(".md")
    write_text(written, (whole_report if whole else post_mortem)(held, verdict, exercise, before))
    remember(workspace, held, verdict)
    say(f"\nThe {'report' if whole else 'post-mortem'} is in {shown_from_here(written)}.")
    if whole:
        say("All interviews so far: handmade interview --report")
    else:
        say(f"To practise it without a clock: handmade check {exercise.name}")
    raise typer.Exit(0 if verdict.passed else 1)


def _ask_the_rest(held: "Interview", draw: "Random", ends: float) -> None:
    """Five concepts and three numbers, until the clock runs out; what was answered is put into `held`."""
    from handmade.cli.interviewing import ask_concept, ask_number, time_is_over
    from handmade.study.reports import CONCEPTS, NUMBERS, drills, questions

    for card in questions(held.exercise, CONCEPTS, draw):
        if time_is_over(ends):
            return
        if (rating := ask_concept(card)) is not None:
            held.concepts[card.id] = rating
    for card in drills(held.exercise, NUMBERS, draw):
        if time_is_over(ends):
            return
        if (right := ask_number(card, draw.randrange(1000))) is not None:
            held.numbers[card.id] = right


def _follow_up(held: "Interview", draw: "Random") -> None:
    """Three questions on the exercise."""
    from handmade.cli.interviewing import ask_concept
    from handmade.study.reports import FOLLOW_UPS, questions

    for card in questions(held.exercise, FOLLOW_UPS, draw):
        rating = ask_concept(card)
        if rating is None:
            return
        held.concepts[card.id] = rating


def _show_trend(interviews: "list[dict[str, Any]]") -> None:
    from handmade.study.reports import trend

    if not interviews:
        raise InputError("there was no interview yet: `handmade interview --whole` holds one.")
    say(trend(interviews))
