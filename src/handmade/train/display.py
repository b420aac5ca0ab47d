"""What is shown during training: a live progress bar on a terminal, a line every few seconds in a pipe or a file."""

import sys
import time
from abc import abstractmethod
from contextlib import AbstractContextManager
from textwrap import indent

from handmade.tasks.task import Task
from handmade.terminal import for_stream, redraws
from handmade.train.duration import in_words
from handmade.train.metrics import Line

FEW_SECONDS = 5.0
"""Between two lines of a training whose progress goes to a pipe or a file, at the beginning."""


class Display(AbstractContextManager):
    """Open while the loop runs."""

    def begin(self, step: int) -> None:
        """Before the first step: how many were made in earlier sessions."""

    def say(self, text: str) -> None:
        """A sentence for who looks on, before the first step."""
        print(for_stream(text, sys.stderr), file=sys.stderr, flush=True)

    def hold(self) -> None:
        """Before each step, with all of the last one done: training waits until this returns."""

    @abstractmethod
    def step(self, step: int, means: dict[str, float], per_second: float) -> None:
        """After each step: the means of the epoch so far, and how many examples are learned from in a second."""

    @abstractmethod
    def epoch(self, line: Line) -> None:
        """After each epoch: its line of the metrics."""


def display_of(task: Task) -> Display:
    """The live display when stderr, where both write, is a terminal that draws lines anew; otherwise the plain one."""
    return LiveDisplay(task) if redraws(sys.stderr) else PlainDisplay(task)


class PlainDisplay(Display):
    """A line an epoch, and one every few seconds in between: for pipes and files."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.begin(0)

    def __exit__(self, *exception: object) -> None:
        pass

    def begin(self, step: int) -> None:
        self.first, self.begun = step, time.monotonic()
        self.said = self.begun

    def step(self, step: int, means: dict[str, float], per_second: float) -> None:
        now = time.monotonic()
        trained = now - self.begun
        if now - self.said < min(max(FEW_SECONDS, trained / 60), 60):  # of a long training a line a minute
            return
        self.said = now
        total = self.task.total_steps
        epoch = (step - 1) // self.task.steps_per_epoch + 1
        left = trained / (step - self.first) * (total - step)
        self.say(
            f"epoch {epoch}/{epochs(self.task)}  step {step:,} of {total:,}  {measures_text(means)}  "
            f"{per_second:,.0f} {self.task.unit}/s  about {in_words(left)} left"
        )

    def epoch(self, line: Line) -> None:
        self.say(epoch_text(line, self.task))


class LiveDisplay(Display):
    """A bar over all steps, with the time left; the epochs' lines stay above it."""

    def __init__(self, task: Task) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.task = task
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[measures]}"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(stderr=True, highlight=False),
            expand=True,
            transient=True,
        )
        self.row = self.bar.add_task("starting", total=task.total_steps, measures="")

    def __enter__(self) -> "LiveDisplay":
        self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.stop()

    def begin(self, step: int) -> None:
        self.bar.reset(self.row, completed=step, total=self.task.total_steps)

    def step(self, step: int, means: dict[str, float], per_second: float) -> None:
        epoch = (step - 1) // self.task.steps_per_epoch + 1
        measures = f"{measures_text(means)}  {per_second:,.0f} {self.task.unit}/s"
        self.bar.update(self.row, completed=step, description=f"epoch {epoch}/{epochs(self.task)}", measures=measures)

    def epoch(self, line: Line) -> None:
        # a sample may hold square brackets and colons, which are no markup
        self.bar.console.print(epoch_text(line, self.task), markup=False, emoji=False)


def epochs(task: Task) -> int:
    """How many epochs the run has; one that is not whole counts."""
    return -(-task.total_steps // task.steps_per_epoch)


def epoch_text(line: Line, task: Task) -> str:
    """'epoch  3/12  train: loss 0.412, accuracy 84.9 %  test: loss 0.398, accuracy 85.8 %  21 s', and any sample."""
    last = epochs(task)
    number = -(-line["step"] // task.steps_per_epoch)
    parts = [f"{split}: {measures_text(measures_of(line, split))}" for split in ("train", "test")]
    head = "  ".join([f"epoch {number:{len(str(last))}}/{last}", *parts, f"{line['seconds']:.0f} s"])
    return "\n".join([head, indent(line["sample"], "    ")]) if "sample" in line else head


def measures_of(line: Line, split: str) -> dict[str, float]:
    """The measures of 'train' or 'test' in an epoch's line: {'loss': ...} of {'test_loss': ...}."""
    return {name.removeprefix(f"{split}_"): value for name, value in line.items() if name.startswith(f"{split}_")}


def measures_text(measures: dict[str, float]) -> str:
    """'loss 0.412, accuracy 84.9 %'."""
    return ", ".join(f"{name} {measure_text(name, value)}" for name, value in measures.items())


def measure_text(name: str, value: float) -> str:
    return f"{value:.1%}".replace("%", " %") if name == "accuracy" else f"{value:.3f}"
