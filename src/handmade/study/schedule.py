"""When a card comes back: FSRS (py-fsrs) replayed from the journal, and the queue of a day.

FSRS keeps two numbers for each card: its stability, the days until the probability of recalling it has fallen to 90 %,
and its difficulty. The card is due when that day comes, and each review updates both numbers by its rating.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import ceil

from fsrs import Card as Memory
from fsrs import Rating, Scheduler, State

from handmade.study.journal import Event, end_of_day, study_day

NEW_A_DAY = 18  # 245 cards in 14 days
NEW_MISTAKES_A_DAY = 4
MENDED = 21  # days of stability above which a mistake is no longer asked, unless it is made again
AHEAD = timedelta(minutes=20)  # cards in their first steps are asked this early, within the session
RETENTION = 0.9  # a card is due when its probability of recall falls to this
KNOWN_FROM = 0.8  # the probability of recall from which a card counts as known

_SCHEDULER = Scheduler(desired_retention=RETENTION, enable_fuzzing=False)


@dataclass(frozen=True)
class Slot:
    """A card as the queue sees it.

    opens: the first day on which it may be asked. again: when its mistake was made again, so that the
    card counts as new from the day after. sibling: a card that asks the same, never on the same day.
    kind: "concept", "drill", "mistake" or "exercise".
    """

    id: str
    kind: str
    opens: date
    sibling: str | None = None
    again: datetime | None = None


@dataclass
class Schedule:
    """What is remembered of each card. interview: no card comes back after that day."""

    interview: date | None = None
    memories: dict[str, Memory] = field(default_factory=dict)
    elsewhere: dict[str, date] = field(default_factory=dict)  # reviewed in the vault, due there on that day
    _reviews: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))

    def review(self, event: Event) -> None:
        """Add a review; one older than the card's last (the clock was set back) is inserted in order of time."""
        id = event["card"]
        reviews = self._reviews[id]
        if reviews and event.at < reviews[-1].at:
            self._relearn(id, sorted([*reviews, event], key=lambda review: review.at))
            return
        reviews.append(event)
        memory = self.memories.get(id) or Memory(card_id=_number(id), due=event.at)
        self.memories[id] = _SCHEDULER.review_card(memory, Rating(event["rating"]), event.at)[0]

    def undo(self, event: Event) -> None:
        """Forget a review."""
        self._relearn(event["card"], [review for review in self._reviews[event["card"]] if review != event])

    def reviews(self, id: str) -> Sequence[Event]:
        return self._reviews.get(id, ())

    def due(self, id: str) -> datetime:
        """When a reviewed card is due again."""
        return self._capped(self.memories[id])

    def next_dates(self, id: str, at: datetime) -> dict[int, datetime]:
        """When the card would come back after each of the four ratings."""
        memory = self.memories.get(id) or Memory(card_id=_number(id), due=at)
        return {int(rating): self._capped(_SCHEDULER.review_card(memory, rating, at)[0]) for rating in Rating}

    def retrievability(self, id: str, at: datetime) -> float:
        """The probability that the card is recalled at that time; 0 for one that was never reviewed."""
        memory = self.memories.get(id)
        return 0.0 if memory is None else _SCHEDULER.get_card_retrievability(memory, at)

    def stability(self, id: str) -> float:
        """The days until the probability of recalling it has fallen to 90 %."""
        memory = self.memories.get(id)
        return (memory and memory.stability) or 0.0

    def knows(self, id: str, at: datetime) -> bool:
        """Whether a card is past its first steps, and likely to be recalled at that time."""
        memory = self.memories.get(id)
        return memory is not None and memory.state == State.Review and self.retrievability(id, at) >= KNOWN_FROM

    def is_learning(self, id: str) -> bool:
        return self.memories[id].state != State.Review

    def reviewed_on(self, day: date) -> set[str]:
        """The cards that were reviewed on a day of study."""
        begins, ends = end_of_day(day - timedelta(days=1)), end_of_day(day)
        return {id for id, reviews in self._reviews.items() if any(begins <= event.at < ends for event in reviews)}

    def begun_on(self, day: date) -> set[str]:
        """The cards that were reviewed for the first time on a day of study."""
        begins, ends = end_of_day(day - timedelta(days=1)), end_of_day(day)
        return {id for id, reviews in self._reviews.items() if reviews and begins <= reviews[0].at < ends}

    def _relearn(self, id: str, reviews: Sequence[Event]) -> None:
        self._reviews.pop(id, None)
        self.memories.pop(id, None)
        for review in reviews:
            self.review(review)

    def _capped(self, memory: Memory) -> datetime:
        if self.interview is None or memory.last_review is None or memory.state != State.Review:
            return memory.due
        days = (self.interview - study_day(memory.last_review)).days
        return min(memory.due, memory.last_review + timedelta(days=days)) if days > 0 else memory.due


