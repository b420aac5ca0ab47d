"""The audit of an exercise: does its judge reject every fault and name it, and accept every right solution?"""

from dataclasses import dataclass
from itertools import combinations
from types import ModuleType

from handmade.workshop.cell.cases import Result, run_case
from handmade.workshop.cell.drivers import DRIVERS
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.counterfactuals import Counterfactuals, Switches
from handmade.workshop.judging.trial import Trial
from handmade.workshop.variants import variants_of

GOALS = {"faults refused": 1.0, "faults named": 0.97, "pairs refused": 1.0, "pairs named": 0.85, "right accepted": 1.0}
"""The least share of each that the judge has to reach, over all exercises."""


@dataclass(frozen=True)
class Audit:
    """What the judge of one exercise makes of every fault, every pair and every right solution.

    singles, pairs: the faults, and what they were named; None if not recognised, () if they were accepted.
    ambiguous: single faults that the cases do not distinguish from another one.
    accepted: each right solution (variants and conventions) and whether it passes.
    stub_refused: whether a solution that does nothing is refused.
    """

    exercise: str
    singles: dict[tuple[str, ...], tuple[str, ...] | None]
    pairs: dict[tuple[str, ...], tuple[str, ...] | None]
    ambiguous: list[str]
    accepted: dict[str, bool]
    stub_refused: bool

    def counts(self) -> dict[str, list[bool]]:
        """For each goal, of each thing that counts, whether it is as it should be. The stub counts as a fault."""
        return {
            "faults refused": [named != () for named in self.singles.values()] + [self.stub_refused],
            "faults named": [named == fault for fault, named in self.singles.items()],
            "pairs refused": [named != () for named in self.pairs.values()],
            "pairs named": [named is not None and set(named) == set(pair) for pair, named in self.pairs.items()],
            "right accepted": list(self.accepted.values()),
        }

    def failures(self) -> list[str]:
        """What is not as it should be, but for pairs of which one is named."""
        lines = [f"fault {fault[0]!r} is named {named}" for fault, named in self.singles.items() if named != fault]
        lines += [
            f"faults {' and '.join(pair)} together are accepted" for pair, named in self.pairs.items() if named == ()
        ]
        lines += [f"fault {fault!r} is not the only one that gives its results" for fault in self.ambiguous]
        lines += [f"right, and refused: {style}" for style, accepted in self.accepted.items() if not accepted]
        return lines + ([] if self.stub_refused else ["the empty stub is accepted"])

    def matrix(self) -> str:
        """A row a fault: what it is named alone and with each other fault, as a sign; the last line explains them."""
        faults = [fault for (fault,) in self.singles]
        width = max(map(len, faults))
        rows = [f"{fault:{width}}  {' '.join(self._sign(fault, other) for other in faults)}" for fault in faults]
        return "\n".join(
            [*rows, "o named alone, + both of a pair named, / one of them, ? other names or none, ! accepted"]
        )

    def _sign(self, first: str, second: str) -> str:
        if first == second:
            named, wanted = self.singles[first,], {first}
        else:
            named = self.pairs.get((first, second), self.pairs.get((second, first)))
            wanted = {first, second}
        if named == ():
            return "!"
        if named is None or not set(named) <= wanted:
            return "?"
        return "o" if first == second else "+" if set(named) == wanted else "/"


def audit(exercise: Exercise) -> Audit:
    """Run the judge's reasoning on everything that it must distinguish."""
    cases = exercise.all_cases()
    reference = Counterfactuals(exercise, cases)

    def named(switches: Switches) -> tuple[str, ...] | None:
        found = Trial.of(reference, reference[switches]).explain()
        return None if found is None else tuple(name for name in exercise.faults if name in found)

    singles = {(fault,): named(frozenset([fault])) for fault in exercise.faults}
    pairs = {pair: named(frozenset(pair)) for pair in combinations(exercise.faults, 2)}
    ambiguous = [fault for fault in exercise.faults if _single_faults(reference, fault) != [fault]]
    accepted = {f"convention: {name}": named(frozenset([name])) == () for name in exercise.conventions}
    for style, source in variants_of(exercise.name).items():
        found = Trial.of(reference, results_of(source, exercise)).explain()
        accepted[style] = found is not None and found.isdisjoint(exercise.faults)
    nothing = [Result(dict.fromkeys(exercise.outputs)) for _ in cases]
    return Audit(exercise.name, singles, pairs, ambiguous, accepted, Trial.of(reference, nothing).explain() is None)


def _single_faults(reference: Counterfactuals, fault: str) -> list[str]:
    """Every single fault that gives the results of this one: more than one where the cases do not tell them apart."""
    trial = Trial.of(reference, reference[frozenset([fault])])
    return [other for other in reference.exercise.faults if trial.is_explained_by(frozenset([other]))]


def results_of(source: str, exercise: Exercise, seed: int = 0) -> list[Result]:
    """What one of our own solutions returns on the cases of this seed, run in this process."""
    module = ModuleType(f"{exercise.name}_variant")
    exec(compile(source, module.__name__, "exec"), vars(module))
    solution = {function.__name__: vars(module)[function.__name__] for function in exercise.functions}
    driver, torch = DRIVERS[exercise.driver], "torch" in vars(module)
    return [run_case(driver, solution, case, exercise.outputs, torch) for case in exercise.all_cases(seed)]
