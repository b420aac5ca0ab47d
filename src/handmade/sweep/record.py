"""A sweep's folder: a run folder for each trial, and sweep.json, which tells what became of them.

sweep.json       what is swept, and each trial's values, state and measures
sweep.csv        the same as a table
sweep.png, .txt  a picture of it
1-learning_rate=0.001,n_layer=4/   a run folder, and so on for each trial
"""

import csv
import dataclasses
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import handmade
from handmade.errors import InputError
from handmade.files import cannot_write, free_path, write_text
from handmade.reading import read_json, require
from handmade.sweep.axes import Values
from handmade.tasks.recipe import Recipe
from handmade.train.metrics import Line, read_metrics

State = Literal["waiting", "finished", "stopped early", "diverged", "failed"]

ENDED = ("finished", "stopped early", "diverged")
"""States that a resumed sweep leaves alone; what failed is tried again."""

LONGEST_NAME = 100


@dataclass(frozen=True)
class Trial:
    """One training of a sweep: its number, from 1; its values in place of the sweep's; its run folder."""

    number: int
    values: Values
    base: Recipe
    folder: Path

    @property
    def recipe(self) -> Recipe:
        """InputError where it does not allow the values, or not together."""
        return dataclasses.replace(self.base, **self.values)


@dataclass(frozen=True)
class Result:
    """What became of a trial: measures on the test data at its last evaluation, and why it failed, if it did.

    step, epoch: of the last evaluation, 0 if there was none. seconds: of training until then.
    """

    state: State = "waiting"
    step: int = 0
    epoch: float = 0.0
    measures: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


@dataclass
class Sweep:
    """The trials with their results, by number."""

    folder: Path
    recipe: Recipe
    trials: list[Trial]
    results: dict[int, Result]

    @property
    def swept(self) -> list[str]:
        """The settings that differ."""
        return list(self.trials[0].values)

    @property
    def left(self) -> list[Trial]:
        """The trials that are still to be run."""
        return [trial for trial in self.trials if self.results[trial.number].state not in ENDED]

    @property
    def best(self) -> Trial | None:
        """The lowest loss on the test data, of a finished trial if there is one."""
        measured = [trial for trial in self.trials if "loss" in self.results[trial.number].measures]
        finished = [trial for trial in measured if self.results[trial.number].state == "finished"]
        return min(finished or measured, key=lambda trial: self.results[trial.number].measures["loss"], default=None)

    def evaluations(self, trial: Trial) -> list[Line]:
        """The lines of a trial's metrics that were measured on the test data."""
        path = trial.folder / "metrics.jsonl"
        return [line for line in read_metrics(path) if "test_loss" in line] if path.exists() else []

    def end(self, trial: Trial, state: State, error: str = "") -> Result:
        """Write down what became of a trial; its measures are read from its run folder."""
        last = (self.evaluations(trial) or [{}])[-1]
        measures = {name.removeprefix("test_"): last[name] for name in last if name.startswith("test_")}
        seconds = last.get("seconds", 0.0)
        result = Result(state, last.get("step", 0), last.get("epoch", 0.0), measures, seconds, error)
        self.results[trial.number] = result
        self.write()
        return result

    def write(self) -> None:
        """Write sweep.json and sweep.csv."""
        best = self.best
        content = {
            "handmade": handmade.__version__,
            "recipe": _plain(self.recipe),
            "best": best.folder.name if best else None,
            "trials": [
                {"folder": trial.folder.name, "values": trial.values, **dataclasses.asdict(self.results[trial.number])}
                for trial in self.trials
            ],
        }
        write_text(self.folder / "sweep.json", json.dumps(content, indent=2) + "\n")
        write_text(self.folder / "sweep.csv", self._csv())

    def _csv(self) -> str:
        measured = self.measured
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        header = ["folder", *self.swept, "state", "step", "epoch", *(f"test_{name}" for name in measured)]
        writer.writerow([*header, "seconds", "error"])
        for trial in self.trials:
            result = self.results[trial.number]
            measures = [result.measures.get(name, "") for name in measured]
            row = [trial.folder.name, *trial.values.values(), result.state, result.step, result.epoch, *measures]
            writer.writerow([*row, result.seconds, result.error])
        return text.getvalue()

    @property
    def measured(self) -> list[str]:
        """The names of what was measured."""
        return list(dict.fromkeys(name for result in self.results.values() for name in result.measures))


