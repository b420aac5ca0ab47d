"""Grades as files: a table for spreadsheets, everything as JSON, and a page for people."""

import csv
import json
from html import escape
from io import StringIO
from pathlib import Path

from handmade.classroom.grading import Grade
from handmade.classroom.summary import Summary, mistakes
from handmade.errors import printable
from handmade.files import write_text

MOST_FREQUENT, MOST_ALIKE = 20, 50

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute: students choose the names of their files."""

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.passed { color: light-dark(#0a6b3d, #5fd39a); } .failed { color: light-dark(#a3261b, #ff9a8f); }
summary { cursor: pointer; padding: .3rem 0; } details > div { padding: 0 0 1rem 1rem; }
pre { overflow-x: auto; background: #8882; padding: .6rem; } .wide { overflow-x: auto; }
"""


def write_reports(summary: Summary, folder: Path) -> list[Path]:
    """grades.csv, grades.json and report.html in the folder; their paths."""
    contents = {
        "grades.csv": as_csv(summary),
        "grades.json": json.dumps(summary.as_json(), indent=1, ensure_ascii=False),
        "report.html": as_html(summary),
    }
    paths = [folder / name for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        write_text(path, content)
    return paths


def as_csv(summary: Summary) -> str:
    """A row for each student: how many are passed, each exercise's result, and what to look at."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(["student", "passed", *summary.exercises, "notes"])
    for student in summary.grades.students:
        own = summary.of(student)
        results = [_result(own[name]) if name in own else "" for name in summary.exercises]
        row = [student, sum(grade.passed for grade in own.values()), *results, "; ".join(summary.notes_on(student))]
        writer.writerow([_cell(value) for value in row])
    return text.getvalue()


def _result(grade: Grade) -> str:
    return "passed" if grade.passed else "; ".join(mistakes(grade))


def _cell(value: object) -> object:
    """The value, as no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(FORMULAS) else text


def as_html(summary: Summary) -> str:
    """One page without anything from elsewhere: the class, its mistakes, who is alike, and each student."""
    grades = summary.grades
    passed = sum(grade.passed for grade in grades.grades)
    parts = [
        f"<h1>Grades</h1><p>{len(grades.students)} students, {len(grades.grades)} files, {passed} passed.</p>",
        _class(summary),
        _frequent(summary),
        _alike(summary),
        "<h2>Students</h2>",
        *(_student(summary, student) for student in grades.students),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Grades</title>'
        '<meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{STYLE}</style></head><body>\n{chr(10).join(parts)}\n</body></html>\n"
    )


def _class(summary: Summary) -> str:
    rows = []
    for name in summary.exercises:
        own = [grade for grade in summary.grades.grades if grade.exercise == name]
        passed = sum(grade.passed for grade in own)
        rows.append([_text(name), _number(len(own)), _number(passed)])
    return _table("Exercises", ["exercise", "handed in", "passed"], rows)


def _frequent(summary: Summary) -> str:
    rows = [[_text(f.exercise), _text(f.mistake), _number(f.students)] for f in summary.frequent[:MOST_FREQUENT]]
    return _table("Most frequent mistakes", ["exercise", "mistake", "students"], rows)


def _alike(summary: Summary) -> str:
    rows = [
        [_text(pair.exercise), _text(pair.first), _text(pair.second), _number(f"{pair.likeness:.0%}")]
        for pair in summary.alike[:MOST_ALIKE]
    ]
    table = _table("Alike", ["exercise", "student", "student", "alike"], rows)
    hint = "<p>Alike but for names and layout. A hint, not a verdict: short exercises have few solutions.</p>"
    return table + hint if rows else ""


def _student(summary: Summary, student: str) -> str:
    own = summary.of(student)
    passed = sum(grade.passed for grade in own.values())
    blocks = [f"<p>{_said(note)}</p>" for note in summary.notes_on(student)]
    for name, grade in own.items():
        mark = "passed" if grade.passed else "failed"
        blocks.append(f'<h3>{_said(name)} <span class="{mark}">{mark}</span></h3><p>{_said(grade.where)}</p>')
        for mistake, words in zip(grade.verdict["mistakes"], mistakes(grade), strict=True):
            evidence = f"<pre>{_said(mistake['evidence'])}</pre>" if mistake["evidence"] else ""
            blocks.append(f"<p><b>{_said(words)}</b> {_said(mistake['message'])}</p>{evidence}")
    return (
        f"<details><summary>{_said(student)}: {passed} of {len(own)} passed</summary>"
        f"<div>{''.join(blocks) or '<p>Nothing.</p>'}</div></details>"
    )


def _table(title: str, head: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    top = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<h2>{title}</h2><div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _text(text: str) -> str:
    return f"<td>{_said(text)}</td>"


def _number(value: object) -> str:
    return f'<td class="number">{value}</td>'


def _said(text: str) -> str:
    return escape(printable(text))
