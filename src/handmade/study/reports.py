"""Interviews with concepts and numbers: what is asked, the rubric, the report, and the trend over all of them."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from handmade.study.cards import Card, concept_cards
from handmade.study.wording import proofs
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import NAMES, topic_of
from handmade.workshop.interviews import Interview, account, advice, cases_right
from handmade.workshop.judging.verdict import Verdict
from handmade.workshop.progress import Progress

CONCEPTS, NUMBERS, FOLLOW_UPS = 5, 3, 3
MINUTES = 10  # for concepts and numbers, beside the exercise's own
ROWS = ("correct", "speed", "knows why", "numbers")
_SECTIONS = {
    "basics": ("training",),
    "optimisation": ("training",),
    "convolution": ("cnn",),
    "recurrence": ("rnn",),
    "attention": ("transformer",),
    "transformers": ("transformer",),
    "text": ("rnn", "transformer"),
}


def questions(exercise: str, number: int, draw: random.Random) -> list[Card]:
    """Concept cards to ask after an exercise: those that it proves first, then others of its topic."""
    sections = _SECTIONS[topic_of(exercise)]
    cards = list(concept_cards().values())
    draw.shuffle(cards)
    own = [card for card in cards if exercise in card.exercises]
    return [*own, *(card for card in cards if card.section in sections and card not in own)][:number]


def drills(exercise: str, number: int, draw: random.Random) -> list[Card]:
    """Cards with a drill, of the exercise's topic first."""
    sections = _SECTIONS[topic_of(exercise)]
    cards = [card for card in concept_cards().values() if card.drill]
    draw.shuffle(cards)
    return sorted(cards, key=lambda card: card.section not in sections)[:number]


def rubric(held: Interview, verdict: Verdict, exercise: Exercise) -> dict[str, int]:
    """1 to 4 for each row: 4 is what one hopes to show, 1 is what would end an interview."""
    right, cases = cases_right(verdict, exercise)
    share, time = right / cases, held.used / held.allowed
    correct = 4 if held.passed else 3 if share >= 0.75 else 2 if share >= 0.4 else 1
    speed = 4 if time <= 0.5 else 3 if time <= 0.8 else 2 if time < 1 else 1
    rows = {"correct": correct, "speed": speed if held.passed else min(speed, 2)}
    if held.concepts:
        rows["knows why"] = round(mean(held.concepts.values()))
    if held.numbers:
        rows["numbers"] = 1 + round(3 * mean(held.numbers.values()))
    return rows


def whole_report(held: Interview, verdict: Verdict, exercise: Exercise, before: Progress) -> str:
    """Everything that was asked, how it went, where it can be seen, and three things to practise. Markdown."""
    lines = account(held, verdict, exercise, before)
    lines += ["## Rubric", "", "| | 1 to 4 |", "|---|---|"]
    lines += [f"| {row} | {value} |" for row, value in held.rubric.items()]
    lines += ["", "## Concepts", ""]
    for id, rating in held.concepts.items():
        card = concept_cards()[id]
        lines += [f"- {card.ask} ({rating} of 4)", f"    {card.answer}", *_where(card)]
    lines += ["", "## Numbers", ""]
    for id, right in held.numbers.items():
        card = concept_cards()[id]
        lines += [f"- {card.ask} {'Right.' if right else 'Not right.'}", *_where(card)]
    practise = [*_weak_cards(held), *advice(held, verdict, exercise, before)]
    first = [line for line in practise if "`" in line][:3]
    return "\n".join([*lines, "", "## What to practise", "", *first]) + "\n"


def trend(interviews: Sequence[Mapping[str, Any]]) -> str:
    """All interviews so far, one line each; the trend of each row, the weakest topic, the mistakes that return."""
    lines = []
    for held in interviews:
        rows = held.get("rubric") or {}
        marks = "  ".join(f"{row} {rows[row]}" for row in ROWS if row in rows)
        result = "passed" if held.get("passed") else "not passed"
        lines.append(f"{str(held.get('date', ''))[:10]}  {held.get('exercise')}: {result}  {marks}".rstrip())
    lines.append("")
    for row in ROWS:
        values = [held["rubric"][row] for held in interviews if row in (held.get("rubric") or {})]
        if len(values) > 1:
            lines.append(f"{row}: {' '.join(map(str, values))} ({_direction(values)})")
    topics: dict[str, list[bool]] = defaultdict(list)
    for held in interviews:
        if held.get("exercise") in NAMES:
            topics[topic_of(held["exercise"])].append(bool(held.get("passed")))
    if topics:
        weakest = min(topics, key=lambda topic: (mean(topics[topic]), topic))
        passed = sum(topics[weakest])
        lines.append(
            f"Weakest topic: {weakest}, {passed} of {len(topics[weakest])} passed. "
            f"Next: handmade interview --whole --topic {weakest}"
        )
    returning = Counter(name for held in interviews for name in set(held.get("mistakes") or ()))
    again = [f"{name} ({times} times)" for name, times in returning.most_common() if times > 1]
    if again:
        lines.append(f"Mistakes that return: {', '.join(again)}.")
    return "\n".join(lines)


def _where(card: Card) -> list[str]:
    seen = proofs(card)
    return [f"    See: {', '.join(f'`{command}`' for command in seen)}"] if seen else []


def _weak_cards(held: Interview) -> list[str]:
    """Where concepts or numbers were weak, the item whose cards to review."""
    weak = [id for id, rating in held.concepts.items() if rating <= 2]
    lines = []
    if weak:
        item = Counter(item for id in weak for item in concept_cards()[id].items).most_common(1)[0][0]
        lines.append(f"- Concepts: `handmade review --item {item}`.")
    if held.numbers and not all(held.numbers.values()):
        lines.append("- Numbers: `handmade review --numbers`.")
    return lines


def _direction(values: Sequence[int]) -> str:
    half = len(values) // 2
    change = mean(values[-half:]) - mean(values[:half])
    return "better" if change > 0 else "worse" if change < 0 else "the same"
