"""A concept card, an exercise or a network explained in one text, for the terminal and the pages."""

import inspect
import sys
from collections.abc import Iterable

from handmade.errors import InputError, suggestion
from handmade.study.cards import Card, concept_cards
from handmade.study.plan import the_plan
from handmade.study.wording import look_at, proofs, source_line
from handmade.workshop.exercises import NAMES
from handmade.workshop.progress import Progress


def explanation(name: str, progress: Progress) -> str:
    """The text on a card, an exercise or a network. InputError for an unknown name.

    progress: an exercise's implementation is shown once it is passed or given up.
    """
    if name in concept_cards():
        return _of_card(concept_cards()[name])
    if name in NAMES:
        return _of_exercise(name, progress)
    from handmade.models import ZOO

    if name in ZOO:
        return _of_network(name)
    known = [*NAMES, *ZOO, *concept_cards()]
    raise InputError(
        f"there is no card, exercise or network {name!r}{suggestion(name, known)} `handmade cards WORD` finds cards."
    )


def _of_card(card: Card) -> str:
    lines = [card.ask, "", card.answer, ""]
    if card.check and card.check.formula:
        values = ", ".join(f"{name} = {value:,}" for name, value in card.check.values)
        lines.append(f"Formula: {card.check.formula} = {card.check.equals:,}" + (f" with {values}" if values else ""))
    lines += [source_line(card), *_see(proofs(card))]
    return "\n".join(lines)


def _of_exercise(name: str, progress: Progress) -> str:
    from handmade.workshop.exercises import exercise_named
    from handmade.workshop.source import solution, stub

    exercise, record = exercise_named(name), progress.of(name)
    lines = [f"{exercise.title}. {exercise.paper}.", ""]
    if record.passed or record.gave_up:
        lines += [solution(exercise).rstrip(), ""]
    else:
        lines += [stub(exercise).rstrip(), ""]
        lines += [f"Our solution is shown once you have passed it; until then `handmade hint {name}` helps.", ""]
    item = the_plan().item_of(name)
    explorers = [command for explorer in (item.look if item else ()) for command in look_at(explorer)]
    lines += _see([f"handmade check {name}", *explorers])
    return "\n".join([*lines, *_cards(card for card in concept_cards().values() if name in card.exercises)])


def _of_network(name: str) -> str:
    from handmade.models import ZOO

    card = ZOO[name]
    module = sys.modules[card.build.__module__]
    lines = [inspect.cleandoc(module.__doc__ or ""), "", f"{name}: {card.parameters:,} parameters."]
    lines += [f"Source: {inspect.getsourcefile(module)}", ""]
    commands = [f"handmade models {name}"]
    items = [item for item in the_plan().items if item.run and name in item.run.split()]
    commands += [item.run for item in items if item.run and item.run not in commands]
    ids = {item.id for item in items}
    about = [c for c in concept_cards().values() if ids & set(c.items) or any(name in where for _, where in c.proves)]
    return "\n".join([*lines, *_see(commands), *_cards(about)])


def _see(commands: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(commands))
    return [f"See: {'; '.join(found)}"] if found else []


def _cards(cards: Iterable[Card]) -> list[str]:
    lines = []
    for card in cards:
        lines += ["", f"{card.ask} ({card.id})", f"  {card.answer}"]
    return lines
