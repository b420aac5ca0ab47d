"""What the judge says about a solution: findings, the conventions that it follows, and what was checked."""

from dataclasses import asdict, dataclass, field
from typing import Any

COMPUTES_ONLY = "no side effects"
"""The name of the check that a solution does nothing but compute."""


@dataclass(frozen=True)
class Mend:
    """A change of the solution's own lines that makes all cases right: what stands there, what should, and in a few
    words what kind of change that is."""

    before: str
    after: str
    kind: str = ""


@dataclass(frozen=True)
class Finding:
    """What is wrong with a solution: a name, a message (what it is, what follows, how it is mended), the evidence.

    line: of the solution's file, counted from 1; None where it is not known. mend: where one was found.
    """

    name: str
    message: str
    evidence: str = ""
    line: int | None = None
    mend: Mend | None = None

    def steps(self) -> list[str]:
        """What leads to the mend, one step after another, each giving more away."""
        if self.line is None:
            return []
        told = [f"Look at line {self.line}."]
        if self.mend is not None:
            told.append(f"Line {self.line}: it is about {self.mend.kind}.")
            told.append(
                f"Line {self.line}:\n  {_indented(self.mend.before)}\nshould be\n  {_indented(self.mend.after)}"
            )
        return told


def _indented(lines: str) -> str:
    return lines.replace("\n", "\n  ")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: a case, or a property of the whole. status: "passed", "failed" or "not run"."""

    name: str
    status: str
    message: str = ""


@dataclass(frozen=True)
class Followed:
    """An accepted convention that a solution follows."""

    name: str
    message: str


@dataclass
class Verdict:
    """What the judge says of one solution.

    seconds: how long the verdict took. printed: the beginning of what the solution printed.
    seed: of the second set of cases, where there was one.
    """

    exercise: str
    passed: bool = False
    findings: list[Finding] = field(default_factory=list)
    conventions: list[Followed] = field(default_factory=list)
    tests: list[Check] = field(default_factory=list)
    seconds: float = 0.0
    printed: str = ""
    seed: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain data, under the names `handmade check --json` documents."""
        facts = {"mistakes" if name == "findings" else name: value for name, value in asdict(self).items()}
        for mistake in facts["mistakes"]:
            mistake["mend"] = mistake["mend"] and {part: mistake["mend"][part] for part in ("before", "after")}
        return {**facts, "seconds": round(self.seconds, 4)}
