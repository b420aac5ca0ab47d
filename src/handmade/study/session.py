"""A review session: which card is asked now, what a rating does, and how it is undone.

The terminal and the pages hold one of these each; what they show differs, what is recorded does not.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from handmade.errors import InputError
from handmade.study.cards import SECTIONS, Card
from handmade.study.deck import card_named, items_of
from handmade.study.drills import Question, question
from handmade.study.journal import Event, Journal
from handmade.study.plan import the_plan
from handmade.study.schedule import AHEAD, Slot, queue
from handmade.study.standing import Standing, standing_of
from handmade.workshop.workspace import Workspace

NUMBERS = 10  # questions of a session of drills


@dataclass(frozen=True)
class Chosen:
    """What to ask. part: a section, such as CNNs; item: one of the plan; numbers: drills only; new: a limit."""

    part: str | None = None
    item: str | None = None
    numbers: bool = False
    new: int | None = None


class Session:
    """The cards to ask, one after another. answered, again: how many ratings, and how many of them were 1."""

    def __init__(self, journal: Journal, workspace: Workspace | None, chosen: Chosen, where: str = "terminal") -> None:
        self.journal, self.where = journal, where
        self.standing = standing_of(journal, workspace, datetime.now(UTC))
        self.schedule = self.standing.schedule
        self._waiting = _chosen(self.standing, chosen)
        self._asked: list[Event] = []
        self._skipped: set[str] = set()

    @property
    def answered(self) -> int:
        return len(self._asked)

    @property
    def again(self) -> int:
        return sum(event["rating"] == 1 for event in self._asked)

    @property
    def left(self) -> int:
        """How many cards are still to be asked, those in their first steps counted once."""
        return len({*self._waiting, *(id for _, id in self._steps())})

    def current(self) -> str | None:
        """The card to ask now: one whose first step is over, then the queue, then one that is to come back soon."""
        steps = self._steps()
        if steps and steps[0][0] <= datetime.now(UTC):
            return steps[0][1]
        if self._waiting:
            return self._waiting[0]
        return steps[0][1] if steps else None

    def question(self, id: str) -> Card | Question:
        """What to ask: the card, or its numbers of this turn."""
        card = card_named(id)
        return question(card, len(self.schedule.reviews(id))) if id.startswith("number/") else card

    def next_dates(self, id: str) -> dict[int, datetime]:
        """When the card would come back after each of the four ratings."""
        return self.schedule.next_dates(id, datetime.now(UTC))

    def rate(self, id: str, rating: int, seconds: float) -> None:
        """Record the rating immediately; the card comes back when it is due."""
        event = self.journal.append("review", card=id, rating=rating, seconds=round(seconds), where=self.where)
        self.schedule.review(event)
        self._asked.append(event)
        self._leave(id)

    def undo(self) -> str | None:
        """Undo the last rating. Returns the card that is asked again, None if there was none."""
        if not self._asked:
            return None
        event = self._asked.pop()
        self.journal.undo(event)
        self.schedule.undo(event)
        self._waiting.insert(0, event["card"])
        return event["card"]

    def skip(self, id: str) -> None:
        """Postpone the card to another day."""
        self._skipped.add(id)
        self._leave(id)

    def note_when_empty(self) -> None:
        """If nothing more is due today, record that: the day counts for the streak."""
        if self.current() is None and self.answered and not self.standing_now().queue():
            self.journal.append("emptied")

    def standing_now(self) -> Standing:
        """Where the learner stands after what was answered."""
        old = self.standing
        return Standing(datetime.now(UTC), self.journal.events(), old.progress, old.plan)

    def _leave(self, id: str) -> None:
        if id in self._waiting:
            self._waiting.remove(id)

    def _steps(self) -> list[tuple[datetime, str]]:
        """The cards answered in this session that are in their first steps and come back soon."""
        soon = datetime.now(UTC) + AHEAD
        ids = {event["card"] for event in self._asked} - self._skipped - set(self._waiting)
        ids = {id for id in ids if not id.startswith("exercise/")}  # once a day is enough
        found = [(self.schedule.due(id), id) for id in ids if self.schedule.is_learning(id)]
        return sorted(step for step in found if step[0] <= soon)


def section_of(id: str) -> str:
    """The section of a card: its own, or for mistakes and exercises that of the plan's part."""
    if not id.startswith(("fault/", "exercise/")):
        return card_named(id).section
    items = items_of(id)
    return _SECTION_OF_PART.get(the_plan().item(items[0]).part, "training") if items else "training"


def section_named(part: str) -> str:
    """A section by its name or a prefix of it, such as CNNs, cnn or rnn. InputError for an unknown one."""
    for key, name in SECTIONS.items():
        if name.lower().startswith(part.lower().rstrip("s")):
            return key
    raise InputError(f"there is no part {part!r} of the cards. There are {', '.join(SECTIONS.values())}.")


_SECTION_OF_PART = {"CNNs": "cnn", "RNNs & LSTMs": "rnn", "Transformers": "transformer"}


def _chosen(standing: Standing, chosen: Chosen) -> list[str]:
    if chosen.numbers:
        return _numbers(standing, chosen)
    return standing.queue(chosen.new, _filtered(standing, chosen))


def _filtered(standing: Standing, chosen: Chosen) -> list[Slot]:
    """The learner's cards of the part and the item. An item that is named is open, whatever its day."""
    slots = standing.slots
    if chosen.part is not None:
        section = section_named(chosen.part)
        slots = [slot for slot in slots if section_of(slot.id) == section]
    if chosen.item is not None:
        item = standing.plan.item(chosen.item).id
        slots = [replace(slot, opens=min(slot.opens, standing.today)) for slot in slots if item in items_of(slot.id)]
    return slots


def _numbers(standing: Standing, chosen: Chosen) -> list[str]:
    """Drills: those due, then new ones, then those that were asked longest ago."""
    drills = [slot for slot in _filtered(standing, chosen) if slot.kind == "drill" and slot.opens <= standing.today]
    due = queue(standing.schedule, [replace(slot, sibling=None) for slot in drills], standing.now, NUMBERS)
    rest = [slot.id for slot in drills if slot.id not in due and slot.id in standing.schedule.memories]
    rest.sort(key=lambda id: standing.schedule.reviews(id)[-1].at)
    return [*due, *rest][:NUMBERS]
