"""A verdict as an object that displays itself: as text in a session, with tables and the marked line in a notebook."""

import re
from dataclasses import dataclass
from html import escape

from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.verdict import Finding, Verdict

AROUND = 2
"""Lines of the solution shown before and after the marked one."""

_LINE = re.compile(r"\bline (\d+)\b")
_ENTRY = re.compile(r"^  (\S.*?) = (\[.*)$")

_PRE = '<pre style="font-family:monospace">'  # which not every page of notebooks does by itself
_CELL = "border:1px solid #8886;padding:1px 6px;text-align:right;font-family:monospace"


@dataclass(frozen=True, repr=False)
class Answer:
    """What the judge says of a solution: `passed`, `verdict` with all that it found, and `source`, what was judged.

    first: the first line of the source that a person wrote; before it stands what was brought along.
    """

    verdict: Verdict
    exercise: Exercise
    source: str
    first: int = 1

    @property
    def passed(self) -> bool:
        return self.verdict.passed

    @property
    def mistakes(self) -> list[str]:
        """The names of the mistakes found."""
        return [finding.name for finding in self.verdict.findings]

    def __repr__(self) -> str:
        verdict = self.verdict
        lines = [self._headline]
        lines += [f"  Convention: {followed.name}. {followed.message}" for followed in verdict.conventions]
        for finding in verdict.findings:
            lines += ["", f"  {finding.name}", f"  {finding.message}"]
            lines += [f"    {line}" for line in self._marked(finding)]
            lines += [f"    {line}" for line in finding.evidence.splitlines()]
        if verdict.printed:
            lines += ["", "It printed:", *(f"  {line}" for line in verdict.printed.rstrip().splitlines())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        verdict, color = self.verdict, "#2a7d3f" if self.verdict.passed else "#c0392b"
        parts = [f'<div><b style="color:{color}">{escape(self._headline)}</b>']
        parts += [f"<p>Convention: {escape(f'{one.name}. {one.message}')}</p>" for one in verdict.conventions]
        for finding in verdict.findings:
            parts.append(f"<p><b>{escape(finding.name)}</b><br>{escape(finding.message)}</p>")
            if marked := self._marked(finding):
                shown = [f"<mark>{escape(line)}</mark>" if line[0] == ">" else escape(line) for line in marked]
                parts.append(f"{_PRE}{'<br>'.join(shown)}</pre>")
            parts.append(_evidence(finding.evidence))
        failed = [test.name for test in verdict.tests if test.status == "failed"]
        if failed:
            parts.append(f"<p>Not right: {escape('; '.join(failed))}</p>")
        if verdict.printed:
            parts.append(f"<p>It printed:</p>{_PRE}{escape(verdict.printed.rstrip())}</pre>")
        return "\n".join([*parts, "</div>"])

    @property
    def _headline(self) -> str:
        return f"✓ {self.exercise.title}: passed" if self.passed else f"✗ {self.exercise.title}: not yet"

    def _marked(self, finding: Finding) -> list[str]:
        """The line of the solution that a finding is about, with those around it: '> 4  return e'."""
        number = finding.line
        if number is None and (found := _LINE.search(f"{finding.evidence} {finding.message}")):
            number = int(found[1])  # of a crash or a time limit, say
        lines = self.source.split("\n")
        if number is None or not self.first <= number <= len(lines):
            return []
        some = range(max(number - AROUND, self.first), min(number + AROUND, len(lines)) + 1)
        return [f"{'>' if n == number else ' '} {n:3}  {lines[n - 1]}".rstrip() for n in some]


def _evidence(text: str) -> str:
    """Evidence in HTML: arrays of one or two axes as tables, everything else as it is."""
    parts: list[str] = []
    plain: list[str] = []
    lines = text.split("\n")
    while lines:
        entry = _ENTRY.match(lines[0])
        if entry is None:
            plain.append(lines.pop(0))
            continue
        value = [entry[2]]
        lines.pop(0)
        while lines and lines[0].startswith("   ") and value[-1].count("]") < 2 * bool(value[0].startswith("[[")):
            value.append(lines.pop(0).strip())
        rows = _rows(" ".join(value))
        if rows is None:
            plain += [f"  {entry[1]} = {value[0]}", *(f"    {line}" for line in value[1:])]
            continue
        parts += [_pre(plain), _table(entry[1], rows)]
        plain = []
    return "".join([*parts, _pre(plain)])


def _rows(text: str) -> list[list[str]] | None:
    """The rows of an array of one or two axes, as it is written; None for everything else."""
    if "[[[" in text or not text.endswith("]"):
        return None
    rows = [row.replace(",", " ").split() for row in re.findall(r"\[([^\[\]]*)\]", text)]
    return rows if rows and all(rows) and all(len(row) == len(rows[0]) for row in rows) else None


def _table(name: str, rows: list[list[str]]) -> str:
    cells = "".join(f"<tr>{''.join(f'<td style={_CELL!r}>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table style="display:inline-table;margin:4px"><caption>{escape(name)}</caption>{cells}</table>'


def _pre(lines: list[str]) -> str:
    text = "\n".join(lines).strip("\n")
    return f"{_PRE}{escape(text)}</pre>" if text else ""
