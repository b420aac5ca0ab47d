"""What came from a learner's file, made fit for the screen: a terminal obeys control characters, however many."""

from dataclasses import replace

from handmade.errors import printable
from handmade.workshop.judging.verdict import Check, Mend, Verdict

LONGEST = {"name": 100, "message": 2_000, "evidence": 8_000, "printed": 4_000}
"""Characters of each part of a verdict that are shown."""


def shown(verdict: Verdict) -> Verdict:
    """The verdict with every control character in it written out, and every part cut to its longest."""
    findings = [
        replace(
            finding, mend=_shown(finding.mend), **{part: fit(getattr(finding, part), LONGEST[part]) for part in _TEXTS}
        )
        for finding in verdict.findings
    ]
    tests = [Check(test.name, test.status, fit(test.message, LONGEST["message"])) for test in verdict.tests]
    return replace(verdict, findings=findings, tests=tests, printed=fit(verdict.printed, LONGEST["printed"]))


_TEXTS = ("name", "message", "evidence")


def _shown(mend: Mend | None) -> Mend | None:
    return mend and replace(
        mend, before=fit(mend.before, LONGEST["message"]), after=fit(mend.after, LONGEST["message"])
    )


def fit(text: str, longest: int) -> str:
    """The text with control characters, and those that turn the direction of writing, as escapes; then cut."""
    return printable(text if len(text) <= longest else f"{text[:longest]} ...")
