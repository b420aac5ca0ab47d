"""What we write into the vault's notes: cards, the plan's checklist with its commands, numbers, interviews."""

from collections.abc import Iterable, Mapping

from handmade.study.blocks import Wanted
from handmade.study.cards import SECTIONS, Card, Check, concept_cards
from handmade.study.plan import Item
from handmade.study.standing import Standing
from handmade.study.wording import look_at, source_line, status_in_words

FOLDER = "30-ML-Fundamentals/handmade"


def wanted_notes(standing: Standing, ticked: Mapping[str, bool]) -> dict[str, list[Wanted]]:
    """The blocks of each note, by its path in the vault. ticked: the user's own ticks, which are kept."""
    notes: dict[str, list[Wanted]] = {}
    for section, name in SECTIONS.items():
        cards = [card for card in concept_cards().values() if card.section == section]
        notes[f"{FOLDER}/{name} cards.md"] = [
            Wanted(f"deck-{section}", f"#flashcards/handmade/{section}"),
            *map(_card, cards),
        ]
    for key, place in standing.plan.notes.items():
        note, _, heading = place.partition("#")
        if heading:
            items = [item for item in standing.plan.items if item.vault == key]
            block = Wanted(f"plan-{key}", _checklist(standing, items, ticked), heading)
        elif key == "cheat-sheet":
            block = Wanted("numbers", _numbers(concept_cards().values()))
        else:
            parts = ("Transformers",) if key == "specialized-topics-guide" else ("CNNs", "RNNs & LSTMs")
            block = Wanted(f"runs-{key}", _runs(item for item in standing.plan.items if item.part in parts))
        notes.setdefault(f"{note}.md", []).append(block)
    if standing.progress.interviews:
        tracker = standing.plan.notes["deep-learning"].partition("#")
        notes[f"{tracker[0]}.md"].append(Wanted("interviews", _interviews(standing), tracker[2]))
    return notes


def front_matter(standing: Standing) -> dict[str, str]:
    """The keys that are kept up to date wherever a note's front matter has them."""
    passed = sum(record.passed is not None for record in standing.progress.exercises.values())
    known = sum(standing.schedule.knows(id, standing.now) for id in concept_cards())
    return {
        "handmade-passed": str(passed),
        "handmade-known": str(known),
        "handmade-watched": str(len(standing.watched)),
    }


def beginning(name: str, standing: Standing) -> str:
    """The beginning of a note that we create: in our own folder, the keys that are kept up to date."""
    if not name.startswith(FOLDER):
        return ""
    keys = "".join(f"{key}: {value}\n" for key, value in front_matter(standing).items())
    return f"---\n{keys}---\n\n"


def _card(card: Card) -> Wanted:
    return Wanted(card.id, f"{card.ask}\n?\n{card.answer}\n{source_line(card)}")


def _checklist(standing: Standing, items: Iterable[Item], ticked: Mapping[str, bool]) -> str:
    lines = []
    for item in items:
        status = standing.statuses[item.id]
        tick = status.watched if item.kind == "watch" else status.complete or ticked.get(item.id, False)
        lines.append(f"- [{'x' if tick else ' '}] {_link(item)} ^handmade-{item.id}")
        lines.append(f"    - {status_in_words(status)}")
        if commands := _commands(item):
            lines.append(f"    - {commands}")
    return "\n".join(lines)


def _runs(items: Iterable[Item]) -> str:
    return "\n".join(f"- {item.title}: {commands}" for item in items if (commands := _commands(item)))


def _commands(item: Item) -> str:
    """What checks, shows and runs the item."""
    commands = [f"handmade check {name}" for name in item.exercises]
    commands += [command for name in item.look for command in look_at(name)]
    commands += [item.run] if item.run else []
    return ", ".join(f"`{command}`" for command in commands)


def _numbers(cards: Iterable[Card]) -> str:
    lines = []
    for card in cards:
        if card.check and card.check.formula:
            lines += [f"- {card.ask} {card.answer}", f"    - {_formula(card.check)}"]
    return "\n".join(lines)


def _formula(check: Check) -> str:
    """`K*(C*k*k + 1)` with C = 64, K = 128, k = 3 is 73,856."""
    values = ", ".join(f"{name} = {value:,}" for name, value in check.values)
    return f"`{check.formula}`{f' with {values}' if values else ''} is {check.equals:,}"


def _interviews(standing: Standing) -> str:
    """A line for each: the exercise, the result, and of whole ones the rubric's rows."""
    lines = []
    for held in standing.progress.interviews:
        when, result = str(held.get("date", ""))[:10], "passed" if held.get("passed") else "not passed"
        rubric = held.get("rubric") or {}
        rows = ", ".join(f"{row} {value}" for row, value in rubric.items())
        lines.append(f"- Interview of {when}: {held.get('exercise')}, {result}{f' (of 4: {rows})' if rows else ''}")
    return "\n".join(lines)


def _link(item: Item) -> str:
    return f"[{item.title}]({item.link})" if item.link else item.title
