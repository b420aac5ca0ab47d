"""When cards come back: pinned dates, the interview's limit, replay and steps, and the order of a day's queue."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from fsrs import Card as Memory
from fsrs import Rating, ReviewLog, Scheduler

from handmade.study.journal import Event
from handmade.study.schedule import Schedule, Slot, new_a_day, queue, replay
from tests.support.studying import MORNING

TODAY = date(2026, 12, 1)


def review(card: str, rating: int, **after: float) -> Event:
    at = MORNING + timedelta(**after)
    return Event(at, "review", {"card": card, "rating": rating}, f"{card} {at}")


def learned(*cards: str, days: float = 0) -> list[Event]:
    """Two good ratings each, after which FSRS leaves the first steps."""
    events = [review(card, 3, days=days, minutes=10 * step) for card in cards for step in (0, 1)]
    return sorted(events, key=lambda event: event.at)


def slot(id: str, opens: date = TODAY, **other) -> Slot:
    return Slot(id, other.pop("kind", "concept"), opens, **other)


@pytest.mark.parametrize(
    ("ratings", "due"),
    [
        ([3], timedelta(minutes=10)),
        ([1], timedelta(minutes=1)),
        ([4], timedelta(days=8)),
        ([3, 3], timedelta(days=2)),
        ([3, 3, 3], timedelta(days=11)),
        ([3, 3, 3, 3], timedelta(days=46)),
        ([3, 3, 1], timedelta(minutes=10)),
        ([3, 3, 2], timedelta(days=8)),
        ([3, 3, 4], timedelta(days=19)),
        ([3, 3, 3, 1, 3], timedelta(days=2)),
    ],
)
def test_the_dates_of_rating_sequences(ratings, due):
    schedule, at = Schedule(), MORNING
    for rating in ratings:
        schedule.review(Event(at, "review", {"card": "a", "rating": rating}, str(at)))
        last, at = at, schedule.due("a")
    assert at - last == due


def test_no_card_comes_back_after_the_interview():
    interview = date(2026, 12, 14)
    for ratings in ([4], [3, 3, 3], [4, 3], [3, 3, 4], [3, 3, 2, 4]):
        schedule, at = Schedule(interview), MORNING
        for rating in ratings:
            assert at.date() < interview
            assert all(due.date() <= interview for due in schedule.next_dates("a", at).values())
            schedule.review(Event(at, "review", {"card": "a", "rating": rating}, str(at)))
            at = schedule.due("a")
            assert at.date() <= interview
        assert at.date() == interview or ratings == [4]
    assert Schedule(TODAY).next_dates("a", MORNING)[4] - MORNING == timedelta(days=8)  # the day itself limits nothing


@pytest.mark.slow
def test_replay_is_step_by_step_is_fsrs_s_own_reschedule():
    rng, scheduler = random.Random(0), Scheduler(enable_fuzzing=False)
    for _ in range(1000):
        at, events, stepped = MORNING, [], Schedule()
        for n in range(rng.randint(1, 12)):
            event = Event(at, "review", {"card": "a", "rating": rng.randint(1, 4)}, str(n))
            events.append(event)
            stepped.review(event)
            at += rng.choice([timedelta(minutes=rng.randint(0, 100)), timedelta(days=rng.randint(0, 60))])
        memory = replay(events).memories["a"]
        assert memory.to_dict() == stepped.memories["a"].to_dict()
        logs = [ReviewLog(memory.card_id, Rating(event["rating"]), event.at, None) for event in events]
        own = scheduler.reschedule_card(Memory(card_id=memory.card_id, due=MORNING), logs)
        assert own.to_dict() == memory.to_dict()


def test_undo_is_as_if_it_had_not_been():
    events = [*learned("a", "b"), review("a", 1, days=3)]
    schedule = replay(events)
    schedule.undo(events[-1])
    assert schedule.memories["a"].to_dict() == replay(events[:-1]).memories["a"].to_dict()
    for event in learned("a"):
        schedule.undo(event)
    assert "a" not in schedule.memories
    assert schedule.reviews("a") == ()


def test_the_order_of_a_day():
    events = [*learned("old", days=-40), *learned("older", days=-60), *learned("fresh", days=-2), review("step", 3)]
    slots = [slot(id) for id in ("new-1", "fresh", "old", "step", "older", "new-2")] + [
        slot("later", date(2026, 12, 2))
    ]
    now = MORNING + timedelta(minutes=5)
    schedule = replay(sorted(events, key=lambda event: event.at))
    assert queue(schedule, slots, now) == ["step", "older", "old", "fresh", "new-1", "new-2"]
    assert queue(schedule, slots, now - timedelta(minutes=20))[0] == "older"  # its step is not due so soon
    chances = [schedule.retrievability(id, now) for id in ("older", "old", "fresh")]
    assert chances == sorted(chances)


def test_a_card_due_later_today_is_asked_today():
    schedule = replay(learned("a", days=-2 + 0.3))
    assert schedule.due("a") > MORNING
    assert queue(schedule, [slot("a")], MORNING) == ["a"]
    assert queue(replay(learned("a", days=-1)), [slot("a")], MORNING) == []


def test_new_cards_are_counted_by_the_day():
    slots = [slot(f"c{n}") for n in range(30)]
    assert queue(Schedule(), slots, MORNING) == [f"c{n}" for n in range(18)]
    schedule = replay([review(f"c{n}", 4) for n in range(10)])
    assert queue(schedule, slots, MORNING + timedelta(hours=1)) == [f"c{n}" for n in range(10, 18)]
    assert queue(schedule, slots, MORNING + timedelta(hours=1), new=12) == ["c10", "c11"]
    assert queue(schedule, slots, MORNING + timedelta(hours=1), new=3) == []
    assert len(queue(schedule, slots, MORNING + timedelta(days=1))) == 18


def test_more_new_cards_a_day_where_the_interview_is_near():
    assert new_a_day(245, TODAY, None) == 18
    assert new_a_day(245, TODAY, date(2027, 6, 1)) == 18
    assert new_a_day(245, TODAY, date(2026, 12, 11)) == 25
    assert new_a_day(245, TODAY, date(2026, 12, 2)) == 54
    assert new_a_day(245, TODAY, TODAY) == 18


def test_a_card_and_its_drill_are_not_asked_on_one_day():
    pair = [slot("a", sibling="number/a"), slot("number/a", kind="drill", sibling="a"), slot("b")]
    assert queue(Schedule(), pair, MORNING) == ["a", "b"]
    assert queue(Schedule(), pair, MORNING, new=2) == ["a", "b"]  # what is left out takes no place
    schedule = replay([review("a", 4)])
    assert queue(schedule, pair, MORNING + timedelta(hours=1)) == ["b"]
    assert queue(schedule, pair, MORNING + timedelta(days=1)) == ["number/a", "b"]


def test_a_mistake_comes_the_day_after_and_leaves_when_it_is_mended():
    id = "fault/softmax/overflows"
    made = MORNING
    slots = [slot(id, TODAY + timedelta(1), kind="mistake", again=made)]
    assert queue(Schedule(), slots, MORNING + timedelta(hours=3)) == []
    assert queue(Schedule(), slots, MORNING + timedelta(days=1)) == [id]
    events, at = [], MORNING + timedelta(days=1)
    schedule = Schedule()
    while schedule.stability(id) <= 21:
        event = Event(at, "review", {"card": id, "rating": 3}, str(at))
        events.append(event)
        schedule.review(event)
        at = schedule.due(id)
    assert queue(schedule, slots, at) == []
    again = [slot(id, TODAY, kind="mistake", again=at - timedelta(days=1))]
    assert queue(schedule, again, at) == [id]


def test_few_mistakes_and_one_exercise_a_day_come_first():
    slots = [slot(f"fault/x/{n}", kind="mistake") for n in range(9)]
    slots += [slot(f"c{n}") for n in range(20)] + [slot(f"exercise/{n}", kind="exercise") for n in range(3)]
    asked = queue(Schedule(), slots, MORNING)
    assert asked == [f"fault/x/{n}" for n in range(4)] + [f"c{n}" for n in range(14)] + ["exercise/0"]
    schedule = replay([review("exercise/0", 1), review("fault/x/0", 3)])

    def exercises(**after: float) -> list[str]:
        return [id for id in queue(schedule, slots, MORNING + timedelta(**after)) if id.startswith("exercise/")]

    assert exercises(hours=5) == []  # not written again on the same day, nor another one
    assert exercises(days=1) == ["exercise/0"]


def test_what_the_vault_has_asked_waits_for_its_day():
    seen = Event(MORNING, "seen", {"card": "a", "due": "2026-12-04"}, "s")
    slots = [slot("a"), slot("b")]
    events = [*learned("b", days=-5), Event(MORNING, "seen", {"card": "b", "due": "2026-12-03"}, "t"), seen]
    schedule = replay(events)
    assert queue(schedule, slots, MORNING) == []
    assert queue(schedule, slots, MORNING + timedelta(days=2)) == ["b"]
    assert queue(schedule, slots, MORNING + timedelta(days=3)) == ["b", "a"]


def test_naive_times_never_reach_fsrs():
    with pytest.raises(ValueError, match="UTC"):
        Schedule().review(Event(datetime(2026, 12, 1), "review", {"card": "a", "rating": 3}, "x"))
    Schedule().review(Event(datetime(2026, 12, 1, tzinfo=UTC), "review", {"card": "a", "rating": 3}, "x"))
