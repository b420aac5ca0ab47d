"""A simulated learner over the two weeks' plan: what is known on the interview's day, and what each day takes.

    python benchmarks/study_plan.py [--interview-after 14] [--learners 20]

The learner recalls a card with the chance that FSRS gives it at that moment, and a new card's first answer with a fixed
chance. What is recalled is rated good, what is not again. Each day the learner watches what the plan says, passes the
exercises of the day with a fixed chance of a listed mistake, and empties the queue; a card takes 20 seconds when new
and 10 when it was seen before, an exercise from memory its whole time.
"""

import argparse
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import mean

from handmade.study.cards import concept_cards
from handmade.study.deck import minutes_from_memory
from handmade.study.journal import Event
from handmade.study.plan import the_plan
from handmade.study.standing import Standing
from handmade.workshop.exercises import exercise_named
from handmade.workshop.progress import Progress, Record

FIRST_DAY = date(2026, 12, 1)
KNOWN_AT_FIRST, MISTAKE = 0.7, 0.3
SECONDS_NEW, SECONDS_SEEN = 20, 10


@dataclass
class Day:
    """What a day took. new, reviews: answers given; minutes: of the review."""

    new: int
    reviews: int
    minutes: float
    behind: int


class Learner:
    """One learner. draw: what is recalled and which mistakes are made."""

    def __init__(self, seed: int, days: int) -> None:
        self.draw = random.Random(seed)
        self.progress = Progress()
        self.interview = FIRST_DAY + timedelta(days=days)
        start = {"day": FIRST_DAY.isoformat(), "interview": self.interview.isoformat()}
        self.events = [Event(_at(FIRST_DAY), "start", start, "start")]

    def standing(self, now: datetime) -> Standing:
        return Standing(now, self.events, self.progress, the_plan())

    def live(self, day: date) -> Day:
        now = _at(day)
        self._watch_and_build(now)
        standing = self.standing(now)
        schedule, seconds, new, reviews = standing.schedule, 0.0, 0, 0
        waiting = standing.queue()
        while waiting:
            id = waiting.pop(0)
            seen = schedule.reviews(id)
            recalled = self.draw.random() < (schedule.retrievability(id, now) if seen else KNOWN_AT_FIRST)
            took = _seconds(id, bool(seen))
            seconds, now = seconds + took, now + timedelta(seconds=took)
            new, reviews = new + (not seen), reviews + bool(seen)
            event = Event(now, "review", {"card": id, "rating": 3 if recalled else 1}, f"{id} {now}")
            self.events.append(event)
            schedule.review(event)
            if schedule.is_learning(id) and not id.startswith("exercise/"):
                waiting.append(id)
        self.events.append(Event(now, "emptied", {}, str(now)))
        return Day(new, reviews, seconds / 60, len(self.standing(now).behind))

    def _watch_and_build(self, now: datetime) -> None:
        for status in self.standing(now).statuses.values():
            if status.last > now.date():
                continue
            if status.item.kind == "watch" and not status.watched:
                self.events.append(Event(now, "watched", {"item": status.item.id}, status.item.id))
            for name in status.item.exercises:
                if self.progress.of(name).passed is None:
                    met = {}
                    if self.draw.random() < MISTAKE:
                        met[self.draw.choice(sorted(exercise_named(name).faults))] = now.replace(
                            tzinfo=None
                        ).isoformat()
                    self.progress.exercises[name] = Record(1, now.replace(tzinfo=None).isoformat(), met=met)
            if status.item.id == "interviews":
                self.progress.interviews = [{"whole": True}, {"whole": True}]


def _at(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=18)


def _faults(name: str) -> dict:
    return exercise_named(name).faults


def _seconds(id: str, seen: bool) -> float:
    if id.startswith("exercise/"):
        return 60.0 * minutes_from_memory(exercise_named(id.partition("/")[2]).minutes)
    return SECONDS_SEEN if seen else SECONDS_NEW


def simulate(seed: int, days: int) -> tuple[list[Day], float, list[str]]:
    """The days, the share of concept cards at 0.8 or more on the interview's day, and the items not complete."""
    learner = Learner(seed, days)
    lived = [learner.live(FIRST_DAY + timedelta(days=k)) for k in range(days)]
    standing = learner.standing(_at(learner.interview) - timedelta(hours=9))
    cards = list(concept_cards())
    recalled = [standing.schedule.retrievability(id, standing.now) >= 0.8 for id in cards]
    undone = [status.item.id for status in standing.statuses.values() if not status.complete]
    return lived, mean(recalled), undone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--interview-after", type=int, default=14, help="days from the first day to the interview")
    parser.add_argument("--learners", type=int, default=20)
    options = parser.parse_args()
    runs = [simulate(seed, options.interview_after) for seed in range(options.learners)]
    print("| day | new | asked again | minutes of review (longest) |\n|---|---|---|---|")
    for number in range(options.interview_after):
        days = [days[number] for days, _, _ in runs]
        longest = max(day.minutes for day in days)
        print(
            f"| {number + 1} | {mean(day.new for day in days):.0f} | {mean(day.reviews for day in days):.0f} "
            f"| {mean(day.minutes for day in days):.0f} ({longest:.0f}) |"
        )
    shares = [share for _, share, _ in runs]
    print(f"\ncards at 0.8 or more on the interview's day: {mean(shares):.1%} (lowest {min(shares):.1%})")
    print(f"items not complete: {sorted({id for _, _, undone in runs for id in undone}) or 'none'}")


if __name__ == "__main__":
    main()