def shown(value: Any) -> str:
    """A value as a person writes it: 1e-05, 0.001."""
    short = f"{value:g}" if isinstance(value, float) else str(value)
    return short if not isinstance(value, float) or float(short) == value else repr(value)


def sweep_in(folder: Path, recipe: Recipe, trials: Sequence[Values]) -> Sweep:
    """The sweep of these trials in `folder`, begun there or resumed.

    InputError where the folder holds another, or the recipe allows none of the trials.
    """
    made = _trials(folder, recipe, trials)
    _require_one_allowed(made)
    if (folder / "sweep.json").exists():
        if not _is_of(folder, recipe, trials):
            raise InputError(f"{folder} holds another sweep: give a new folder.")
        return Sweep(folder, recipe, made, _results(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(not path.match(".*.part") for path in folder.iterdir()):
            raise InputError(f"{folder} is not empty and holds no sweep: give a new folder.")
    except OSError as error:
        raise cannot_write(folder, error) from error
    sweep = Sweep(folder, recipe, made, {trial.number: Result() for trial in made})
    sweep.write()
    return sweep


def _require_one_allowed(trials: Sequence[Trial]) -> None:
    errors = []
    for trial in trials:
        try:
            _ = trial.recipe
            return
        except InputError as error:
            errors.append(error)
    raise errors[0]


def reopened(sweep: Sweep) -> Sweep:
    """The sweep with the results that its folder tells of."""
    return dataclasses.replace(sweep, results=_results(sweep.folder))


def folder_for(recipe: Recipe, trials: Sequence[Values]) -> Path:
    """Where this very sweep was begun, below sweeps/; otherwise the next number there."""
    pattern = f"{recipe.model}-{{}}"
    for folder in sorted(Path("sweeps").glob(pattern.format("*")), key=lambda path: (len(path.name), path.name)):
        if (folder / "sweep.json").exists() and _is_of(folder, recipe, trials):
            return folder
    return free_path(Path("sweeps"), pattern)


def _is_of(folder: Path, recipe: Recipe, trials: Sequence[Values]) -> bool:
    """Whether the folder's sweep is of this recipe and these trials."""
    content = _content(folder)
    told = [trial["values"] for trial in content["trials"]]
    return content["recipe"] == _plain(recipe) and told == list(trials)


def _plain(recipe: Recipe) -> dict[str, Any]:
    """As JSON gives it back: with lists for tuples."""
    return json.loads(json.dumps(dataclasses.asdict(recipe)))


def _content(folder: Path) -> dict[str, Any]:
    path = folder / "sweep.json"
    content = read_json(path)
    require(content, {"recipe": dict, "trials": list[dict]}, str(path))
    kinds = {"values": dict, "state": State, "step": int, "epoch": float, "measures": dict[str, float]}
    for number, trial in enumerate(content["trials"], 1):
        require(trial, {**kinds, "seconds": float, "error": str}, f"{path}: trial {number}")
    return content


def _results(folder: Path) -> dict[int, Result]:
    names = [one.name for one in dataclasses.fields(Result)]
    told = enumerate(_content(folder)["trials"], 1)
    return {number: Result(**{name: trial[name] for name in names}) for number, trial in told}


def _trials(folder: Path, recipe: Recipe, trials: Sequence[Values]) -> list[Trial]:
    made = []
    for number, values in enumerate(trials, 1):
        name = ",".join(f"{key}={shown(value)}" for key, value in values.items())
        safe = re.sub(r"[^\w.,=+-]", "-", name)[:LONGEST_NAME]
        made.append(Trial(number, values, recipe, folder / f"{number}-{safe}"))
    return made
