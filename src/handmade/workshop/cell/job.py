"""A job: all that a learner's process gets to know of an exercise, and the solution to run."""

from dataclasses import dataclass
from typing import Any

from handmade.workshop.cell.cases import Case
from handmade.workshop.cell.wire import dumps, loads


@dataclass(frozen=True)
class Limits:
    """What a solution may use: seconds for everything, bytes of memory beyond those of the libraries, bytes of each
    file, what it prints included, bytes of what it reports, and processes or threads of it, where a namespace counts
    them."""

    seconds: float = 10.0
    memory: int = 1 << 30
    file: int = 1 << 20
    report: int = 64 << 20
    processes: int = 64


@dataclass(frozen=True)
class Job:
    """One run of a solution.

    path: where the solution lies, for its error messages; source: what it says.
    helpers: the folders in which modules of its own may lie.
    functions, driver, outputs, cases: as the exercise has them.
    torch: whether it is written with PyTorch, and gets tensors.
    forbidden: PyTorch's functions that would do the work.
    traced: whether it is run once on the first case, with the values of its expressions recorded, and nothing else.
    edits: other versions of the solution, each a list of (start, end, text in its place), characters of the source.
        Where there are any, each of them is run on all cases, and nothing else; traced, on the first, and what it
        assigns is recorded.
    budget: after how many seconds of the processor's time no further edit is begun.
    """

    path: str
    source: str
    helpers: tuple[str, ...]
    functions: tuple[str, ...]
    driver: str
    outputs: tuple[str, ...]
    cases: list[Case]
    torch: bool
    limits: Limits
    forbidden: tuple[str, ...] = ()
    traced: bool = False
    edits: tuple[Any, ...] = ()
    budget: float = 10.0

    def line(self) -> str:
        cases = [vars(case) for case in self.cases]
        return dumps({**vars(self), "cases": cases, "limits": vars(self.limits)})

    @classmethod
    def of_line(cls, line: bytes) -> "Job":
        facts = loads(line)
        cases = [Case(**case) for case in facts["cases"]]
        return cls(**{**facts, "cases": cases, "limits": Limits(**facts["limits"])})
