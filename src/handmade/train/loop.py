"""The training loop: steps, evaluation after each epoch, metrics and checkpoints, for any task."""

import math
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, get_type_hints

import numpy as np
from threadpoolctl import threadpool_limits

from handmade.engine import random
from handmade.errors import InputError
from handmade.files import locked
from handmade.reading import require
from handmade.tasks.task import Outcome, Task
from handmade.train.checkpoint import first_nonfinite, load_checkpoint, save_checkpoint
from handmade.train.curves import draw_curves
from handmade.train.display import Display
from handmade.train.divergence import Diverged, find_culprit
from handmade.train.engine import Engine
from handmade.train.interrupt import Interrupt
from handmade.train.memory import keep_freed_memory
from handmade.train.metrics import MetricsLog
from handmade.train.run import Run

LOG_STEPS = 10
"""Steps between two lines of metrics.jsonl."""


@dataclass
class Progress:
    """How far training has come; saved in every checkpoint.

    seconds: training time so far, over all sessions. count, totals: sums over the examples of the current epoch.
    """

    step: int = 0
    seconds: float = 0.0
    count: int = 0
    totals: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.step < 0 or self.count < 0 or self.seconds < 0:
            raise ValueError(f"its progress is {self.step} steps, {self.count} examples, {self.seconds} seconds")

    def add(self, loss: float, outcome: Outcome) -> None:
        self.step += 1
        self.count += outcome.count
        for name, total in {"loss": loss * outcome.count, **outcome.totals}.items():
            self.totals[name] = self.totals.get(name, 0.0) + total

    def means(self) -> dict[str, float]:
        return {name: total / self.count for name, total in self.totals.items()}

    def start_epoch(self) -> None:
        self.count, self.totals = 0, {}


