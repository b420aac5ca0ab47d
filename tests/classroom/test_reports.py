"""The table, the page and JSON say what was found; whatever students write in names and files, they do no harm."""

import base64
import csv
import json
import zipfile
from io import StringIO

import pytest

from handmade.classroom.autograders import as_github, as_gradescope, set_up
from handmade.classroom.grading import Grade, Grades
from handmade.classroom.likeness import alike, windows
from handmade.classroom.reports import as_csv, as_html, write_reports
from handmade.classroom.submissions import Note
from handmade.classroom.summary import summary
from handmade.errors import InputError
from tests.classroom.conftest import RIGHT, WRONG

MISTAKE = {"name": "one sum for all", "message": "It divides <b>by</b> one sum.", "evidence": "x = [1]", "line": 6}


def graded(student: str, passed: bool, source: str = RIGHT) -> Grade:
    verdict = {"exercise": "softmax", "passed": passed, "mistakes": [] if passed else [MISTAKE]}
    return Grade(student, "softmax", "softmax.py", verdict, source)


@pytest.fixture
def whole():
    grades = [graded("ada", True), graded("<script>alert(1)</script>", False, WRONG), graded('=HYPERLINK("x")', False)]
    students = [*(grade.student for grade in grades), "kurt"]
    return summary(Grades(grades, students, [Note("kurt", "has handed in nothing")], 3))


def test_the_table(whole):
    rows = list(csv.reader(StringIO(as_csv(whole))))
    assert rows[0] == ["student", "passed", "softmax", "notes"]
    assert rows[1] == ["ada", "1", "passed", ""]
    assert rows[2] == ["<script>alert(1)</script>", "0", "one sum for all (line 6)", ""]
    assert rows[3][0] == '\'=HYPERLINK("x")'  # no formula
    assert rows[4] == ["kurt", "0", "", "has handed in nothing"]


def test_the_page_runs_nothing_and_loads_nothing(whole):
    page = as_html(whole)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "It divides &lt;b&gt;by&lt;/b&gt; one sum." in page
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "one sum for all (line 6)" in page
    assert "kurt: 0 of 0 passed" in page


def test_all_as_data(whole, tmp_path):
    paths = write_reports(whole, tmp_path)
    assert [path.name for path in paths] == ["grades.csv", "grades.json", "report.html"]
    facts = json.loads(paths[1].read_text())
    assert facts["frequent"] == [{"exercise": "softmax", "mistake": "one sum for all", "students": 2}]
    assert facts["students"][1]["files"][0]["mistakes"] == [MISTAKE]
    assert facts["students"][3] == {"student": "kurt", "passed": 0, "files": [], "notes": ["has handed in nothing"]}


OWN = """import numpy as np

def softmax(x, axis=-1):
    shifted = np.moveaxis(x, axis, 0)
    biggest = shifted[0]
    for part in shifted[1:]:
        biggest = np.maximum(biggest, part)
    rows = []
    for part in shifted:
        rows.append(np.e ** (part - biggest))
    total = 0 * biggest
    for row in rows:
        total = total + row
    return np.moveaxis(np.stack([row / total for row in rows]), 0, axis)
"""


def test_solutions_that_differ_in_names_and_layout_alone_are_alike():
    renamed = (
        OWN.replace("shifted", "a").replace("biggest", "m").replace("rows", "out").replace("\n    for", "\n\n    for")
    )
    renamed = renamed.replace("def softmax(x, axis=-1):", 'def softmax(x, axis=-1):\n    """Mine."""  # really')
    sources = {"ada": OWN, "bob": renamed, "carl": RIGHT, "dora": WRONG}
    (pair,) = alike("softmax", sources, usual=[RIGHT])
    assert (pair.first, pair.second, pair.likeness) == ("ada", "bob", 1.0)


def test_what_anybody_would_write_is_not_alike():
    assert alike("softmax", {"ada": RIGHT, "bob": RIGHT}, usual=[RIGHT]) == []
    assert alike("softmax", {f"s{n}": OWN for n in range(40)}) == []  # the whole class has it, from the lecture


def test_windows_of_what_is_no_python():
    assert windows("def f(:") == set()
    assert windows("x = \x00") == set()


def test_gradescopes_form():
    facts = json.loads(as_gradescope([graded("ada", False)], ["softmax", "linear"], ["a note"]))
    first, second = facts["tests"]
    assert (first["score"], first["max_score"], first["status"]) == (0.0, 1.0, "failed")
    assert first["output"] == "one sum for all (line 6). It divides <b>by</b> one sum."
    assert first["output_format"] == "text"
    assert (second["name"], second["output"]) == ("linear", "There is no file linear.py.")
    assert facts["output"] == "a note"


def test_github_classrooms_form():
    facts = json.loads(base64.b64decode(as_github([graded("ada", True)], ["softmax"])))
    assert (facts["status"], facts["max_score"]) == ("pass", 1)
    assert facts["tests"] == [{"name": "softmax", "status": "pass", "message": None}]
    facts = json.loads(base64.b64decode(as_github([graded("ada", False)], ["softmax"])))
    assert facts["status"] == "fail"


def test_the_files_for_the_services(tmp_path):
    archive = zipfile.ZipFile(set_up("gradescope", tmp_path, ["softmax"]))
    assert archive.namelist() == ["setup.sh", "run_autograder"]
    command = b"handmade grade --exercises softmax --for gradescope /autograder/submission > "
    assert command in archive.read("run_autograder")
    assert archive.getinfo("run_autograder").external_attr >> 16 == 0o755
    workflow = set_up("github", tmp_path, []).read_text()
    assert """echo "result=$(handmade grade --for github "$PWD")" """ in workflow
    assert "${{steps.handmade.outputs.result}}" in workflow
    with pytest.raises(InputError, match="exists already"):
        set_up("github", tmp_path, [])
