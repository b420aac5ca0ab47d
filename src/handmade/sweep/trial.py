"""One trial: a run folder that is trained to its end, whatever happened to it before; and what is told on the way."""

import time
from collections.abc import Callable
from pathlib import Path

from handmade.files import locked
from handmade.kernels.threads import set_num_threads
from handmade.sweep.record import Trial
from handmade.tasks.task import Task
from handmade.train import Run, Trainer, new_run, open_run
from handmade.train.display import Display
from handmade.train.metrics import Line, read_metrics

Report = Callable[[float, float], None]
"""report(percent, loss): how much of the trial's length is done, and the loss on the test data by then."""

LOOK = 0.5
"""Seconds between two looks at whether the sweep is to stop."""


class Stopped(Exception):
    """The sweep is to stop; the trial is saved and can be resumed."""


class Reporting(Display):
    """Reports every evaluation, once the model that was evaluated is saved, and stops when `stop` exists."""

    def __init__(self, task: Task, run: Run, report: Report, stop: Path) -> None:
        self.task, self.report, self.stop = task, report, stop
        self.line: Line | None = None
        self.looked = 0.0
        self.trainer = Trainer(task, run, self)

    def __exit__(self, *exception: object) -> None:
        pass

    def say(self, text: str) -> None:
        pass

    def hold(self) -> None:
        line, self.line = self.line, None
        if line is not None:
            self.report(100 * line["step"] / self.task.total_steps, line["test_loss"])
        now = time.monotonic()
        if now - self.looked >= LOOK:
            self.looked = now
            if self.stop.exists():
                self.trainer.save()
                raise Stopped

    def step(self, step: int, means: dict[str, float], per_second: float) -> None:
        pass

    def epoch(self, line: Line) -> None:
        self.line = line


def run_trial(trial: Trial, threads: int, report: Report, stop: Path) -> None:
    """Train the trial's run to its end, from its checkpoint if it has one, and report every evaluation.

    Raises Stopped when the file `stop` appears, and what training raises.
    """
    set_num_threads(threads)
    if trial.folder.is_dir():
        with locked(trial.folder):  # the process of a sweep that was killed may be about to end
            pass
    begun = (trial.folder / "config.json").exists()
    run = open_run(trial.folder) if begun else None
    task = trial.recipe.task() if run is None else run.task()
    run = run or new_run(trial.recipe, task.facts, trial.folder)
    trainer = Reporting(task, run, report, stop).trainer
    if not (trainer.done and (trial.folder / "curves.png").exists()):
        trainer.train()
    last = [line for line in read_metrics(run.metrics) if "test_loss" in line][-1]
    report(100.0, last["test_loss"])
