"""What a newcomer types, and files as they come from notebooks and other editors: understood, or said in words."""

import json
import warnings

import numpy as np
import pytest

from handmade.errors import InputError
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.judging.judge import Judge
from handmade.workshop.judging.values import entries, written
from handmade.workshop.judging.verdict import Finding, Verdict
from handmade.workshop.naming import meant
from handmade.workshop.progress import Progress
from handmade.workshop.source import faulty
from handmade.workshop.trying import only_case, tried
from handmade.workshop.workspace import PROGRESS, WORKSHOP, Workspace, start, workspace_around

SOFTMAX = """import numpy as np

def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)
"""


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("softmax", "softmax"),
        ("2", "cross_entropy"),
        ("02", "cross_entropy"),
        ("02_cross_entropy.py", "cross_entropy"),
        ("./basics/softmax.py", "softmax"),
        ("basics\\softmax.py", "softmax"),
        ("drills/softmax.1.py", "softmax"),
        ("Self-Attention", "self_attention"),
        ("self attention", "self_attention"),
    ],
)
def test_names_numbers_files_and_paths_are_understood(typed, name):
    assert meant(typed) == name


@pytest.mark.parametrize(
    ("typed", "told"), [("0", "the numbers 1 to 53"), ("54", "numbers 1 to"), ("softmx", "did you mean 'softmax'?")]
)
def test_an_exercise_that_there_is_not_is_told_in_one_line(typed, told):
    with pytest.raises(InputError, match=told) as raised:
        meant(typed)
    assert len(str(raised.value)) < 150


@pytest.fixture(scope="module")
def judge():
    with Judge() as one:
        yield one


def findings(judge, tmp_path, content: bytes | str):
    path = tmp_path / "softmax.py"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return judge.check(path, exercise_named("softmax"), 1)


@pytest.mark.parametrize(
    "content",
    [
        SOFTMAX.replace("\n", "\r\n"),
        SOFTMAX.replace("\n", "\r"),
        b"\xef\xbb\xbf" + SOFTMAX.encode(),
        SOFTMAX.replace("    ", "\t"),
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])\n" + SOFTMAX,
        "import seaborn as sns\nfrom matplotlib import cm\nsns.set_theme()\n" + SOFTMAX,
    ],
)
def test_files_of_other_editors_and_those_that_draw_are_judged(judge, tmp_path, content):
    assert findings(judge, tmp_path, content).passed


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("%matplotlib inline\n" + SOFTMAX, "from a notebook", "`%matplotlib inline` is for notebooks only: remove it."),
        ("!pip install numpy\n" + SOFTMAX, "from a notebook", "is for notebooks only"),
        (
            "get_ipython().run_line_magic('matplotlib', 'inline')\n" + SOFTMAX,
            "from a notebook",
            "get_ipython() exists in notebooks only. Remove line 1",
        ),
        (json.dumps({"cells": [], "nbformat": 4}), "a notebook", "`%%check EXERCISE`"),
        (
            "def softmax(x, axis=-1):\n\te = x\n        return e\n",
            "tabs and spaces",
            "Line 3 is indented with spaces, line 2 with a tab",
        ),
        (SOFTMAX.encode("utf-16"), "not UTF-8", "The file is text in UTF-16."),
        (b"# caf\xe9\n" + SOFTMAX.encode(), "not UTF-8", "not text in UTF-8"),
        ("import pty\npty.spawn('ls')\n" + SOFTMAX, "leaves the sandbox", "starts a process"),
    ],
)
def test_what_no_python_is_and_what_it_may_not_is_said_in_words(judge, tmp_path, content, name, words):
    verdict = findings(judge, tmp_path, content)
    found = next(finding for finding in verdict.findings if finding.name == name)
    assert words in f"{found.message} {found.evidence}"
    assert "1th" not in found.evidence


def test_an_import_that_leaves_the_sandbox_is_to_be_removed(judge, tmp_path):
    (tmp_path / "starts_things.py").write_text("import os\nos.system('true')\n")
    verdict = findings(judge, tmp_path, "import starts_things\n" + SOFTMAX)
    assert "Remove this import: import starts_things." in verdict.findings[0].message


