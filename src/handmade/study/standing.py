"""Where a learner stands: what is watched, known and built of each item, what comes next, and what is behind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from handmade.errors import InputError
from handmade.study.cards import concept_cards
from handmade.study.deck import items_of, slots
from handmade.study.journal import DAY_BEGINS, Event, Journal, journal_around, study_day
from handmade.study.plan import Item, Plan, the_plan
from handmade.study.schedule import Schedule, Slot, new_a_day, queue, replay
from handmade.workshop.progress import Progress
from handmade.workshop.workspace import Workspace

KNOWN_SHARE = 0.8  # of an item's cards: from there on the item is known
INTERVIEWS = 2  # whole ones, which the plan ends with


@dataclass(frozen=True)
class Status:
    """How far an item is. first, last: its days. known of `cards`, passed of the item's exercises."""

    item: Item
    first: date
    last: date
    watched: bool
    cards: int
    known: int
    passed: int
    interviews: int

    @property
    def done(self) -> bool:
        """Whether the items after it may begin: it is watched, known or built, depending on its kind."""
        if self.item.id == "interviews":
            return self.interviews >= INTERVIEWS
        match self.item.kind:
            case "watch":
                return self.watched
            case "know":
                return self.known >= KNOWN_SHARE * self.cards
            case "build":
                return self.passed == len(self.item.exercises)

    @property
    def complete(self) -> bool:
        """Done, and all its exercises passed."""
        return self.done and self.passed == len(self.item.exercises)


@dataclass(frozen=True)
class Standing:
    """All that is known of a learner at one moment."""

    now: datetime
    events: Sequence[Event]
    progress: Progress
    plan: Plan

    @property
    def today(self) -> date:
        return study_day(self.now)

    @cached_property
    def start(self) -> Event | None:
        """The latest word about the first day and the interview."""
        return next((event for event in reversed(self.events) if event.what == "start"), None)

    @cached_property
    def first_day(self) -> date:
        """The plan's first day: as it was set, or that of the first event, or today."""
        if self.start is not None and self.start["day"]:
            return date.fromisoformat(self.start["day"])
        return study_day(self.events[0].at) if self.events else self.today

    @cached_property
    def interview(self) -> date | None:
        return date.fromisoformat(self.start["interview"]) if self.start and self.start["interview"] else None

    @cached_property
    def schedule(self) -> Schedule:
        return replay(self.events, self.interview)

    @cached_property
    def watched(self) -> dict[str, Event]:
        """The items that were ticked, each with the event that says so."""
        return {event["item"]: event for event in self.events if event.what == "watched"}

    @cached_property
    def statuses(self) -> dict[str, Status]:
        """By item, in the plan's order."""
        return {item.id: self._status(item) for item in self.plan.items}

    @cached_property
    def slots(self) -> list[Slot]:
        """The learner's cards in the order in which they are begun."""
        begun = {item for id in self.schedule.memories for item in _items(id)} | set(self.watched)
        begun |= {item.id for item in self.plan.items if any(self._tried(name) for name in item.exercises)}
        return slots(lambda id: date.min if id in begun else self.statuses[id].first, self.progress)

    def queue(self, new: int | None = None, slots: Sequence[Slot] | None = None) -> list[str]:
        """The cards to ask now, of all or of these.

        new: how many may begin today; by default so many that all are seen in time.
        """
        if new is None:
            unseen = sum(slot.id not in self.schedule.memories for slot in self.slots)
            new = new_a_day(unseen + len(self.schedule.begun_on(self.today)), self.today, self.interview)
        return queue(self.schedule, self.slots if slots is None else slots, self.now, new)

    def due_within(self, time: timedelta) -> int:
        """How many of the cards seen before come back within this time."""
        seen = [slot.id for slot in self.slots if slot.id in self.schedule.memories]
        return sum(self.schedule.due(id) <= self.now + time for id in seen)

    @property
    def next_watch(self) -> Item | None:
        """The earliest item to watch whose predecessors are done."""
        waiting = [item for item in self.plan.items if item.kind == "watch" and item.id not in self.watched]
        return next(filter(self._is_open, waiting), waiting[0] if waiting else None)

    @property
    def next_exercise(self) -> str | None:
        """The first exercise that is not passed, of the earliest item whose predecessors are done."""
        waiting = [item for item in self.plan.items if self.statuses[item.id].passed < len(item.exercises)]
        if not waiting:
            return None
        item = next(filter(self._is_open, waiting), waiting[0])
        return next(name for name in item.exercises if not self.progress.of(name).passed)

    @property
    def behind(self) -> list[Status]:
        """The items that are not complete although their last day is over."""
        return [status for status in self.statuses.values() if status.last < self.today and not status.complete]

    @property
    def streak(self) -> int:
        """Days in a row, up to today or yesterday, on which a check passed or the queue was emptied."""
        days = {study_day(event.at) for event in self.events if event.what == "emptied"}
        passed = [record.passed for record in self.progress.exercises.values() if record.passed]
        days |= {(datetime.fromisoformat(when) - DAY_BEGINS).date() for when in passed}
        day = self.today if self.today in days else self.today - timedelta(days=1)
        length = 0
        while day - timedelta(days=length) in days:
            length += 1
        return length

    def date_of(self, day: int) -> date:
        """When the plan's day `day` is: one after another, closer together where the interview comes sooner."""
        until = self.plan.days if self.interview is None else max(0, (self.interview - self.first_day).days)
        offset = day - 1 if until >= self.plan.days else (day - 1) * until // self.plan.days
        return self.first_day + timedelta(days=offset)

    def _status(self, item: Item) -> Status:
        cards = [card.id for card in concept_cards().values() if item.id in card.items]
        return Status(
            item=item,
            first=self.date_of(item.day),
            last=self.date_of(item.through),
            watched=item.id in self.watched,
            cards=len(cards),
            known=sum(self.schedule.knows(id, self.now) for id in cards),
            passed=sum(self.progress.of(name).passed is not None for name in item.exercises),
            interviews=sum(bool(held.get("whole")) for held in self.progress.interviews),
        )

    def _is_open(self, item: Item) -> bool:
        return all(self.statuses[before].done for before in item.after)

    def _tried(self, exercise: str) -> bool:
        record = self.progress.exercises.get(exercise)
        return record is not None and bool(record.attempts or record.passed)


