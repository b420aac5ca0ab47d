"""The plan of study as data (plan.yaml): what to watch, to know and to build, in which order and on which day."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from handmade.errors import InputError, suggestion
from handmade.study.data import read_yaml


@dataclass(frozen=True)
class Item:
    """One line of the plan.

    kind: "watch" is ticked by hand, "know" is known by its cards, "build" by the exercises that pass.
    day, through: the first and the last suggested day, counted from 1.
    after: the items that must be done first.
    exercises: what is built with it. look: explorers that show it. link, run: where to watch it, what to run.
    plans_code: whether it begins with the plan's own code, given to the judge.
    vault: where it is tracked in the notes, a key of Plan.notes.
    """

    id: str
    kind: Literal["watch", "know", "build"]
    title: str
    part: str
    day: int
    through: int
    after: tuple[str, ...] = ()
    exercises: tuple[str, ...] = ()
    look: tuple[str, ...] = ()
    link: str | None = None
    run: str | None = None
    vault: str | None = None
    most_important: bool = False
    plans_code: bool = False


@dataclass(frozen=True)
class Plan:
    """All items in order. days: how long the plan takes. notes: places in the vault by key, as "Note#Heading"."""

    title: str
    days: int
    items: tuple[Item, ...]
    notes: dict[str, str]

    def item(self, id: str) -> Item:
        """The item of this name. InputError for an unknown one."""
        for item in self.items:
            if item.id == id:
                return item
        known = [item.id for item in self.items]
        raise InputError(f"the plan has no item {id!r}{suggestion(id, known)} It has {', '.join(known)}.")

    def item_of(self, exercise: str) -> Item | None:
        """The item with which an exercise is built."""
        return next((item for item in self.items if exercise in item.exercises), None)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.part for item in self.items))

    @property
    def exercises(self) -> tuple[str, ...]:
        """In the order in which the plan builds them."""
        return tuple(name for item in self.items for name in item.exercises)


@cache
def the_plan() -> Plan:
    """The plan that the package carries."""
    facts = read_yaml("plan.yaml")
    items = [_item(entry, part["part"]) for part in facts["parts"] for entry in part["items"]]
    return Plan(facts["plan"], facts["days"], tuple(items), facts["vault"])


def plans_code() -> str:
    """The plan's own self_attention and multi_head_attention, as printed there."""
    return Path(__file__).with_name("plan_code.txt").read_text("utf-8")


def _item(entry: dict, part: str) -> Item:
    lists = {key: tuple(entry.get(key, ())) for key in ("after", "exercises", "look")}
    return Item(**{"part": part, "through": entry["day"], **entry, **lists})
