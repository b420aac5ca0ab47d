"""Drills of numbers: a card's question with newly drawn values, and whether the answer typed is right."""

import random
import re
from dataclasses import dataclass

from handmade.study.arithmetic import evaluate
from handmade.study.cards import Card


@dataclass(frozen=True)
class Question:
    """A question with its numbers in it. digits: how many decimals are asked for; 0 for a whole number."""

    ask: str
    answer: float
    digits: int
    formula: str
    values: dict[str, float]

    def is_right(self, typed: str) -> bool:
        """Whether this is the number: exactly, or to the digits asked. ValueError where it is no number."""
        value = number_of(typed)
        return round(value, self.digits) == self.answer if self.digits else value == self.answer

    @property
    def shown_answer(self) -> str:
        """The answer with separators between thousands, and how it is computed."""
        values = ", ".join(f"{name} = {value:,}" for name, value in self.values.items())
        answer = f"{int(self.answer) if self.answer == int(self.answer) else self.answer:,}"
        return f"{answer}: {self.formula} with {values}" if values else f"{answer}: {self.formula}"


def question(card: Card, turn: int) -> Question:
    """The card's drill with the values of its turn: the same turn draws the same values. ValueError without a drill."""
    if card.drill is None or card.check is None or card.check.formula is None:
        raise ValueError(f"{card.id} has no drill.")
    draw = random.Random(f"{card.id} {turn}")
    values = dict(card.check.values) | {name: draw.choice(choices) for name, choices in card.drill.vary}
    answer = evaluate(card.check.formula, values)
    rounded = re.fullmatch(r"round\(.*, (\d+)\)", card.check.formula)
    decimals = repr(answer).partition(".")[2].rstrip("0")
    digits = int(rounded[1]) if rounded else len(decimals)
    return Question(card.drill.ask.format(**values), answer, digits, card.check.formula, values)


def number_of(typed: str) -> float:
    """A number as people type it: 73,856, 73 856, 73_856, 0,5, 1e6, 2^10, 64*9*64. ValueError where it is none."""
    text = typed.strip().rstrip("%").replace("^", "**")
    if re.search(r"\d,\d{3}(?!\d)", text):
        text = re.sub(r",(?=\d{3}(?!\d))", "", text)
    text = re.sub(r"(?<=\d)[ _](?=\d)", "", text).replace(",", ".")
    return evaluate(text)
