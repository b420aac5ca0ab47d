"""Concept cards (cards.yaml): a question, its answer, where it comes from and where it can be seen."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from handmade.study.data import read_yaml

SECTIONS = {"cnn": "CNNs", "rnn": "RNNs", "transformer": "Transformers", "training": "Training"}


@dataclass(frozen=True)
class Check:
    """A number of a card's answer. formula over values gives `equals`.

    code: an expression that gives the same number (or `code_equals`) from handmade's own networks; tests evaluate it.
    """

    equals: float
    formula: str | None = None
    values: tuple[tuple[str, float], ...] = ()
    code: str | None = None
    code_equals: float | None = None


@dataclass(frozen=True)
class Drill:
    """A card's question with newly drawn values. ask: with {names} in it. vary: the values that each name may have."""

    ask: str
    vary: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True)
class Card:
    """One card.

    section: one of SECTIONS. items: those of the plan to which it belongs.
    source: papers and places in them, short; `sources` has the papers' full names.
    proves: where the answer can be seen, as (kind, name): an exercise, an explorer or a command.
    """

    id: str
    section: str
    items: tuple[str, ...]
    ask: str
    answer: str
    source: str
    proves: tuple[tuple[str, str], ...] = ()
    check: Check | None = None
    drill: Drill | None = None

    @property
    def exercises(self) -> tuple[str, ...]:
        """The exercises in which what the card says is used."""
        return tuple(name for kind, name in self.proves if kind == "exercise")


@cache
def concept_cards() -> dict[str, Card]:
    """The cards that the package carries, by id, in their order."""
    return {entry["id"]: _card(entry) for entry in _file()["cards"]}


def cards_with(word: str) -> list[Card]:
    """The cards that have `word` in their question, answer, source, items or id, in small or capital letters."""
    found = []
    for card in concept_cards().values():
        text = " ".join([card.id, card.ask, card.answer, card.source, *card.items])
        if word.lower() in text.lower():
            found.append(card)
    return found


def sources() -> dict[str, str]:
    """Papers, books and videos by the short names that cards use."""
    return _file()["sources"]


def full_source(card: Card) -> str:
    """The card's source with the papers' full names."""
    return "; ".join(_full(part.strip()) for part in card.source.split(";"))


def _full(part: str) -> str:
    key, _, place = part.partition(" ")
    name = sources().get(key, key)
    return f"{name}, {place}" if place else name


@cache
def _file() -> dict[str, Any]:
    return read_yaml("cards.yaml")


def _card(entry: dict[str, Any]) -> Card:
    check, drill = entry.get("check"), entry.get("drill")
    return Card(
        id=entry["id"],
        section=entry["section"],
        items=tuple(entry["plan"]),
        ask=entry["ask"],
        answer=entry["answer"],
        source=entry["source"],
        proves=tuple(pair for seen in entry["proves"] for pair in seen.items()),
        check=Check(**{**check, "values": tuple(check.get("values", {}).items())}) if check else None,
        drill=Drill(drill["ask"], tuple((name, tuple(values)) for name, values in drill["vary"].items()))
        if drill
        else None,
    )
