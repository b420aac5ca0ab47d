"""All of a learner's cards: concepts, their numbers, mistakes made, exercises to write again from memory.

By their ids: `resnet-why`, `number/conv-output-size`, `fault/self_attention/no scale`, `exercise/self_attention`.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from handmade.errors import InputError
from handmade.study.cards import Card, concept_cards
from handmade.study.journal import DAY_BEGINS
from handmade.study.plan import the_plan
from handmade.study.schedule import Slot
from handmade.workshop.progress import Progress


def slots(opens: Callable[[str], date], progress: Progress) -> list[Slot]:
    """The learner's cards in the order in which they are begun. opens: the day on which an item of the plan opens."""
    return [*_mistakes(progress), *_concepts(opens), *_exercises(progress)]


def card_named(id: str) -> Card:
    """The card of this id; for a drill the card whose numbers it asks. InputError where there is none."""
    kind, _, rest = id.partition("/")
    if kind == "fault":
        return _mistake_card(*rest.split("/", 1))
    if kind == "exercise":
        return _exercise_card(rest)
    card = concept_cards().get(rest if kind == "number" else id)
    if card is None:
        raise InputError(f"there is no card {id!r}: `handmade cards WORD` finds cards by their words.")
    return card


def items_of(id: str) -> tuple[str, ...]:
    """The items of the plan to which a card belongs; found without loading the exercise."""
    kind, _, rest = id.partition("/")
    if kind in ("fault", "exercise"):
        item = the_plan().item_of(rest.partition("/")[0])
        return (item.id,) if item else ()
    return card_named(id).items


def _concepts(opens: Callable[[str], date]) -> Iterator[Slot]:
    place = {item.id: number for number, item in enumerate(the_plan().items)}
    for card in sorted(concept_cards().values(), key=lambda card: min(place[item] for item in card.items)):
        day = min(opens(item) for item in card.items)
        drill = f"number/{card.id}" if card.drill else None
        yield Slot(card.id, "concept", day, sibling=drill)
        if drill:
            yield Slot(drill, "drill", day, sibling=card.id)


def _mistakes(progress: Progress) -> Iterator[Slot]:
    met = [
        (when, f"fault/{exercise}/{fault}")
        for exercise, record in progress.exercises.items()
        for fault, when in record.met.items()
    ]
    for when, id in sorted(met):
        again = datetime.fromisoformat(when)
        yield Slot(id, "mistake", _day_after(again), again=again.astimezone())


def _exercises(progress: Progress) -> Iterator[Slot]:
    passed = [(record.passed, name) for name, record in progress.exercises.items() if record.passed]
    for when, name in sorted(passed):
        yield Slot(f"exercise/{name}", "exercise", _day_after(datetime.fromisoformat(when)))


def _day_after(local: datetime) -> date:
    return (local - DAY_BEGINS).date() + timedelta(days=1)


def _mistake_card(exercise_name: str, fault_name: str) -> Card:
    from handmade.workshop.exercises import exercise_named  # loads NumPy: only when such a card is shown

    exercise = exercise_named(exercise_name)
    fault = exercise.faults.get(fault_name)
    if fault is None:
        raise InputError(f"{exercise_name} has no mistake {fault_name!r} in its list.")
    return Card(
        id=f"fault/{exercise_name}/{fault_name}",
        section="mistakes",
        items=items_of(f"fault/{exercise_name}"),
        ask=f"{exercise.title}. {fault.consequence} Which mistake does this?",
        answer=f"{fault.cause} {fault.mend}",
        source="a mistake that you made",
        proves=(("exercise", exercise_name),),
    )


def _exercise_card(name: str) -> Card:
    from handmade.workshop.exercises import exercise_named

    exercise = exercise_named(name)
    minutes = minutes_from_memory(exercise.minutes)
    return Card(
        id=f"exercise/{name}",
        section="exercises",
        items=items_of(f"exercise/{name}"),
        ask=f"Write {exercise.title} from memory in {minutes} minutes.",
        answer="The judge decides: passed in time is good, passed late is hard, anything else is again.",
        source=exercise.paper,
        proves=(("exercise", name),),
    )


def minutes_from_memory(minutes: int) -> int:
    """How long an exercise that was passed may take from memory: half of what an interview allows."""
    return max(1, round(minutes / 2))


def rating_from_memory(passed: bool, in_time: bool) -> int:
    """How an exercise written from memory is rated: 3 (good) for passed in time, 2 (hard) for late, 1 (again) else."""
    return 1 if not passed else 3 if in_time else 2
