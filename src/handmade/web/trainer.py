"""The process that trains while pages look on: python -m handmade.web.trainer RUN.

It is one of its own: a run takes Ctrl-C as the wish to be saved, and that reaches a main thread only; and what a
learner's function does to it does not touch the pages. Orders come as lines of JSON on stdin, and are obeyed between
two steps: {"do": "pause"}, "go", "rate" with a "factor", "fork", "stop". What happens goes as lines of JSON to stdout:
{"event": "steps", "data": {...}}. When stdin ends, because the server is gone, the run is saved.
"""

import argparse
import json
import math
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from handmade.errors import InputError, printable
from handmade.lens.learning import chance_loss, gradient_norms_by_layer, layers_of, total_norm
from handmade.recipes import faulty, recipe_of
from handmade.tasks import Outcome, Task, changed
from handmade.tasks.schedules import scale_rate
from handmade.train import Run, Trainer, new_run, open_run
from handmade.train.display import Display
from handmade.train.interventions import intervened
from handmade.train.metrics import Line

FRAME = 0.1
"""Seconds between two lines about steps: more are not seen."""

SHARE = 0.02
"""Of the training's processor time, what looking at gradients and telling may take."""

Tell = Callable[..., None]
"""tell(event, **data)."""


class Steered(Display):
    """What would be a progress bar: it tells what happens, and lets orders in."""

    def __init__(self, task: Task, run: Run, orders: "queue.SimpleQueue[dict[str, Any]]", tell: Tell) -> None:
        self.task, self.run, self.orders, self.tell = task, run, orders, tell
        self.paused = False
        self.at = 0
        self.losses: list[float] = []
        self.norms: dict[str, float] = {}
        self.sent = self.sent_at = -math.inf  # by the clock, and in processor time
        self.cost = 0.0  # processor time of the last frame
        own = task.backpropagate

        def backpropagate(outcome: Outcome) -> None:
            own(outcome)
            self.losses.append(outcome.loss.item())
            begun = time.thread_time()
            if time.monotonic() - self.sent >= FRAME and begun - self.sent_at >= self.cost / SHARE:
                self.norms = gradient_norms_by_layer(task.model)  # this step will be told
                self.cost = time.thread_time() - begun

        task.backpropagate = backpropagate  # pyright: ignore[reportAttributeAccessIssue]
        self.trainer = Trainer(task, run, self)

    def __exit__(self, *exception: object) -> None:
        self._tell_steps()

    def begin(self, step: int) -> None:
        self.at = step
        task, facts = self.task, self.task.facts
        choices = len(facts.get("characters") or facts.get("classes") or ())
        self.tell(
            "begun",
            run=self.run.folder.as_posix(),
            network=self.run.recipe.model,
            data=self.run.recipe.data,
            step=step,
            steps=task.total_steps,
            epoch=task.steps_per_epoch,
            unit=task.unit,
            parameters=sum(parameter.array.size for parameter in task.model.parameters()),
            layers=list(layers_of(task.model)),
            choices=choices,
            chance=chance_loss(choices) if choices else None,
            rate=task.schedule.get_last_lr()[0],
        )

    def say(self, text: str) -> None:
        self.tell("said", text=text)

    def hold(self) -> None:
        while True:
            try:
                order = self.orders.get(block=self.paused)
            except queue.Empty:
                return
            self._obey(order)

    def step(self, step: int, means: dict[str, float], per_second: float) -> None:
        self.at, self.per_second = step, per_second
        if self.norms:
            self._tell_steps()

    def epoch(self, line: Line) -> None:
        self._tell_steps()
        self.tell("epoch", **line)

    def _tell_steps(self) -> None:
        """All steps since those that were told last; the gradients are those of the last."""
        if self.losses:
            begun = time.thread_time()
            self.tell(
                "steps",
                step=self.at,
                losses=self.losses,
                norm=total_norm(self.norms) if self.norms else None,
                norms=list(self.norms.values()),
                rate=self.task.schedule.get_last_lr()[0],
                per_second=self.per_second,
            )
            self.losses, self.norms, self.sent, self.sent_at = [], {}, time.monotonic(), time.thread_time()
            self.cost += self.sent_at - begun

    def _obey(self, order: dict[str, Any]) -> None:
        what = order["do"]
        self._tell_steps()
        if what in ("pause", "go"):
            self.paused = what == "pause"
            self.tell("paused" if self.paused else "going", step=self.at, absent=bool(order.get("absent")))
        elif what == "rate":
            rate = scale_rate(self.task.schedule, order["factor"])
            self.trainer.save()  # with the new rate, which is written down as it is in force
            self.tell("changed", **intervened(self.run.folder, self.at, "rate", factor=order["factor"], rate=rate))
        elif what == "fork":
            self.trainer.save()
            fork = self.run.fork()
            intervened(fork.folder, self.at, "fork", of=self.run.folder.as_posix())
            self.tell("forked", step=self.at, run=fork.folder.as_posix())
        elif what == "stop":
            self.paused = False
            signal.raise_signal(signal.SIGINT)  # as Ctrl-C: it is saved, and ends


