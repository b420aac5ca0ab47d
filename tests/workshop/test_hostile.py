"""What a solution can do to the machine, the judge and the learner's files; more of it in tests/hostile/."""

import os
import time
from dataclasses import replace

import pytest

from handmade.workshop.exercises import exercise_named
from tests.support.judging import RIGHT, SHORT, SMALL, in_function


def test_a_crash_is_named(judge, tmp_path):
    path = tmp_path / "solution.py"
    path.write_text(f"import faulthandler; faulthandler._sigsegv()\n{RIGHT}")
    verdict = judge.check(path, exercise_named("self_attention"))
    assert verdict.findings[0].name == "crash"
    assert "SIGSEGV" in verdict.findings[0].message


@pytest.mark.slow
def test_a_loop_without_end_is_told_with_its_line(judge, tmp_path, monkeypatch):
    monkeypatch.setattr(judge, "limits", replace(SMALL, seconds=1.0))  # a busy machine gets there, too
    path = tmp_path / "solution.py"
    path.write_text(in_function("while True: pass"))
    begun = time.monotonic()
    verdict = judge.check(path, exercise_named("self_attention"))
    assert time.monotonic() - begun < 10
    assert "line 8, in self_attention" in verdict.findings[0].evidence


def test_files_outside_the_scratch_folder_stay_as_they_are(judge, tmp_path):
    mine = tmp_path / "notes.txt"
    mine.write_text("mine")
    path = tmp_path / "solution.py"
    for code, told in (
        (f"open({str(mine)!r}, 'w')", f"it writes the file {mine}"),
        (f"import os; os.open({str(mine)!r}, os.O_WRONLY | os.O_TRUNC)", f"it writes the file {mine}"),
        (f"import os; os.remove({str(mine)!r})", f"it changes the file {mine} (os.remove)"),
        (f"import os; os.rename({str(mine)!r}, 'here')", f"it changes the file {mine} (os.rename)"),
        (
            f"import os; os.chdir({str(tmp_path)!r}); os.remove('notes.txt')",
            "it changes the file notes.txt (os.remove)",
        ),
        (f"import shutil; shutil.rmtree({str(tmp_path)!r})", "(os.remove)"),
    ):
        path.write_text(f"{code}\n{RIGHT}")
        verdict = judge.check(path, exercise_named("self_attention"))
        assert verdict.findings[0].name == "leaves the sandbox"
        assert told in verdict.findings[0].evidence
        assert mine.read_text() == "mine"


def test_files_in_the_scratch_folder_are_allowed_and_gone(judge, tmp_path):
    path = tmp_path / "solution.py"
    path.write_text(f"import os; assert not os.path.exists('a.txt'); open('a.txt', 'w').write('x')\n{RIGHT}")
    for _ in range(2):
        assert judge.check(path, exercise_named("self_attention")).passed
    assert os.listdir(tmp_path) == ["solution.py"]


def test_the_reference_cannot_be_read(judge, tmp_path):
    exercise = exercise_named("self_attention")
    file = exercise.functions[0].__code__.co_filename
    path = tmp_path / "solution.py"
    path.write_text(f"open({file!r}).read()\n{RIGHT}")
    assert not judge.check(path, exercise).passed


def test_the_reference_never_enters_the_process(judge, tmp_path):
    path = tmp_path / "solution.py"
    path.write_text(f"import sys; print([n for n in sys.modules if 'handmade' in n])\n{RIGHT}")
    assert judge.check(path, exercise_named("self_attention")).printed == "[]\n"
    path.write_text(f"import gc; print([o for o in gc.get_objects() if type(o).__name__ == 'Exercise'])\n{RIGHT}")
    assert judge.check(path, exercise_named("self_attention")).printed == "[]\n"


def test_what_is_returned_is_not_run_by_the_judge(judge, tmp_path):
    mine = tmp_path / "pwned"
    trick = f"class Trick:\n    def __reduce__(self): return open, ({str(mine)!r}, 'w')\n"
    path = tmp_path / "solution.py"
    path.write_text(RIGHT.replace("return weights @ V, weights", "return Trick(), Trick()") + trick)
    verdict = judge.check(path, exercise_named("self_attention"))
    assert "output is a Trick" in verdict.findings[0].message
    assert not mine.exists()


@pytest.mark.slow
def test_forged_reports_do_not_pass(judge, tmp_path):
    """Lines on every open descriptor: garbage counts for nothing, and no one can forge results without knowing them."""
    path = tmp_path / "solution.py"
    lines = b'\n{}\n[1]\nnull\n["dict", [["kind", "end"]]]\n["generator", 3]\n'
    forging = f"import os\nfor fd in range(3, 40):\n    try: os.write(fd, {lines!r})\n    except OSError: pass\n"
    for source in (RIGHT, RIGHT.replace("-1, keepdims", "-2, keepdims")):
        path.write_text(forging + source)
        verdict = judge.check(path, exercise_named("self_attention"))
        assert [finding.name for finding in verdict.findings] == ["no report"]
    path.write_text(RIGHT)
    assert judge.check(path, exercise_named("self_attention")).passed


@pytest.mark.slow
def test_the_judge_goes_on_after_every_accident(judge, tmp_path, monkeypatch):
    path = tmp_path / "solution.py"
    for code, passed in (("import os; os._exit(3)", False), ("", True), ("while True: pass", False), ("", True)):
        path.write_text(f"{code}\n{RIGHT}")
        monkeypatch.setattr(judge, "limits", SHORT if "while" in code else SMALL)
        assert judge.check(path, exercise_named("self_attention")).passed is passed
