"""What came of a sweep: as rows of a table, and as a picture."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from handmade import draw
from handmade.draw.sweeps import Swept
from handmade.recipes import recipe_of
from handmade.sweep.record import Sweep, Trial, shown
from handmade.tasks.recipe import Recipe
from handmade.train.display import measure_text
from handmade.train.duration import in_words


def result_rows(sweep: Sweep) -> tuple[list[str], list[list[object]]]:
    """The header, and a row for each trial: the best first, those without a measure last."""

    def rank(trial: Trial) -> tuple[bool, float]:
        result = sweep.results[trial.number]
        return result.state != "finished", result.measures.get("loss", math.inf)

    header = ["trial", *sweep.swept, *(f"test {name}" for name in sweep.measured), "epoch", "time", "state"]
    return header, [_row(sweep, trial) for trial in sorted(sweep.trials, key=rank)]


def _row(sweep: Sweep, trial: Trial) -> list[object]:
    result = sweep.results[trial.number]
    measures = [measure_text(n, result.measures[n]) if n in result.measures else "" for n in sweep.measured]
    epoch = f"{result.epoch:.3g}" if result.epoch else ""
    time = in_words(result.seconds) if result.epoch else ""
    return [str(trial.number), *map(shown, trial.values.values()), *measures, epoch, time, result.state]


def changes_of(recipe: Recipe) -> list[tuple[str, Any]]:
    """The settings in which a recipe differs from the one of its network, with their values."""
    usual = dataclasses.asdict(recipe_of(recipe.model))
    return [(name, value) for name, value in dataclasses.asdict(recipe).items() if value != usual[name]]


def draw_sweep(sweep: Sweep) -> Path | None:
    """Draw sweep.png; None where nothing was measured yet."""
    lines = [(trial, sweep.evaluations(trial)) for trial in sweep.trials]
    measured = [(trial, known) for trial, known in lines if known]
    best = sweep.best
    if best is None or not measured:
        return None
    swept = [_swept(sweep, trial, known) for trial, known in measured]
    number = [trial.number for trial, _ in measured].index(best.number)
    over = " and ".join(sweep.swept)
    path = sweep.folder / "sweep.png"
    draw.sweep(swept, number, f"{sweep.recipe.model} learns {sweep.recipe.data}, over {over}").save(path)
    return path


def _swept(sweep: Sweep, trial: Trial, lines: Sequence[dict[str, Any]]) -> Swept:
    epochs, losses = [line["epoch"] for line in lines], [line["test_loss"] for line in lines]
    return Swept(trial.values, epochs, losses, sweep.results[trial.number].state == "finished")