def test_no_warning_of_the_reference_is_seen(judge, tmp_path):
    exercise = exercise_named("batch_norm")
    path = tmp_path / "batch_norm.py"
    path.write_text(faulty(exercise, "running variance over n"))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        verdict = judge.check(path, exercise, 1)
    assert [finding.name for finding in verdict.findings] == ["running variance over n"]
    assert seen == []


def test_values_are_written_as_a_person_would():
    assert written(np.float64(-5.0)) == "-5.0"
    assert written(-0.0) == "0.0"
    assert "-0." not in written(np.array([-0.0, -1e-9, 1.0]))
    assert "e-05" in written(np.array([1e-5, 2e-5]))
    assert written((np.int64(3), [np.float32(0.5)])) == "(3, [0.5])"
    shown = list(entries("weights", (np.zeros(2), {"b": np.ones(1)})))
    assert shown == ["  weights[0] = [0. 0.]", "  weights[1]['b'] = [1.]"]


def test_a_try_shows_the_case_and_what_comes_but_not_what_is_right(tmp_path):
    path = tmp_path / "softmax.py"
    path.write_text(SOFTMAX.replace("/ e.sum(axis, keepdims=True)", "") + "print('hello')\n")
    said = str(tried(path, exercise_named("softmax"), "a batch"))
    assert "case 'a batch', with\n  x = [[" in said
    assert "gives\n  probabilities = [[" in said
    assert "It printed:\n  hello" in said
    assert "expected" not in said
    path.write_text("def softmax(x, axis=-1):\n    return y\n")
    assert "raises NameError: name 'y' is not defined\n  line 2, in softmax" in str(
        tried(path, exercise_named("softmax"))
    )
    with pytest.raises(InputError, match="softmax has no case 'a bath'; did you mean 'a batch'?"):
        tried(path, exercise_named("softmax"), "a bath")


def test_one_case_alone_is_judged(judge, tmp_path):
    path = tmp_path / "softmax.py"
    path.write_text("import numpy as np\n\ndef softmax(x, axis=-1):\n    e = np.exp(x)\n    return e / e.sum()\n")
    exercise = exercise_named("softmax")
    assert not judge.check(path, exercise, 1).passed
    alone = judge.check(path, only_case(exercise, "one row"), 1)
    assert alone.passed
    assert [test.name for test in alone.tests][:2] == ["one row", "no side effects"]


def test_attempts_count_neither_stubs_nor_what_was_passed_before():
    progress, wrong = Progress(), Verdict("softmax", findings=[Finding("no exp", "")])
    progress.add(Verdict("softmax", findings=[Finding("not written yet", "")]))
    assert progress.of("softmax").attempts == 0
    for verdict in (wrong, Verdict("softmax", passed=True), Verdict("softmax", passed=True), wrong):
        progress.add(verdict)
    assert progress.of("softmax").attempts == 2


def test_a_record_of_a_newer_version_is_told_and_left(tmp_path):
    workspace = start(tmp_path / "ws").workspace
    path = workspace.folder / PROGRESS
    path.write_text('{"workshop": 2, "exercises": {}}')
    for use in (workspace.progress, lambda: workspace.change(lambda _: None)):
        with pytest.raises(InputError, match="was written by a newer version of handmade, and is left as it is"):
            use()
    assert path.read_text() == '{"workshop": 2, "exercises": {}}'
    path.write_text('{"workshop": 1, "exercises": {}, "interviews": [], "stars": 3}')
    workspace.change(lambda progress: progress.begin_drill("softmax", "softmax.1.py"))
    kept = json.loads(path.read_text())
    assert kept["stars"] == 3
    assert kept["drills"][0]["file"] == "softmax.1.py"


def test_a_workspace_is_one_without_its_first_file_and_is_found_from_beside_it(tmp_path):
    workspace = start(tmp_path / WORKSHOP).workspace
    workspace.file(NAMES[0]).unlink()
    for folder in (tmp_path, tmp_path / WORKSHOP, tmp_path / WORKSHOP / "basics"):
        assert workspace_around(folder) == Workspace(tmp_path / WORKSHOP)
