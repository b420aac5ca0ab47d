"""What computes the steps of a training: handmade itself, or PyTorch (torch_engine), for the same loop."""

from typing import Any, TypeVar

from handmade.tasks.task import Outcome, Task

T = TypeVar("T")


class Engine:
    """handmade's own. Another engine has the weights and the optimizer's state elsewhere: on a GPU, in many processes.

    The loop calls `loss` and `learn` for each step, and `collect` before it looks at what was learned. Where several
    processes train together, all of them go through the same loop and call the same methods in the same order.
    """

    def __init__(self, task: Task) -> None:
        self.task = task

    def begin(self) -> None:
        """Called once, before the first step, when the task has the weights and the state that training begins from."""

    def loss(self, batch: Any) -> Outcome:
        """The loss on a batch, for `learn`."""
        return self.task.loss(batch)

    def learn(self, outcome: Outcome) -> float:
        """Take an optimizer step by the last loss; returns the learning rate of that step."""
        return self.task.learn(outcome)

    def collect(self) -> None:
        """Put what was learned so far into the task: weights, optimizer's state, what the next batch needs."""

    def agreed(self, wish: bool) -> bool:
        """Whether any of the processes wishes it."""
        return wish

    def shared(self, value: T) -> T:
        """The value that the first of the processes has."""
        return value
