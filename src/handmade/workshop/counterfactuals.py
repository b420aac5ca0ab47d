"""Which mistake was made: the reference is run under every fault, then every pair, until one gives the same results."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from handmade.workshop.cases import Case, Result
from handmade.workshop.comparison import same
from handmade.workshop.exercise import Exercise

Switches = frozenset[str]


@dataclass
class Counterfactuals:
    """What the reference gives under any switches, each computed once, when it is first asked for."""

    exercise: Exercise
    cases: list[Case]
    known: dict[Switches, list[Result]] = field(default_factory=dict)

    def __getitem__(self, switches: Switches) -> list[Result]:
        if switches not in self.known:
            self.known[switches] = self.exercise.run(self.cases, switches)
        return self.known[switches]

    def explain(self, got: Sequence[Result]) -> Switches | None:
        """The fewest switches under which the reference gives what the solution gave: conventions alone, then one fault
        (under the usual conventions, then under another), then two. None where no combination does."""
        return next((switches for switches in self._candidates() if self._reproduces(switches, got)), None)

    def single_faults(self, got: Sequence[Result]) -> list[str]:
        """Every single fault that reproduces the solution: more than one where the cases do not tell them apart."""
        return [fault for fault in self.exercise.faults if self._reproduces(frozenset([fault]), got)]

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

    def _reproduces(self, switches: Switches, got: Sequence[Result]) -> bool:
        return same(got, self[switches], self.exercise.rtol, self.exercise.atol)
