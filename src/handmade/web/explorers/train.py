"""Trainings: the curves of runs beside each other, and a run with a mistake that is to be found."""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from handmade.errors import InputError
from handmade.lens.learning import chance_loss, thinned
from handmade.recipes.faulty import FAULTS, RECIPE
from handmade.train import Run
from handmade.train.interventions import interventions
from handmade.train.metrics import read_metrics
from handmade.web.explorers import Explorer
from handmade.web.frames import Answer
from handmade.web.observatory import Observatory
from handmade.web.questions import choice, flag, texts, whole
from handmade.web.steering import NETWORKS
from handmade.workshop.transplant import GRAFTS

COMPARED = 4
"""Runs whose curves are drawn over each other."""

POINTS = 600
"""Of a curve: as many as a chart has pixels to show."""

ANSWERS = 4

LETTERS = 63
"""Of the packaged Shakespeare, which the first question of the page is about."""


@dataclass(frozen=True)
class Question:
    """compare: the runs whose curves are asked for. job: of a diagnosis; guess: what is said to be wrong with it; show:
    what it is, without a guess."""

    compare: tuple[str, ...] = texts(COMPARED, longest=120)
    job: int = whole(0, 0, 1 << 31)
    guess: str = choice("", *FAULTS)
    show: bool = flag()


def answer(question: Question, observatory: Observatory) -> Answer:
    """The runs that there are and the curves of some; or the four answers of a diagnosis, or its solution."""
    if question.job:
        return Answer(_diagnosis(question, observatory))
    runs = observatory.jobs.runs()
    arrays: dict[str, np.ndarray] = {}
    for place, name in enumerate(question.compare):
        for part, curve in _curves(observatory.jobs.run(name)).items():
            arrays[f"{part}_{place}"] = curve
    meta = {
        "runs": [_told(name, run, observatory) for name, run in runs.items()],
        "compared": list(question.compare),
        "networks": [{"name": name, "takes": _grafted(name)} for name in NETWORKS],
        "steps": RECIPE.steps,
        "letters": LETTERS,
        "chance": chance_loss(LETTERS),
        "offered": [1 / LETTERS, 1.0, chance_loss(LETTERS), float(LETTERS)],
    }
    return Answer(meta, arrays)


def _told(name: str, run: Run, observatory: Observatory) -> dict[str, Any]:
    """What the list says of a run."""
    job = observatory.jobs.of(name)
    lines = read_metrics(run.metrics) if run.metrics.exists() else []
    tested = [line["test_loss"] for line in lines if "test_loss" in line]
    return {
        "name": name,
        "network": run.recipe.model,
        "step": lines[-1]["step"] if lines else 0,
        "loss": tested[-1] if tested else None,
        "begun": run.checkpoint.exists(),
        "takes": _grafted(run.recipe.model),
        "by_hand": interventions(run.folder),
        "job": None if job is None else job.number,
    }


def _grafted(network: str) -> str:
    """The exercise whose function the network trains with; empty where there is none."""
    return next((graft.exercise for beginning, graft in GRAFTS.items() if network.startswith(beginning)), "")


def _curves(run: Run) -> dict[str, np.ndarray]:
    """The training loss and the test loss of a run: rows of step and loss."""
    lines = read_metrics(run.metrics) if run.metrics.exists() else []
    curves = {}
    for part, name in (("train", "loss"), ("test", "test_loss")):
        points = np.array([(line["step"], line[name]) for line in lines if name in line]).reshape(-1, 2)
        curves[part] = np.stack(thinned(points[:, 0], points[:, 1], POINTS)).astype(np.float32)
    return curves


def _diagnosis(question: Question, observatory: Observatory) -> dict[str, Any]:
    """Four answers, always the same of one job; or the right one, with what a guess was worth. The first counts."""
    job, workspace = observatory.jobs.training(question.job), observatory.bench.workspace
    if not job.secret:
        raise InputError(f"job {job.number} has no mistake to find.")
    draw = random.Random(job.number)
    offered = [job.secret, *draw.sample([fault for fault in FAULTS if fault != job.secret], ANSWERS - 1)]
    draw.shuffle(offered)
    if not question.guess and not question.show:
        return {"offered": offered}
    if question.guess and not job.solved and workspace is not None:
        workspace.change(lambda progress: progress.diagnose(job.secret, question.guess))
    job.solved = True
    fault = FAULTS[job.secret]
    right = {"fault": job.secret, "cause": fault.cause, "sign": fault.sign, "mend": fault.mend}
    return {"offered": offered, "right": question.guess == job.secret, **right}


EXPLORER = Explorer(
    question=Question,
    answer=answer,
    related=("adam", "noam", "dropout", "cross_entropy"),
    files=("train/loop.py", "recipes/faulty.py", "lens/learning.py", "web/trainer.py"),
)
