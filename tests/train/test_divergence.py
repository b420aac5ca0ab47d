"""Which layer was the first to go wrong."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import handmade
from handmade import nn
from handmade.engine import Tensor
from handmade.tasks import Outcome, Task
from handmade.train.divergence import find_culprit


class Twice(nn.Module):
    """A module with parts, and an output that is a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Linear(4, 3)
        self.right = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        return self.left(x), [self.right(x)]


class Head(nn.Module):
    def forward(self, parts: tuple[Tensor, list[Tensor]]) -> Tensor:
        return parts[0] + parts[1][0]


class Sum(Task):
    """The sum of all outputs is the loss."""

    def __init__(self) -> None:
        body = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
        self.model = nn.Sequential({"body": body, "twice": Twice(), "head": Head()})

    def batches(self, epoch: int, start: int) -> Iterator[Tensor]:
        raise NotImplementedError

    def loss(self, batch: Tensor) -> Outcome:
        return Outcome(self.model(batch).sum(), len(batch), {})

    def evaluate(self) -> dict[str, float]:
        raise NotImplementedError

    def draw(self, folder: Path) -> list[Path]:
        raise NotImplementedError


@pytest.fixture
def task() -> Sum:
    return Sum()


def culprit(task, batch=None) -> str:
    batch = handmade.randn(2, 4) if batch is None else batch
    with np.errstate(all="ignore"):
        return find_culprit(task, batch)


def test_the_innermost_layer_is_named_with_its_parameter(task):
    task.model.body[0].weight.array[1, 2] = np.nan
    assert culprit(task) == "the first layer whose output is not finite is body.0 (Linear), and so is its weight"


def test_a_layer_after_finite_ones_is_named(task):
    task.model.twice.right.bias.array[0] = -np.inf
    assert culprit(task) == "the first layer whose output is not finite is twice.right (Linear), and so is its bias"


def test_a_layer_that_overflows_is_named_without_a_parameter(task):
    task.model.twice.left.weight.array[:] = 3e38
    task.model.body[1] = nn.Identity()
    assert (
        culprit(task, handmade.full((2, 4), 1e3)) == "the first layer whose output is not finite is twice.left (Linear)"
    )


def test_a_batch_that_is_not_finite_is_blamed_itself(task):
    batch = handmade.randn(2, 4)
    batch.array[1, 3] = np.nan
    assert culprit(task, batch) == "body.0 (Linear) was given an input that is not finite"


def test_failing_that_a_gradient_is_named(task):
    task.model.twice.left.weight.grad = Tensor(np.full((3, 4), np.nan, np.float32))
    assert culprit(task) == "the gradient of twice.left.weight is not finite"


def test_failing_that_a_parameter_is_named(task):
    task.model.unused = nn.Linear(1, 1)
    task.model.forward = lambda x: task.model.body(x)
    task.model.unused.bias.array[0] = np.inf
    assert culprit(task) == "the parameter unused.bias is not finite"


class Own(nn.Module):
    """A layer of several operations, a mask of -inf among them."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = x.masked_fill(np.array([True, False, False, False]), -np.inf).softmax(-1)
        return (hidden - 1).log() * 2


def test_the_operation_is_named_where_there_are_several(task):
    task.model.body[1] = Own()
    assert culprit(task) == "the first layer whose output is not finite is body.1 (Own), in its operation log"


def test_an_operation_of_the_loss_is_named(task):
    task.loss = lambda batch: Outcome((task.model(batch) * 0).log().sum(), len(batch), {})
    assert culprit(task) == "every layer's output is finite, but not the loss's operation log"


def test_otherwise_it_is_the_loss(task):
    assert culprit(task) == "every layer's output is finite, so the loss function itself made it"


def test_no_hook_stays_behind(task):
    culprit(task)
    assert not any(module._forward_hooks for module in task.model.modules())