class Trainer:
    """Trains the task of a run, from the run's checkpoint where it has one.

    The result depends on the recipe alone: a run that was stopped or killed at any moment and resumed ends with exactly
    the same weights as one that was not (on the same machine, with the same number of threads).

    engine: what computes the steps; by default handmade itself.
    """

    def __init__(self, task: Task, run: Run, display: Display, engine: Engine | None = None) -> None:
        self.task = task
        self.run = run
        self.display = display
        self.engine = engine or Engine(task)
        self.progress = Progress()
        state = self.engine.shared(load_checkpoint(run.checkpoint) if run.checkpoint.exists() else None)
        if state is not None:
            self._restore(state)
        self.saved_step = self.progress.step

    def train(self) -> bool:
        """Train to the end and draw the pictures; False if Ctrl-C stopped it earlier, with everything saved.

        Raises Diverged when the loss is no longer a number, InputError when a file cannot be written or another process
        trains this run; the last good checkpoint is kept.
        """
        with self._writing():
            return self._train()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The run's folder is this process's alone, and its metrics are open."""
        with locked(self.run.folder, f"{self.run.folder} is in use: another process trains it. Wait until it ends."):
            self.run.remove_unfinished()
            with closing(MetricsLog(self.run.metrics, self.progress.step, self.display.say)) as self.log:
                yield

    def _train(self) -> bool:
        keep_freed_memory()
        self.engine.begin()
        self.saved_at = self.started = time.monotonic()
        self.seconds_before = self.progress.seconds
        # NumPy need not warn of an overflow: it reaches the loss, and is reported there with its place.
        threads = threadpool_limits(self.run.recipe.threads, user_api="blas")
        with threads, Interrupt() as interrupt, self.display, np.errstate(all="ignore"):
            self.display.begin(self.progress.step)
            for batch in self._batches():
                self._hold()
                if self.engine.agreed(interrupt.came):
                    self.save()
                    break
                self._step(batch)
                epoch_ends = self.progress.step % self.task.steps_per_epoch == 0 or self.done
                if epoch_ends:
                    self._end_epoch()
                stops = self.engine.agreed(interrupt.came)
                if epoch_ends or stops or self.engine.agreed(self._checkpoint_is_due()):
                    self._save(with_model=epoch_ends or stops)
                if stops:
                    break
        if self.done:
            self._finish()
        return self.done

    def save(self) -> None:
        """Write the checkpoint and the model as they are; between two steps."""
        self._save(with_model=True)

    def keep_length(self) -> int:
        """Have the folder of a run that is trained longer (`Run.longer`) remember it: the steps made so far.

        Raises InputError where they are as many as its length, or more.
        """
        made, total = self.progress.step, self.task.total_steps
        if made >= total:
            raise InputError(
                f"{self.run.folder} has made {made:,} steps already: give a length beyond {total:,} steps."
            )
        self.run.write_config()
        return made

    @property
    def done(self) -> bool:
        return self.progress.step >= self.task.total_steps

    def _batches(self) -> Iterator[Any]:
        """The batches from the step that training has come to, over all epochs that are left."""
        while not self.done:
            epoch, start = divmod(self.progress.step, self.task.steps_per_epoch)
            self.task.model.train()
            self.epoch_started, self.count_before = time.monotonic(), self.progress.count
            for batch in self.task.batches(epoch, start):
                yield batch
                if self.done:
                    return

    def _hold(self) -> None:
        """Wait as long as the display does; that is no time of training."""
        before = time.monotonic()
        self.display.hold()
        held = time.monotonic() - before
        self.started += held
        self.epoch_started += held

    def _step(self, batch: Any) -> None:
        """One step of the optimizer."""
        drawn_from = random.get_state()
        outcome = self.engine.loss(batch)
        loss = outcome.loss.item()
        if not math.isfinite(loss):
            self.engine.collect()
            random.set_state(drawn_from)
            culprit = find_culprit(self.task, batch)
            raise self._diverged(f"the loss is {loss} at step {self.progress.step + 1}: {culprit}")
        rate = self.engine.learn(outcome)
        self.progress.add(loss, outcome)
        self._report_step(loss, outcome, rate)

    def _report_step(self, loss: float, outcome: Outcome, learning_rate: float) -> None:
        progress = self.progress
        progress.seconds = self.seconds_before + time.monotonic() - self.started
        per_second = (progress.count - self.count_before) / (time.monotonic() - self.epoch_started)
        self.display.step(progress.step, progress.means(), per_second)
        if progress.step % LOG_STEPS == 0:
            self.log.append(
                {
                    "step": progress.step,
                    "epoch": progress.step / self.task.steps_per_epoch,
                    "loss": loss,
                    **{name: total / outcome.count for name, total in outcome.totals.items()},
                    "learning_rate": learning_rate,
                    "seconds": round(progress.seconds, 3),
                    f"{self.task.unit}_per_second": round(per_second, 1),
                }
            )

    def _end_epoch(self) -> None:
        """Evaluate the model, and write the epoch's metrics."""
        progress = self.progress
        self.engine.collect()
        tested = self.task.evaluate()
        if not math.isfinite(tested["loss"]):
            raise self._diverged(f"the loss on the test data is {tested['loss']} after step {progress.step}")
        progress.seconds = self.seconds_before + time.monotonic() - self.started
        line = {
            "step": progress.step,
            "epoch": progress.step / self.task.steps_per_epoch,
            **{f"train_{name}": value for name, value in progress.means().items()},
            **{f"test_{name}": value for name, value in tested.items()},
            "seconds": round(progress.seconds, 3),
        }
        sample = self.task.sample()
        if sample is not None:
            line["sample"] = sample
        self.log.append(line)
        self.display.epoch(line)
        progress.start_epoch()

    def _checkpoint_is_due(self) -> bool:
        return time.monotonic() - self.saved_at >= self.run.recipe.checkpoint_seconds

    def _save(self, with_model: bool) -> None:
        """Write the checkpoint, unless it would not be good.

        It is written last: a killed run repeats the steps since its last checkpoint, and rewrites the other files.
        """
        self.engine.collect()
        state = {
            "model": {name: tensor.array for name, tensor in self.task.model.state_dict().items()},
            "optimizer": self.task.optimizer.state_dict(),
            "schedule": self.task.schedule.state_dict(),
            "random": random.get_state(),
            "task": self.task.state(),
            "progress": asdict(self.progress),
        }
        broken = first_nonfinite(state)
        if broken:
            raise self._diverged(f"{broken} is no longer finite after step {self.progress.step}")
        if self.run.made_again() or not self.run.metrics.exists():
            self.log.write_again()
            self.display.say(f"{self.run.folder} was removed while it trained. It is made again; nothing is lost.")
            with_model = True
        if with_model:
            self.run.save_model(self.task.model)
        self.log.sync()
        save_checkpoint(self.run.checkpoint, state)
        self.saved_at, self.saved_step = time.monotonic(), self.progress.step

    def _restore(self, state: dict[str, Any]) -> None:
        """Continue from the state that a checkpoint holds."""
        try:
            require(state, dict.fromkeys(("model", "optimizer", "schedule", "random", "task", "progress"), dict), "it")
            require(state["progress"], get_type_hints(Progress), "its progress")
            self.progress = Progress(**state["progress"])
            self.task.model.load_state_dict(state["model"])
            self.task.optimizer.load_state_dict(state["optimizer"])
            self.task.schedule.load_state_dict(state["schedule"])
            random.set_state(state["random"])
            self.task.load_state(state["task"])
            reached = state["schedule"].get("last_epoch", self.progress.step)
            if reached != self.progress.step:
                raise ValueError(f"its schedule is at step {reached}, not {self.progress.step}")
        except (RuntimeError, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
            raise InputError(f"{self.run.checkpoint} is not of this run's {self.run.recipe.model}: {error}") from error

    def _diverged(self, what: str) -> Diverged:
        kept = f"keeps the checkpoint of step {self.saved_step}" if self.saved_step else "has no checkpoint yet"
        return Diverged(f"training diverged: {what}. A lower learning rate may help. {self.run.folder} {kept}.")

    def _finish(self) -> None:
        """The pictures."""
        recipe = self.run.recipe
        title = f"{recipe.model} learns {recipe.data}"
        draw_curves(self.run.folder / "curves.png", self.log.lines, title)
        self.task.draw(self.run.folder)