def standing_of(journal: Journal, workspace: Workspace | None, now: datetime) -> Standing:
    """Where the learner of this journal and workspace stands now."""
    progress = workspace.progress() if workspace else Progress()
    return Standing(now, journal.events(), progress, the_plan())


def standing_here(
    folder: Path, now: datetime, said: Callable[[str], None] = print
) -> tuple[Standing, Journal, Workspace | None]:
    """Where the learner stands whose workspace is around this folder, with what it was read from."""
    journal, workspace = journal_around(folder, said)
    return standing_of(journal, workspace, now), journal, workspace


def remember_dates(standing: Standing, journal: Journal, start: date | None, interview: date | None) -> None:
    """Record the plan's first day and the interview's; what is None stays as it was.

    Raises InputError for an interview before the first day.
    """
    first, last = start or standing.first_day, interview or standing.interview
    if last is not None and last < first:
        raise InputError(f"the interview on {last} would be before the plan's first day, {first}.")
    journal.append("start", day=first.isoformat(), interview=last.isoformat() if last else None)


def tick(standing: Standing, journal: Journal, id: str) -> bool:
    """Record that an item was watched; False where that was recorded before.

    Raises InputError for an item that is not ticked by hand, and for an unknown one.
    """
    item = standing.plan.item(id)
    if item.kind == "know":
        raise InputError(f"{id} is known by its cards, not ticked: `handmade review --item {id}` asks them.")
    if item.kind == "build":
        raise InputError(f"{id} is built, not ticked: what passes `handmade check` counts.")
    if id in standing.watched:
        return False
    journal.append("watched", item=id)
    return True


def untick(standing: Standing, journal: Journal, id: str) -> None:
    """Let every record that an item was watched count no more. InputError where there is none, or no such item."""
    item = standing.plan.item(id)
    ticks = [event for event in standing.events if event.what == "watched" and event["item"] == item.id]
    if not ticks:
        raise InputError(f"{id} is not ticked.")
    for event in ticks:
        journal.undo(event)


def _items(id: str) -> tuple[str, ...]:
    """A card of an older or newer version belongs to nothing."""
    kind, _, rest = id.partition("/")
    name = rest if kind == "number" else id
    return items_of(id) if kind in ("fault", "exercise") or name in concept_cards() else ()
