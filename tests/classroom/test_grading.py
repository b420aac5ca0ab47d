"""A class is graded: each file once, whatever happens on the way."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from handmade.classroom.grading import grade
from handmade.classroom.papers import Paper, not_judged, verdict_on
from handmade.classroom.submissions import collected
from handmade.classroom.workers import judged_here
from handmade.errors import InputError
from tests.classroom.conftest import RIGHT, WRONG

SMALL = {"ada/softmax.py": RIGHT, "alan/softmax.py": WRONG, "copy/softmax.py": WRONG}


def in_this_process(papers):
    for paper in papers:
        verdict = {"passed": b"e.sum()" not in paper.source, "mistakes": []}
        yield paper, {"exercise": paper.exercise, **verdict}


def test_every_file_is_judged_once_and_the_same_file_of_two_once(handed, tmp_path):
    found, seen = collected(handed(SMALL)), []

    def spread(papers):
        for paper, verdict in in_this_process(papers):
            seen.append(paper.key)
            yield paper, verdict

    first = grade(found, tmp_path / "out", spread)
    assert [(one.student, one.passed) for one in first.grades] == [("ada", True), ("alan", False), ("copy", False)]
    assert (len(seen), first.judged_now) == (2, 2)
    again = grade(found, tmp_path / "out", spread)
    assert (len(seen), again.judged_now) == (2, 0)
    assert again.grades == first.grades
    assert grade(found, tmp_path / "out", spread, seconds=5.0).judged_now == 2  # judged in another way


def test_an_interrupted_run_goes_on_where_it_stopped(handed, tmp_path):
    found = collected(handed(SMALL))

    def breaks(papers):
        yield next(in_this_process(papers))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade(found, tmp_path / "out", breaks)
    record = tmp_path / "out" / "graded.jsonl"
    record.write_bytes(record.read_bytes() + b'{"key": "torn')
    done = grade(found, tmp_path / "out", in_this_process)
    assert (done.judged_now, len(done.grades)) == (1, 3)
    assert all(json.loads(line) for line in record.read_text().splitlines())


def test_what_could_not_be_judged_is_tried_again_next_time(handed, tmp_path):
    found = collected(handed({"ada/softmax.py": RIGHT}))
    lost = grade(found, tmp_path / "out", lambda papers: ((paper, not_judged(paper, "it died")) for paper in papers))
    assert not lost.grades[0].judged
    assert grade(found, tmp_path / "out", in_this_process).grades[0].passed


def test_a_damaged_setting_and_a_folder_in_use_are_errors(handed, tmp_path):
    found = collected(handed({"ada/softmax.py": RIGHT}))
    out = tmp_path / "out"
    out.mkdir()
    (out / "grading.json").write_text("{")
    with pytest.raises(InputError, match="damaged: remove it"):
        grade(found, out, in_this_process)
    (out / "grading.json").unlink()

    def meanwhile(papers):
        with pytest.raises(InputError, match="in use"):
            grade(found, out, in_this_process)
        return in_this_process(papers)

    assert grade(found, out, meanwhile).judged_now == 1
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        grade(found, tmp_path / "file", in_this_process)


def paper(source: str, helpers=()) -> Paper:
    return Paper("softmax", "softmax.py", source.encode(), helpers, seed=1, seconds=2.0)


@pytest.mark.slow
def test_the_verdict_is_the_judges(handed):
    assert verdict_on(paper(RIGHT))["passed"]
    helped = "from own import f\n\n\ndef softmax(x, axis=-1):\n    return f(x, axis)\n"
    assert verdict_on(paper(helped, (("own.py", RIGHT.replace("def softmax", "def f").encode()),)))["passed"]
    wrong = verdict_on(paper(WRONG))
    (mistake,) = wrong["mistakes"]
    assert (wrong["passed"], mistake["name"], mistake["line"]) == (False, "one sum for all", 6)
    endless = RIGHT.replace("    e =", "    while True:\n        pass\n    e =")
    assert verdict_on(paper(endless))["mistakes"][0]["name"] == "time limit"
    assert verdict_on(paper("\x00"))["mistakes"][0]["name"] == "syntax error"
    assert not verdict_on(paper(""))["passed"]


@pytest.mark.slow
def test_a_process_that_dies_takes_no_other_paper_with_it():
    """Papers that end the process that judges them, as an error in the judge's C code would."""
    program = (
        "import os, sys\n"
        "from handmade.classroom import papers, workers\n"
        "from tests.classroom.test_grading import dies\n"
        "workers.verdict_on = dies\n"
        "from tests.classroom.test_grading import paper\n"
        "if __name__ == '__main__':\n"
        "    all = [paper(f'# {n}') for n in range(5)]\n"
        "    for one, verdict in workers.judged_here(all, 2):\n"
        "        print(one.source.decode(), verdict['passed'], [m['message'] for m in verdict['mistakes']])\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    lines = sorted(ran.stdout.splitlines())
    assert [line.split()[2] for line in lines] == ["True", "True", "False", "True", "True"]
    assert "the process that judged it died" in lines[2]


def dies(paper: Paper):
    """A judge whose process ends at one paper."""
    if paper.source == b"# 2":
        os.kill(os.getpid(), signal.SIGKILL)
    return {"exercise": paper.exercise, "passed": True, "mistakes": []}


@pytest.mark.slow
def test_kill_9_at_any_moment_loses_nothing(handed, tmp_path):
    folder = handed({f"s{n}/softmax.py": f"# {n}\n{RIGHT}" for n in range(12)})
    out = tmp_path / "out"
    command = [sys.executable, "-m", "handmade", "grade", str(folder), "--to", str(out), "--workers", "1"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    record = out / "graded.jsonl"
    begun = time.monotonic()
    while time.monotonic() - begun < 60 and not (record.exists() and record.read_bytes().count(b"\n") >= 2):
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    before = record.read_bytes().count(b"\n")
    assert before >= 2
    grades = grade(collected(folder), out, in_this_process)
    assert grades.judged_now == 12 - before
    assert all(one.passed for one in grades.grades)


def test_nobody_waits_for_processes_where_there_is_nothing_to_judge():
    assert list(judged_here([], 2)) == []
