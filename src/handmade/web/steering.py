"""What pages may ask of jobs: to begin one of a list, and to pause it, change its rate, fork its run or end it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handmade.errors import InputError
from handmade.recipes.faulty import FAULTS
from handmade.web.events import Eventful
from handmade.web.explorers import explorer_named
from handmade.web.frames import Answer
from handmade.web.observatory import Observatory
from handmade.web.questions import asked, choice, flag, real, text
from handmade.workshop.exercises import exercise_named
from handmade.workshop.transplant import graft_for

NETWORKS = {
    "gpt": ["steps=600", "n_layer=2", "n_embd=64", "sequence_length=32", "epoch_steps=200"],
    "lenet5": ["epochs=2"],
    "char-lstm": ["steps=300"],
    "resnet20": ["epochs=1"],
}
"""What a page can train anew: networks, and how their recipes are changed so that they take minutes at most."""

ANY, NONE = "any", "none"
"""Instead of a mistake's name: any, which the page has to find; none, the right one beside it."""


@dataclass(frozen=True)
class Begin:
    """One of: run, to resume it; network, of NETWORKS; fault, for a diagnosis. mine: with the learner's function."""

    run: str = text("", longest=120)
    network: str = choice("", *NETWORKS)
    fault: str = choice("", ANY, NONE, *FAULTS)
    rate: float = real(1.0, 0.001, 1000.0)
    mine: bool = flag()


@dataclass(frozen=True)
class Pause:
    paused: bool = flag(True)


@dataclass(frozen=True)
class Rate:
    """The learning rate is multiplied by it."""

    factor: float = real(1.0, 0.001, 1000.0)


@dataclass(frozen=True)
class Nothing:
    pass


def begin(content: bytes, observatory: Observatory) -> Answer:
    """Begin a job; its number."""
    question, jobs = asked(Begin, content), observatory.jobs
    if sum(map(bool, (question.run, question.network, question.fault))) != 1:
        raise InputError("a job is of a run, of a network or of a fault: name one of them.")
    if question.fault:
        others = [fault for fault in FAULTS if fault != jobs.last_secret]
        fault = random.choice(others) if question.fault == ANY else question.fault.replace(NONE, "")
        job = jobs.diagnosis(fault)
    elif question.run:
        network = jobs.run(question.run).recipe.model
        job = jobs.resume(question.run, _file(network, observatory) if question.mine else None)
    else:
        settings = [*NETWORKS[question.network], *_rate(question)]
        job = jobs.new(question.network, settings, _file(question.network, observatory) if question.mine else None)
    return Answer({"job": job.number})


def measure(name: str, content: bytes, observatory: Observatory) -> Answer:
    """Begin to measure what the explorer of this name tells piece by piece; the job's number."""
    explorer = explorer_named(name)
    assert explorer.pieces is not None
    pieces = explorer.pieces(asked(explorer.question, content), observatory)
    return Answer({"job": observatory.jobs.measure(pieces).number})


def order(number: int, what: str, content: bytes, observatory: Observatory) -> Answer:
    """Tell a job what to do; that it did so is an event of the job."""
    kind, do = ORDERS[what]
    question = asked(kind, content)
    do(observatory, observatory.jobs.job(number), question)
    return Answer({})


def _pause(observatory: Observatory, job: Eventful, question: Pause) -> None:
    job.order("pause" if question.paused else "go")


def _rate_of(observatory: Observatory, job: Eventful, question: Rate) -> None:
    job.order("rate", factor=question.factor)


def _fork(observatory: Observatory, job: Eventful, question: Nothing) -> None:
    observatory.jobs.fork(job)


def _cancel(observatory: Observatory, job: Eventful, question: Nothing) -> None:
    job.order("stop")


ORDERS: dict[str, tuple[type[Any], Callable[[Observatory, Eventful, Any], None]]] = {
    "pause": (Pause, _pause),
    "rate": (Rate, _rate_of),
    "fork": (Nothing, _fork),
    "cancel": (Nothing, _cancel),
}


def _rate(question: Begin) -> list[str]:
    from handmade.recipes import recipe_of

    return [] if question.rate == 1 else [f"learning_rate={recipe_of(question.network).learning_rate * question.rate}"]


def _file(network: str, observatory: Observatory) -> Path:
    """The learner's file for this network, if the judge passes it as it is now."""
    name = graft_for(network).exercise
    path = observatory.bench.file(name)
    if path is None or not observatory.bench.verdict(exercise_named(name)).passed:
        raise InputError(f"{network} trains with your {name} once `handmade check {name}` passes.")
    return path
