"""handmade grade at the keyboard."""

import base64
import json

import pytest

from tests.support.judging import RIGHT


@pytest.fixture
def submissions(tmp_path):
    folder = tmp_path / "class"
    for student, source in (("ada", RIGHT), ("alan", RIGHT.replace("/ np.sqrt(K.shape[-1])", ""))):
        (folder / student).mkdir(parents=True)
        (folder / student / "self_attention.py").write_text(source)
    (folder / "kurt").mkdir()
    return folder


@pytest.mark.slow
def test_a_class_is_graded_and_the_second_time_nothing_is_judged(handmade, submissions):
    ran = handmade("grade", submissions, "--workers", "1")
    assert (ran.code, ran.err) == (0, "")
    assert "2 files of 3 students: 1 passed. 2 judged now." in ran.out
    assert "   1  no scale (self_attention)" in ran.out
    assert "Note: kurt: nothing that has been handed in can be used." in ran.out
    results = submissions.with_name("class-graded")
    assert "alan,0,no scale (line" in (results / "grades.csv").read_text()
    again = handmade("grade", submissions, "--workers", "1")
    assert "0 judged now." in again.out


@pytest.mark.slow
def test_one_students_folder_in_the_forms_of_the_services(handmade, submissions):
    ran = handmade("grade", submissions / "alan", "--for", "gradescope", "--exercises", "self_attention,softmax")
    assert [test["score"] for test in json.loads(ran.out)["tests"]] == [0.0, 0.0]
    ran = handmade("grade", submissions / "ada", "--for", "github")
    assert json.loads(base64.b64decode(ran.out))["status"] == "pass"


def test_the_file_for_a_service(handmade, tmp_path):
    ran = handmade("grade", tmp_path, "--setup", "github")
    assert (tmp_path / ".github/workflows/classroom.yml").exists()
    assert "Commit it" in ran.out
    assert "exists already" in handmade("grade", tmp_path, "--setup", "github").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "which submissions?"),
        (["nowhere"], "nowhere: No such file or directory"),
        (["."], "is empty"),
        ([".", "--workers", "0"], "--workers is 0"),
        ([".", "--seconds", "0"], "--seconds is 0"),
        ([".", "--seconds", "nan"], "--seconds is nan"),
        ([".", "--exercises", ","], "--exercises names none"),
        ([".", "--to", "."], "within the submissions"),
        ([".", "--to", "graded"], "within the submissions"),
        ([".", "--exercises", "soft_max"], "did you mean 'softmax'"),
        ([".", "--workers", "1", "--address", "local"], "name one of them"),
        (["nowhere", "--for", "github"], "is not a folder"),
        ([".", "--roster", "none.csv"], "none.csv"),
    ],
)
def test_what_cannot_be_graded(handmade, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    ran = handmade("grade", *arguments)
    assert ran.code == 2
    assert said in ran.err
