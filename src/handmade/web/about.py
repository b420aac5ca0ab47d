"""What the pages say around their pictures: the models that fit, the exercises behind them, the judge's verdict."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from handmade.errors import InputError
from handmade.web.explorers import NAMES, explorer_named
from handmade.web.frames import Answer
from handmade.web.models import Source
from handmade.web.observatory import Observatory
from handmade.web.pages import EXPLORERS
from handmade.web.questions import asked, text
from handmade.workshop.exercises import NAMES as EXERCISES
from handmade.workshop.exercises import exercise_named
from handmade.workshop.progress import Record


@dataclass(frozen=True)
class AboutExplorer:
    """Of which explorer; empty for the list of all."""

    explorer: str = text("", longest=20)


@dataclass(frozen=True)
class AboutExercise:
    exercise: str = text("", longest=40)


def told(content: bytes, observatory: Observatory) -> Answer:
    """Of one explorer all that its page needs before its first question, or of all what the list says."""
    name = asked(AboutExplorer, content).explorer
    if not name:
        return Answer({"explorers": [_in_list(one, observatory) for one in NAMES]})
    if name not in NAMES:
        raise InputError(f"there is no explorer {name!r}. There are {', '.join(NAMES)}.")
    explorer = explorer_named(name)
    if explorer.fits is not None:
        with suppress(InputError), observatory.models.opened("", explorer.fits):
            pass  # its first question opens this one anyway; now its parameters can be counted
    return Answer(
        {
            **_in_list(name, observatory),
            "exercises": [_exercise(one, observatory) for one in explorer.exercises + explorer.related],
            "run": list(explorer.exercises),
            "cards": _cards(name),
            "files": list(explorer.files),
        }
    )


def verdict(content: bytes, observatory: Observatory) -> Answer:
    """The judge's verdict on the learner's file of an exercise."""
    name = asked(AboutExercise, content).exercise
    if name not in EXERCISES:
        raise InputError(f"there is no exercise {name!r}.")
    given = observatory.bench.verdict(exercise_named(name))
    mistakes = [{"name": one.name, "message": one.message, "line": one.line} for one in given.findings]
    return Answer({"exercise": name, "passed": given.passed, "mistakes": mistakes})


def predicted(content: bytes, observatory: Observatory) -> Answer:
    """Count a prediction in the workspace; how many there are of the exercise. Without a workspace none is counted."""
    name = asked(AboutExercise, content).exercise
    if name not in EXERCISES:
        raise InputError(f"there is no exercise {name!r}.")
    workspace = observatory.bench.workspace
    if workspace is None:
        return Answer({"exercise": name, "predictions": 0})
    progress = workspace.change(lambda progress: progress.predict(name))
    return Answer({"exercise": name, "predictions": progress.of(name).predictions})


def _in_list(name: str, observatory: Observatory) -> dict[str, Any]:
    explorer = explorer_named(name)
    models = [] if explorer.fits is None else observatory.models.sources(explorer.fits)
    return {
        "name": name,
        **EXPLORERS[name]._asdict(),
        "models": [_model(source, observatory) for source in models],
        "needs_model": explorer.fits is not None,
        "trains": explorer.trains,
    }


def _model(source: Source, observatory: Observatory) -> dict[str, Any]:
    return {"name": source.name, "network": source.network, "parameters": observatory.models.parameters(source)}


def _exercise(name: str, observatory: Observatory) -> dict[str, Any]:
    """The exercise: its title, its mistakes by name with what each says, and whether the learner has a file."""
    exercise, workspace = exercise_named(name), observatory.bench.workspace
    path = observatory.bench.file(name)
    record = workspace.progress().of(name) if workspace is not None else Record()
    return {
        "name": name,
        "title": exercise.title,
        "paper": exercise.paper,
        "file": workspace.shown(path) if workspace is not None and path is not None else None,
        "passed": record.passed,
        "predictions": record.predictions,
        "faults": [
            {"name": fault, "cause": said.cause, "consequence": said.consequence, "mend": said.mend}
            for fault, said in exercise.faults.items()
        ],
    }


def _cards(name: str) -> list[dict[str, str]]:
    """The concept cards that say they can be seen on this page: what interviews ask, and the answer."""
    from handmade.study.cards import concept_cards

    cards = [card for card in concept_cards().values() if ("explorer", name) in card.proves]
    return [{"ask": card.ask, "answer": card.answer, "source": card.source} for card in cards]
