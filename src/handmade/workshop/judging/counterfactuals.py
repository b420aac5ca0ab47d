"""What the reference returns: right, and under every fault, convention and pair of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

from handmade.workshop.cell.cases import Case, Result
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.comparison import same_result

Switches = frozenset[str]

RIGHT: Switches = frozenset()
"""No switch: the reference as it is."""


@dataclass(eq=False)
class Counterfactuals:
    """What the reference returns on a case under any switches; each is computed once, on first use."""

    exercise: Exercise
    cases: list[Case]
    known: dict[tuple[Switches, int], Result] = field(default_factory=dict)

    def __getitem__(self, switches: Switches) -> list[Result]:
        return [self.result(switches, number) for number in range(len(self.cases))]

    def result(self, switches: Switches, number: int) -> Result:
        key = switches, number
        if key not in self.known:
            (self.known[key],) = self.exercise.run([self.cases[number]], switches)
        return self.known[key]

    def agrees(self, got: Result, switches: Switches, number: int) -> bool:
        """Whether a result on this case is what the reference returns under these switches."""
        return same_result(got, self.result(switches, number), self.exercise.rtol, self.exercise.atol)

    def candidates(self) -> Iterator[Switches]:
        """Every combination of switches that may explain a solution, in the order in which they are tried."""
        faults, conventions = self.exercise.faults, self.exercise.conventions
        yield RIGHT
        for count in (1, 2):
            yield from map(frozenset, combinations(conventions, count))
        for fault in faults:
            yield frozenset([fault])
        for fault in faults:
            for convention in conventions:
                yield frozenset([fault, convention])
        yield from map(frozenset, combinations(faults, 2))
