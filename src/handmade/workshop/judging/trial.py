"""A trial: what a solution gave on the cases of an exercise, beside what is right there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handmade.workshop.cell.cases import Case, Result
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.comparison import agree
from handmade.workshop.judging.counterfactuals import RIGHT, Counterfactuals, Switches
from handmade.workshop.judging.shapes import Sizes
from handmade.workshop.judging.signatures import parameter_name


@dataclass(frozen=True)
class Trial:
    """One solution's trial, on all cases or on some.

    reference: what the reference gives on the cases, right and under any switches.
    results: what the solution gave, one result for each case.
    numbers: which of the cases are looked at.
    """

    reference: Counterfactuals
    results: Sequence[Result]
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, reference: Counterfactuals, results: Sequence[Result]) -> "Trial":
        """The trial on all cases for which there is a result."""
        return cls(reference, results, tuple(range(len(results))))

    def on(self, numbers: Iterable[int]) -> "Trial":
        """The same, looked at on these cases only."""
        return replace(self, numbers=tuple(numbers))

    @property
    def exercise(self) -> Exercise:
        return self.reference.exercise

    def case(self, number: int) -> Case:
        return self.reference.cases[number]

    def agrees(self, number: int, switches: Switches = RIGHT) -> bool:
        """Whether the solution gave on this case what the reference gives under these switches."""
        return self.reference.agrees(self.results[number], switches, number)

    def explain(self) -> Switches | None:
        """The fewest switches under which the reference gives what the solution gave: conventions alone, then one
        fault (under the usual conventions, then under another), then two. None where no combination does, and where
        the solution gave nothing but errors."""
        if all(self.results[number].outputs is None for number in self.numbers):
            return None
        return next((which for which in self.reference.candidates() if self.is_explained_by(which)), None)

    def is_explained_by(self, switches: Switches) -> bool:
        """Whether the reference under these switches gives all that the solution gave."""
        return all(self.agrees(number, switches) for number in self.numbers)

    def expected(self, number: int) -> dict[str, Any]:
        """The right outputs by name."""
        return self.reference.result(RIGHT, number).outputs or {}

    def output(self, number: int, name: str) -> Any:
        """What the solution gave for this output; None where it gave none."""
        return (self.results[number].outputs or {}).get(name)

    def is_right(self, number: int, name: str) -> bool:
        """Whether this output is right."""
        mine, expected = self.results[number].outputs, self.reference.result(RIGHT, number).outputs
        if mine is None or expected is None:
            return mine is expected
        return agree(mine.get(name), expected[name], self.exercise.rtol, self.exercise.atol)

    def arguments(self, number: int) -> dict[str, Any]:
        """The case's arguments by the names that the exercise gives them."""
        case = self.case(number)
        by_position = {parameter_name(self.exercise, case, "args", n): value for n, value in enumerate(case.args)}
        return {**by_position, **case.options}

    def sizes(self, number: int) -> Sizes:
        """The whole numbers among the arguments and the axes of the arrays, counted from both ends, by name."""
        arguments = self.arguments(number)
        sizes = {f"{n} (the argument)": v for n, v in arguments.items() if isinstance(v, int) and v > 1}
        for name, value in arguments.items():
            if isinstance(value, np.ndarray):
                sizes |= {f"axis {axis} of {name}": size for axis, size in enumerate(value.shape)}
                sizes |= {f"axis {axis - value.ndim} of {name}": size for axis, size in enumerate(value.shape)}
        return sizes
