"""What came from a learner's file, made fit for the screen: a terminal obeys control characters, however many."""

from dataclasses import replace

from handmade.errors import printable
from handmade.workshop.judging.verdict import Check, Finding, Verdict

LONGEST = {"name": 100, "message": 2_000, "evidence": 8_000, "printed": 4_000}
"""Characters of each part of a verdict that are shown."""


def shown(verdict: Verdict) -> Verdict:
    """The verdict with every control character in it written out, and every part cut to its longest."""
    findings = [
        Finding(*(fit(getattr(finding, part), LONGEST[part]) for part in ("name", "message", "evidence")))
        for finding in verdict.findings
    ]
    tests = [Check(test.name, test.status, fit(test.message, LONGEST["message"])) for test in verdict.tests]
    return replace(verdict, findings=findings, tests=tests, printed=fit(verdict.printed, LONGEST["printed"]))


def fit(text: str, longest: int) -> str:
    """The text with control characters, and those that turn the direction of writing, as escapes; then cut."""
    return printable(text if len(text) <= longest else f"{text[:longest]} ...")
