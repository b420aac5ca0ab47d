"""A page for each exercise: its statement, what is to be defined, and hints for whoever opens them."""

import inspect
from importlib import import_module

from docs.making.prose import blocks, escaped, fenced, folded, markdown, toctree
from handmade.study.cards import concept_cards
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import NAMES, exercise_named


def exercise_pages() -> dict[str, str]:
    """The pages by name, in the order of study."""
    return {f"exercises/{name}": _page(exercise_named(name)) for name in NAMES}


def exercise_index(pages: dict[str, str]) -> str:
    """The list of all exercises, from the package's own words."""
    package = import_module("handmade.workshop.exercises")
    rows = ["| | exercise | topic | minutes |", "|---:|---|---|---:|"]
    for number, name in enumerate(NAMES, 1):
        exercise = exercise_named(name)
        rows.append(f"| {number} | [{exercise.title}]({name}.md) | {exercise.topic} | {exercise.minutes} |")
    entries = [page.removeprefix("exercises/") for page in pages]
    return "\n\n".join(["# Exercises", markdown(package.__doc__), "\n".join(rows), toctree(entries)]) + "\n"


def _page(exercise: Exercise) -> str:
    first, *rest = blocks(exercise.statement)
    parts = [
        f"# {escaped(exercise.title)}",
        f"*{escaped(' '.join(first))}*",
        markdown(rest),
        f":::{{container}} papers\n{escaped(exercise.paper)} · {exercise.minutes} minutes\n:::",
        fenced("\n\n\n".join(_stub(function) for function in exercise.functions)),
        fenced(f"handmade check {exercise.name}", "sh"),
        *(folded(f"Hint {number}", escaped(hint)) for number, hint in enumerate(exercise.hints, 1)),
        folded(
            f"The {len(exercise.faults)} mistakes that the judge knows",
            "\n".join(f"- {escaped(fault.cause)}" for fault in exercise.faults.values()),
        ),
    ]
    cards = [card for card in concept_cards().values() if exercise.name in card.exercises]
    questions = "\n".join(f"- **{escaped(card.ask)}** {escaped(card.answer)}" for card in cards)
    parts.append(folded("What one is asked about it", questions))
    if exercise.conventions:
        conventions = "\n".join(f"- {escaped(text)}" for text in exercise.conventions.values())
        parts.append(folded("Conventions that count as right", conventions))
    return "\n\n".join(parts) + "\n"


def _stub(function: object) -> str:
    """What a solution begins with: the signature and the docstring, of a class those of its methods."""
    if not inspect.isclass(function):
        return _signature(function)
    methods = [value for value in vars(function).values() if inspect.isfunction(value)]
    head = f"class {function.__name__}:\n    {_quoted(function.__doc__)}\n\n"
    return head + "\n\n".join("    " + _signature(method).replace("\n", "\n    ") for method in methods)


def _signature(function: object) -> str:
    name = getattr(function, "__name__", "")
    return f"def {name}{inspect.signature(function)}:\n    {_quoted(function.__doc__)}"  # pyright: ignore


def _quoted(docstring: str | None) -> str:
    return f'"""{inspect.cleandoc(docstring)}"""'.replace("\n", "\n    ") if docstring else "..."
