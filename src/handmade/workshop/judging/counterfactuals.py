"""Which mistake was made: the reference is run under every fault, then every pair, until one gives the same results."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from handmade.workshop.cell.cases import Case, Result
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.comparison import same_result

Switches = frozenset[str]


@dataclass
class Counterfactuals:
    """What the reference gives on a case under any switches, each computed once, when it is first asked for."""

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

    def explain(self, got: Sequence[Result], numbers: Iterable[int] | None = None) -> Switches | None:
        """The fewest switches under which the reference gives what the solution gave, on all cases or those of these
        numbers: conventions alone, then one fault (under the usual conventions, then under another), then two. None
        where no combination does, and where the solution gave nothing but errors."""
        numbers = list(range(len(self.cases)) if numbers is None else numbers)
        if all(got[number].outputs is None for number in numbers):
            return None
        return next((which for which in self._candidates() if self._reproduces(which, got, numbers)), None)

    def single_faults(self, got: Sequence[Result]) -> list[str]:
        """Every single fault that reproduces the solution: more than one where the cases do not tell them apart."""
        numbers = range(len(self.cases))
        return [fault for fault in self.exercise.faults if self._reproduces(frozenset([fault]), got, numbers)]

    def agrees(self, got: Result, switches: Switches, number: int) -> bool:
        """Whether the solution gave on this case what the reference gives under these switches."""
        return same_result(got, self.result(switches, number), self.exercise.rtol, self.exercise.atol)

    def _candidates(self) -> Iterator[Switches]:
        faults, conventions = self.exercise.faults, self.exercise.conventions
        yield frozenset()
        for count in (1, 2):
            yield from map(frozenset, combinations(conventions, count))
        for fault in faults:
            yield frozenset([fault])
        for fault in faults:
            for convention in conventions:
                yield frozenset([fault, convention])
        yield from map(frozenset, combinations(faults, 2))

    def _reproduces(self, switches: Switches, got: Sequence[Result], numbers: Iterable[int]) -> bool:
        return all(self.agrees(got[number], switches, number) for number in numbers)
