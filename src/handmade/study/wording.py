"""Items, cards and dates in the words of the screen; the terminal, the pages and reports share them."""

from datetime import date, datetime
from importlib.util import find_spec

from handmade.study.cards import Card, full_source
from handmade.study.journal import study_day
from handmade.study.plan import the_plan
from handmade.study.standing import Standing, Status


def day_in_words(day: date, today: date) -> str:
    """today, tomorrow, or the date with its weekday."""
    return {0: "today", 1: "tomorrow"}.get((day - today).days, f"{day:%a} {day.day} {day:%b}")


def until_in_words(due: datetime, now: datetime) -> str:
    """How long it is until a card comes back: 10 min, 2 days."""
    days = (study_day(due) - study_day(now)).days
    return counted(days, "day") if days > 0 else f"{max(1, round((due - now).total_seconds() / 60))} min"


def counted(number: int, noun: str) -> str:
    """1 card, 2 cards."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def proofs(card: Card) -> list[str]:
    """Where a card's answer can be seen, as commands."""
    commands = []
    for kind, name in card.proves:
        if kind == "exercise":
            commands.append(f"handmade explain {name}")
        elif kind == "explorer":
            commands += look_at(name)
        else:
            commands.append(name)
    return commands


def look_at(explorer: str) -> list[str]:
    """The command that opens an explorer; none where the pages are not installed."""
    return [f"handmade look {explorer}"] if find_spec("handmade.web") else []


def source_line(card: Card) -> str:
    return f"Source: {full_source(card)}."


def status_in_words(status: Status) -> str:
    """watched, 7 of 11 cards known, 3 of 4 exercises passed."""
    item, parts = status.item, []
    if item.kind == "watch":
        parts.append("watched" if status.watched else "not watched")
    if status.cards:
        parts.append(f"knows {status.known} of {counted(status.cards, 'card')}")
    if item.exercises:
        parts.append(f"{status.passed} of {counted(len(item.exercises), 'exercise')}")
    if item.id == "interviews":
        parts.append(counted(status.interviews, "whole interview"))
    return ", ".join(parts)


def today_in_lines(standing: Standing) -> list[str]:
    """The day in a few lines: cards, what to watch, what to build, what is behind."""
    lines = [headline(standing)]
    due = standing.queue()
    fresh = sum(id not in standing.schedule.memories for id in due)
    if due:
        lines.append(f"  Review   {counted(len(due), 'card')}, {fresh} of them new: handmade review")
    else:
        lines.append("  Review   nothing more is due today")
    if item := standing.next_watch:
        link = item.link or "on Coursera"
        lines.append(f"  Watch    {item.title}: {link}")
        lines.append(f"           then handmade plan done {item.id}")
    if name := standing.next_exercise:
        lines += build_lines(name)
    if standing.next_exercise is None and standing.next_watch is None:
        lines.append("  Rehearse handmade interview --whole")
    if behind := standing.behind:
        more = f" and {len(behind) - 3} more" if len(behind) > 3 else ""
        lines.append(f"  Behind   {', '.join(status.item.id for status in behind[:3])}{more}: handmade plan --all")
    return lines


def build_lines(name: str) -> list[str]:
    """The exercise to build; before it, where the plan has code of its own, that code under the judge."""
    item = the_plan().item_of(name)
    lines = [f"  Build    {name}: handmade check {name}"]
    if item is not None and item.plans_code and item.id == name:
        lines.insert(0, f"  Read     the plan's own code, checked: what is missing? handmade check {name} --plans-code")
    return lines


def headline(standing: Standing) -> str:
    """The day, the interview, the streak."""
    day = (standing.today - standing.first_day).days + 1
    parts = [f"Day {day} of {standing.plan.days}" if 1 <= day <= standing.plan.days else f"{standing.today:%A}"]
    if standing.interview is not None:
        days = (standing.interview - standing.today).days
        near = {1: "tomorrow", 0: "today"}.get(days, "over")
        parts.append(f"the interview is {near if days < 2 else f'in {days} days'}")
    if standing.streak > 1:
        parts.append(f"{standing.streak} days in a row")
    return ", ".join(parts) + "."