def begun(given: argparse.Namespace) -> tuple[Task, Run]:
    """The run that is resumed, or a new one."""
    if given.run is not None:
        run = open_run(given.run)
        return run.task(), run
    if given.fault is not None:
        task = faulty.task_with(given.fault)
    else:
        task = changed(recipe_of(given.new), given.set).task()
    return task, new_run(task.recipe, task.facts, given.out)


def transplanted(task: Task, run: Run, file: Path) -> dict[str, Any]:
    """Put the learner's function into the model, if the judge passes the file. InputError where it does not."""
    from handmade.workshop.judging.verdict import Verdict
    from handmade.workshop.transplant import graft_for, passing_function, transplant

    graft = graft_for(run.recipe.model)
    found = passing_function(graft, file)
    if isinstance(found, Verdict):
        why = "; ".join(f"{finding.name}: {finding.message}" for finding in found.findings)
        raise InputError(f"the judge does not pass {file.name}, so it does not train. {printable(why)}")
    return {"exercise": graft.exercise, "places": transplant(task.model, graft, found)}


def train(given: argparse.Namespace, orders: "queue.SimpleQueue[dict[str, Any]]", tell: Tell) -> None:
    """Train to the end, or until an order or an error ends it; what became of it is told last."""
    task, run = begun(given)
    display = Steered(task, run, orders, tell)
    if given.yours is not None:
        code = transplanted(task, run, given.yours)
        tell("changed", **intervened(run.folder, display.trainer.progress.step, "code", **code))
    done = display.trainer.train()
    tell("ended", step=display.trainer.progress.step, done=done)


def orders_from_stdin() -> "queue.SimpleQueue[dict[str, Any]]":
    """The orders, as they come."""
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            orders.put(json.loads(line))
        orders.put({"do": "stop"})

    threading.Thread(target=read, daemon=True).start()
    return orders


def channel() -> TextIO:
    """What was stdout; what is printed from now on goes to stderr."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def teller(out: TextIO) -> Tell:
    """Tells in lines of JSON. A number that JSON lacks becomes null."""

    def tell(event: str, **data: Any) -> None:
        try:
            out.write(json.dumps({"event": event, "data": finite(data)}) + "\n")
            out.flush()
        except BrokenPipeError:
            pass  # the server is gone; stdin has ended too, and the run is saved

    return tell


def finite(value: Any) -> Any:
    """The same, with None for each number that is not finite."""
    if isinstance(value, dict):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m handmade.web.trainer")
    parser.add_argument("run", nargs="?", type=Path, help="the folder of a run to resume")
    parser.add_argument("--new", metavar="NETWORK", help="a new run by this network's recipe")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the recipe")
    parser.add_argument("--fault", help="a new run of a small GPT with this mistake")
    parser.add_argument("--out", type=Path, help="the folder of a new run")
    parser.add_argument("--with", dest="yours", type=Path, metavar="FILE", help="the learner's function, put in")
    given = parser.parse_args()
    tell = teller(channel())
    try:
        train(given, orders_from_stdin(), tell)
    except InputError as error:
        tell("failed", message=str(error))
        sys.exit(1)
    except Exception as error:
        traceback.print_exc()
        tell("failed", message=f"handmade failed on this: {type(error).__name__}: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
