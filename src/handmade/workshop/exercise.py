"""An exercise: a statement, a reference with switches, cases that keep every fault apart from the truth, and hints."""

import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from handmade.workshop.cell.cases import Case, Result, run_case
from handmade.workshop.cell.drivers import DRIVERS
from handmade.workshop.switches import switched


@dataclass(frozen=True)
class Fault:
    """A mistake people make: what it is, what it does in training, how it is mended. A sentence or two each."""

    cause: str
    consequence: str
    mend: str


AUTOGRAD = (
    "torch.Tensor.backward",
    "torch.autograd.backward",
    "torch.autograd.grad",
    "torch.autograd.functional",
    "torch.func",
)
"""What would differentiate in the learner's place: forbidden where the gradient is what is asked for."""


@dataclass(frozen=True)
class Exercise:
    """One exercise, in the file of its name; the file's docstring is the statement.

    title, paper: what is built, and where it comes from (authors, year, section).
    minutes: what an interview would give.
    functions: the reference: the functions or the class that a solution defines, under these names. Their docstrings
        and signatures make the stub; their source, switches removed, is the solution shown.
    outputs: the names of what the driver gives, in order.
    cases: made from a generator; the same for every solution.
    faults, conventions: the switches by name. A convention's text says which one it is and who uses it.
    hints: three, each giving more away.
    driver: how a case is run; one of DRIVERS.
    may_change: the arguments that may be changed in place, as an optimiser's state.
    forbidden: what would do the work, as "torch.nn.functional.softmax"; importing handmade always is.
    with_drawn: where a solution may draw its last argument itself: the case with what it drew in that argument's place,
        None where that does not fit. What such a solution costs is said by `drawing`.
    rtol, atol: how near an output must come to the reference's.
    """

    title: str
    paper: str
    minutes: int
    functions: tuple[Callable[..., Any], ...]
    outputs: tuple[str, ...]
    cases: Callable[[np.random.Generator], Iterable[Case]]
    faults: dict[str, Fault]
    hints: tuple[str, str, str]
    conventions: dict[str, str] = field(default_factory=dict)
    driver: str = "call"
    may_change: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    with_drawn: Callable[[Case, list[np.ndarray]], Case | None] | None = None
    drawing: str = ""
    rtol: float = 1e-5
    atol: float = 1e-8

    @property
    def name(self) -> str:
        """The name of its file, as `handmade check` takes it."""
        return self.functions[0].__module__.rpartition(".")[2]

    @property
    def topic(self) -> str:
        """The folder that its file is in."""
        return self.functions[0].__module__.split(".")[-2]

    @property
    def statement(self) -> str:
        return inspect.cleandoc(sys.modules[self.functions[0].__module__].__doc__ or "")

    def all_cases(self, seed: int = 0) -> list[Case]:
        return list(self.cases(np.random.default_rng(seed)))

    def run(self, cases: Iterable[Case], switches: frozenset[str] = frozenset()) -> list[Result]:
        """What the reference gives under these switches."""
        solution = {function.__name__: function for function in self.functions}
        with switched(switches):
            return [run_case(DRIVERS[self.driver], solution, case, self.outputs) for case in cases]