def replay(events: Iterable[Event], interview: date | None = None) -> Schedule:
    """The schedule after these events, which are in order of time."""
    schedule = Schedule(interview)
    for event in events:
        if event.what == "review":
            schedule.review(event)
            schedule.elsewhere.pop(event["card"], None)
        elif event.what == "seen" and event["due"]:
            schedule.elsewhere[event["card"]] = date.fromisoformat(event["due"])
    return schedule


def queue(schedule: Schedule, slots: Sequence[Slot], now: datetime, new: int = NEW_A_DAY) -> list[str]:
    """What to ask now, in order: cards in their first steps, those most likely to be forgotten, then new ones.

    A card and its drill are not asked on the same day, nor are two exercises from memory.
    new: how many cards a day may begin, those of today counted.
    """
    today = study_day(now)
    chosen = _Day(schedule.reviewed_on(today))
    first_today = schedule.begun_on(today)
    begun = [slot for slot in slots if slot.id in first_today]
    reviewed = [slot for slot in slots if slot.id in schedule.memories]
    steps = [slot for slot in reviewed if schedule.is_learning(slot.id) and schedule.due(slot.id) <= now + AHEAD]
    for slot in sorted(steps, key=lambda slot: schedule.due(slot.id)):
        if slot.kind == "exercise":
            chosen.take(slot)  # one written today is not written again today
        else:
            chosen.ids.append(slot.id)  # whatever else was asked today: it is being learned
            chosen.taken.add(slot.id)
    reviews = [slot for slot in reviewed if not schedule.is_learning(slot.id) and _comes_back(schedule, slot, today)]
    for slot in sorted(reviews, key=lambda slot: schedule.retrievability(slot.id, end_of_day(today))):
        chosen.take(slot)
    fresh = [slot for slot in slots if slot.id not in schedule.memories and _opens(schedule, slot, today)]
    mistakes = NEW_MISTAKES_A_DAY - sum(slot.kind == "mistake" for slot in begun)
    left = new - sum(slot.kind != "exercise" for slot in begun)
    for slot in fresh:
        if slot.kind == "exercise":
            chosen.take(slot)
        elif left > 0 and (slot.kind != "mistake" or mistakes > 0) and chosen.take(slot):
            left -= 1
            mistakes -= slot.kind == "mistake"
    return chosen.ids


class _Day:
    """The cards chosen for a day. taken: those and what was reviewed before."""

    def __init__(self, reviewed: set[str]) -> None:
        self.ids: list[str] = []
        self.taken = set(reviewed)
        self.exercise = any(id.startswith("exercise/") for id in reviewed)

    def take(self, slot: Slot) -> bool:
        """Add a card, unless its sibling or another exercise stands in its way."""
        if slot.sibling in self.taken or (slot.kind == "exercise" and self.exercise):
            return False
        self.exercise = self.exercise or slot.kind == "exercise"
        self.ids.append(slot.id)
        self.taken.add(slot.id)
        return True


def new_a_day(unseen: int, today: date, interview: date | None) -> int:
    """How many cards to begin today, so that all have been seen on the day before the interview."""
    if interview is None or interview <= today:
        return NEW_A_DAY
    return max(NEW_A_DAY, min(3 * NEW_A_DAY, ceil(unseen / (interview - today).days)))


def _opens(schedule: Schedule, slot: Slot, today: date) -> bool:
    return slot.opens <= today and not _is_elsewhere(schedule, slot, today)


def _comes_back(schedule: Schedule, slot: Slot, today: date) -> bool:
    if slot.kind == "mistake":
        last = schedule.reviews(slot.id)[-1].at
        if slot.again is not None and slot.again > last:
            return study_day(slot.again) < today
        if schedule.stability(slot.id) > MENDED:
            return False
    return study_day(schedule.due(slot.id)) <= today and not _is_elsewhere(schedule, slot, today)


def _is_elsewhere(schedule: Schedule, slot: Slot, today: date) -> bool:
    """Whether the vault has asked it, and will again on a later day."""
    return slot.id in schedule.elsewhere and schedule.elsewhere[slot.id] > today


def _number(id: str) -> int:
    """FSRS identifies cards by a number: six bytes of a hash, which JavaScript, too, represents exactly."""
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:6])
