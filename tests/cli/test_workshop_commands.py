"""The workshop's commands, as a learner uses them."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from handmade.cli.verdicts import show
from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging.verdict import Finding, Mend, Verdict
from handmade.workshop.source import faulty, solution
from handmade.workshop.workspace import Workspace

SOFTMAX = """import numpy as np


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)
"""


@pytest.fixture
def there(handmade, tmp_path, monkeypatch):
    """The learner is in a new workspace of three exercises."""
    names = ("softmax", "self_attention", "gelu")
    for module in ("workshop.workspace", "workshop.interviews", "workshop.exercises", "cli.checking"):
        monkeypatch.setattr(f"handmade.{module}.NAMES", names)
    monkeypatch.chdir(tmp_path)
    assert handmade("start", "ws").code == 0
    monkeypatch.chdir(tmp_path / "ws")
    return tmp_path / "ws"


@pytest.mark.slow
def test_from_start_to_the_first_pass_by_what_the_screen_says(handmade, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = handmade("start")
    assert ran.code == 0
    steps = [line.strip() for line in ran.out.splitlines() if line.strip()[:2] in ("1.", "2.", "3.")]
    assert steps[0] == "1. cd handmade-workshop"
    assert steps[1].startswith("2. Open basics/softmax.py")
    assert steps[2] == "3. handmade check softmax"
    monkeypatch.chdir(tmp_path / "handmade-workshop")
    ran = handmade("check", "softmax")
    assert ran.code == 1
    assert "Nothing is written yet in softmax" in ran.out
    assert "handmade hint softmax" in ran.out
    (tmp_path / "handmade-workshop" / "basics/softmax.py").write_text(SOFTMAX)
    ran = handmade("check", "softmax")
    assert ran.code == 0
    assert "Softmax: passed" in ran.out
    assert "Next: basics/cross_entropy.py" in ran.out


def test_start_says_what_it_moved_in_an_older_workspace(handmade, tmp_path, monkeypatch):
    numbered = tmp_path / "ws"
    shutil.copytree(Path(__file__).parent.parent / "fixtures" / "workspace" / "numbered", numbered)
    monkeypatch.chdir(numbered)
    ran = handmade("start")
    assert ran.code == 0
    assert "8 files moved into the folders of their topics" in ran.out
    assert "Open basics/dropout.py in your editor." in ran.out
    assert not [name for name in os.listdir(numbered) if name[:2].isdigit()]


@pytest.mark.slow
def test_check_as_data(handmade, there):
    (there / "basics/softmax.py").write_text(SOFTMAX)
    ran = handmade("check", "softmax", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["passed"] is True
    (there / "attention/self_attention.py").write_text(faulty(exercise_named("self_attention"), "no scale"))
    ran = handmade("check", "--json")
    assert ran.code == 1
    first, second, third = json.loads(ran.out)
    assert (first["exercise"], first["passed"]) == ("softmax", True)
    assert [mistake["name"] for mistake in second["mistakes"]] == ["no scale"]
    assert [mistake["name"] for mistake in third["mistakes"]] == ["not written yet"]


def test_check_all_shows_a_line_each(handmade, there):
    (there / "basics/softmax.py").write_text(SOFTMAX)
    ran = handmade("check")
    assert ran.code == 1
    assert "✓  softmax" in ran.out
    assert "·  gelu" in ran.out
    assert "1 of 3 passed." in ran.out


def test_all_passed_is_exit_code_0(handmade, there):
    for name in ("softmax", "self_attention", "gelu"):
        Workspace(there).file(name).write_text(solution(exercise_named(name)))
    ran = handmade("check")
    assert (ran.code, ran.err) == (0, "")
    assert "3 of 3 passed." in ran.out


@pytest.mark.slow
def test_check_any_file(handmade, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "softmax.py").write_text(SOFTMAX)
    assert handmade("check", "softmax", "--file", "softmax.py").code == 0
    assert handmade("check", "--file", "softmax.py").code == 0
    (tmp_path / "mine.py").write_text(SOFTMAX.replace("e / e.sum(axis, keepdims=True)", "e"))
    ran = handmade("check", "softmax", "--file", "mine.py")
    assert ran.code == 1
    assert "not normalised" in ran.out
    assert sorted(os.listdir(tmp_path)) == ["mine.py", "softmax.py"]


MISUSES = [
    (["check"], "this folder is not a workspace: create one with `handmade start`"),
    (["check", "softmax"], "this folder is not a workspace"),
    (["check", "softmx"], "there is no exercise 'softmx'; did you mean 'softmax'?"),
    (["check", "softmax", "--file", "none.py"], "cannot read none.py: No such file or directory."),
    (["check", "--file", "mine.py"], "which exercise is mine.py for? Name it"),
    (["check", "softmax", "--seconds", "0"], "--seconds is 0, expected more than 0."),
    (["check", "--all"], "--all is for one exercise: handmade check NAME --all."),
    (["hint"], "this folder is not a workspace"),
    (["solution", "softmax"], "this folder is not a workspace"),
    (["reset", "softmax"], "this folder is not a workspace"),
    (["progress"], "this folder is not a workspace"),
    (["watch"], "this folder is not a workspace"),
    (["drill", "softmx"], "there is no exercise 'softmx'"),
    (["interview", "--topic", "magic"], "there is no topic 'magic'. There are basics"),
    (["interview", "--minutes", "-1"], "--minutes is -1, expected more than 0."),
    (["audit", "softmx"], "there is no exercise 'softmx'"),
]


@pytest.mark.parametrize(("arguments", "told"), MISUSES)
def test_misuse_is_one_sentence_and_exit_code_2(handmade, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    ran = handmade(*arguments)
    assert ran.code == 2
    assert told in ran.err
    assert os.listdir(tmp_path) == []


def test_one_file_that_fells_the_judge_leaves_the_others_their_verdicts(handmade, there, monkeypatch):
    from handmade.workshop.judging import judge as room

    (there / "basics/softmax.py").write_text(SOFTMAX)
    (there / "transformers/gelu.py").write_text(solution(exercise_named("gelu")))
    read = room.read

    def fails(path, exercise, cases):
        if exercise.name == "self_attention":
            raise ZeroDivisionError("of ours")
        return read(path, exercise, cases)

    monkeypatch.setattr(room, "read", fails)
    ran = handmade("check")
    assert ran.code == 3
    assert "✓  softmax" in ran.out
    assert "✓  gelu" in ran.out
    assert "the judge failed on" in ran.err
    assert "Traceback" not in ran.err
    assert "ZeroDivisionError: of ours" in (there / "judge-failed.1.txt").read_text()
    ran = handmade("check", "self_attention")
    assert ran.code == 3
    assert "raise NotImplementedError" in (there / "judge-failed.2.txt").read_text()


def test_ctrl_c_leaves_the_verdicts_that_there_are(handmade, there, monkeypatch):
    from handmade.workshop.judging import judge as room

    (there / "basics/softmax.py").write_text(SOFTMAX)
    read = room.read

    def interrupted(path, exercise, cases):
        if exercise.name == "self_attention":
            raise KeyboardInterrupt
        return read(path, exercise, cases)

    monkeypatch.setattr(room, "read", interrupted)
    assert handmade("check").code == 130
    assert Workspace(there).progress().of("softmax").passed is not None


def test_bad_encodings_do_not_stop_the_check_of_all(handmade, there):
    (there / "basics/softmax.py").write_text("# coding: rot13\n" + SOFTMAX)
    (there / "attention/self_attention.py").write_text("# coding: hex\n")
    (there / "transformers/gelu.py").write_text(solution(exercise_named("gelu")))
    ran = handmade("check")
    assert ran.code == 1
    assert "1 of 3 passed." in ran.out


def test_a_seed_is_in_the_verdict_and_can_be_given(handmade, there):
    (there / "basics/softmax.py").write_text(SOFTMAX)
    ran = handmade("check", "softmax", "--json", "--seed", "7")
    assert json.loads(ran.out)["seed"] == 7
    ran = handmade("check", "softmax", "--seed", "-1")
    assert (ran.code, "--seed is -1, expected 0 or more." in ran.err) == (2, True)


def test_isolation_is_told(handmade):
    ran = handmade("check", "--isolation")
    assert ran.code == 0
    assert ran.out.startswith("A solution is confined by: ")
    assert "Not contained:" in ran.out


def test_hints_go_on_from_the_verdict(handmade, there):
    (there / "basics/softmax.py").write_text(SOFTMAX.replace("x.max(", "x.min("))
    verdict = json.loads(handmade("check", "softmax", "--json").out)
    assert verdict["mistakes"][0]["line"] == 5
    assert "Look at line 5." in handmade("hint", "softmax").out
    if verdict["mistakes"][0]["mend"]:  # found in time
        assert "it is about another function" in handmade("hint", "softmax").out
        assert "x.max(" in handmade("hint", "softmax").out
    assert exercise_named("softmax").hints[0] in handmade("hint", "softmax").out


def test_hints_come_one_by_one_and_are_recorded(handmade, there):
    hints = exercise_named("softmax").hints
    for shown in (1, 2, 3, 3):
        ran = handmade("hint")
        assert [hint in ran.out for hint in hints] == [n < shown for n in range(3)]
    assert "--give-up" in ran.out
    assert json.loads((there / "progress.json").read_text())["exercises"]["softmax"]["hints"] == 3


def test_the_solution_is_shown_after_passing_or_giving_up(handmade, there):
    ran = handmade("solution", "softmax")
    assert ran.code == 2
    assert "--give-up" in ran.err
    ran = handmade("solution", "softmax", "--give-up")
    assert ran.code == 0
    assert ran.out == solution(exercise_named("softmax"))
    assert json.loads((there / "progress.json").read_text())["exercises"]["softmax"]["gave_up"]
    (there / "basics/softmax.py").write_text(SOFTMAX)
    handmade("check", "softmax")
    assert handmade("solution", "softmax").code == 0
    assert "passed" in handmade("progress").out


@pytest.mark.slow
def test_progress(handmade, there):
    (there / "basics/softmax.py").write_text(SOFTMAX)
    (there / "attention/self_attention.py").write_text(faulty(exercise_named("self_attention"), "no scale"))
    handmade("check")
    ran = handmade("progress")
    assert ran.code == 0
    assert "1 of 3 passed." in ran.out
    assert "Your most frequent mistakes: no scale (1)." in ran.out
    assert "Next: attention/self_attention.py." in ran.out


def test_reset_says_where_the_copy_is(handmade, there):
    (there / "basics/softmax.py").write_text(SOFTMAX)
    ran = handmade("reset", "softmax")
    assert ran.code == 0
    assert "softmax.backup-1.py" in ran.out
    assert (there / "basics/softmax.backup-1.py").read_text() == SOFTMAX


def test_a_verdict_is_given_where_progress_cannot_be_written(handmade, there, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    (there / "basics/softmax.py").write_text(SOFTMAX)
    monkeypatch.setattr("handmade.files.Path.write_bytes", refuse)
    ran = handmade("check", "softmax")
    assert ran.code == 0
    assert "Your progress could not be saved: cannot write" in ran.err


@pytest.mark.slow
def test_a_drill_is_wrong_until_it_is_mended_and_keeps_its_secret(handmade, there):
    ran = handmade("drill", "softmax", "--seed", "1")
    assert ran.code == 0
    file = there / "drills" / "softmax.1.py"
    assert f"handmade check softmax --file {file.relative_to(there)}" in ran.out
    ran = handmade("check", "--file", file)
    assert ran.code == 1
    assert "The mistake is still in it." in ran.out
    assert not any(fault in ran.out for fault in exercise_named("softmax").faults)
    file.write_text(SOFTMAX)
    ran = handmade("check", "--file", file)
    assert ran.code == 0
    assert "Fixed." in ran.out
    assert "softmax" not in json.loads((there / "progress.json").read_text())["exercises"]


@pytest.mark.parametrize("name", ["results in another order", "changes its arguments", "time limit", "returns None"])
def test_a_drill_keeps_its_secret_however_it_fails(capsys, name):
    verdict = Verdict("softmax", findings=[Finding(name, "It is here.", line=6)])
    show(verdict, exercise_named("softmax"), Path("drills/softmax.1.py"), None)
    shown = capsys.readouterr().out
    assert "The mistake is still in it." in shown
    assert "line 6" not in shown
    show(verdict, exercise_named("softmax"), Path("basics/softmax.py"), None)
    assert "line 6" in capsys.readouterr().out


def test_what_to_do_next_is_true_of_the_file_that_was_checked(capsys, there):
    """The hints follow the verdict on the exercise's own file only."""
    finding = Finding("wrong values", "It is here.", line=5, mend=Mend("a", "b", "a name"))
    verdict = Verdict("softmax", findings=[finding, finding, finding])
    workspace, exercise = Workspace(there), exercise_named("softmax")
    show(verdict, exercise, Path("basics/softmax.py"), workspace)
    own = capsys.readouterr().out
    assert "`handmade hint softmax` leads to the mend." in own
    assert "`handmade check softmax --all` shows 2 more things." in own
    show(verdict, exercise, Path("mine.py"), workspace)
    other = capsys.readouterr().out
    assert "`handmade hint softmax` gives a hint." in other
    assert "`handmade check softmax --file mine.py --all` shows 2 more things." in other


@pytest.mark.slow
def test_an_interview_ends_in_a_post_mortem(handmade, there, monkeypatch):
    reader, writer = os.pipe()
    os.write(writer, b"\ny\n")
    os.close(writer)
    with os.fdopen(reader) as keyboard:
        monkeypatch.setattr(sys, "stdin", keyboard)
        monkeypatch.setattr(
            "handmade.workshop.source.stub", lambda exercise: faulty(exercise, "softmax over the queries")
        )
        ran = handmade("interview", "--topic", "attention", "--minutes", "2")
    assert ran.code == 1
    report = (there / "interviews" / "self_attention.1.md").read_text()
    assert "Result: not passed" in report
    assert "**softmax over the queries**" in report
    assert re.search(r"Time: 0:\d\d of 2:00\.", report)
    assert "handmade drill self_attention" in report
    held = json.loads((there / "progress.json").read_text())["interviews"]
    assert [interview["exercise"] for interview in held] == ["self_attention"]
    ran = handmade("interview", "--topic", "attention")
    assert ran.code == 2
    assert "there is no exercise on attention left that you have not seen" in ran.err


def test_the_clock_ends_an_interview(handmade, there, monkeypatch):
    reader, writer = os.pipe()
    with os.fdopen(reader) as keyboard:
        monkeypatch.setattr(sys, "stdin", keyboard)
        ran = handmade("interview", "--minutes", "0.001")
    os.close(writer)
    assert ran.code == 1
    assert "The time is over." in ran.out


def test_the_audit_of_one_exercise(handmade):
    ran = handmade("audit", "noam")
    assert ran.code == 0
    faults = len(exercise_named("noam").faults)
    assert f"faults named {faults}/{faults}" in ran.out
    assert "MISSED" not in ran.out


def test_an_audit_that_misses_a_goal_fails(handmade, monkeypatch):
    from dataclasses import replace

    from handmade.workshop.judging import audit as room

    run = room.audit
    monkeypatch.setattr(room, "audit", lambda exercise: replace(run(exercise), accepted={"loops": False}))
    ran = handmade("audit", "noam")
    assert ran.code == 1
    assert "right, and refused: loops" in ran.out
    assert "MISSED" in ran.out


@pytest.mark.slow
def test_watch_checks_each_save_and_obeys_keys(there):
    ours, theirs = pty.openpty()
    watching = subprocess.Popen(
        [sys.executable, "-m", "handmade", "watch"], cwd=there, stdin=theirs, stdout=theirs, stderr=theirs
    )
    shown = b""

    def until(words: str) -> None:
        nonlocal shown
        end = time.monotonic() + 30
        while words.encode() not in shown:
            assert time.monotonic() < end, shown.decode()
            if select.select([ours], [], [], 1.0)[0]:
                shown += os.read(ours, 4096)
            elif b"passed" not in shown:
                (there / "basics/softmax.py").write_text(SOFTMAX)  # the watcher may not have been awake before

    try:
        until("Softmax, about")
        until("Softmax: passed")
        os.write(ours, b"h")
        until(exercise_named("cross_entropy").hints[0][:20])  # the program has all exercises
        os.write(ours, b"l")
        until("transformers/gelu.py")
        os.write(ours, b"q")
        assert watching.wait(30) == 0
    finally:
        watching.kill()
        watching.wait()
        os.close(ours)
        os.close(theirs)


@pytest.mark.slow
def test_watch_without_a_terminal_says_so(there):
    watching = subprocess.Popen(
        [sys.executable, "-m", "handmade", "watch"],
        cwd=there,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background ignores Ctrl-C
    )
    assert watching.stdout is not None
    watching.stdout.readline()
    assert watching.stdout.readline() == "This is not a terminal, so no keys are read; Ctrl-C quits.\n"
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=30)
    assert watching.returncode == 0


@pytest.fixture
def typing(monkeypatch):
    """Puts these keys, and then the end, into standard input."""
    inputs = []

    def types(typed: bytes) -> None:
        reader, writer = os.pipe()
        os.write(writer, typed)
        os.close(writer)
        inputs.append(os.fdopen(reader))
        monkeypatch.setattr(sys, "stdin", inputs[-1])

    yield types
    for one in inputs:
        one.close()


@pytest.mark.parametrize("typed", [b"", b"\n", b"\n\nq\n", b"q\n"])
def test_an_untouched_stub_is_not_handed_in_by_mistake(handmade, there, typing, typed):
    typing(typed)
    ran = handmade("interview", "--topic", "attention")
    assert ran.code == 1
    assert re.search(r"\d+:\d\d left", ran.out)
    assert ("Nothing is written yet. Hand it in?" in ran.out) == (b"\n" in typed[:1])
    assert "Nothing was handed in, and nothing is recorded." in ran.out
    assert os.listdir(there / "interviews") == []
    assert json.loads((there / "progress.json").read_text())["interviews"] == []


@pytest.mark.slow
def test_one_tries_before_one_hands_in_and_the_solution_waits(handmade, there, typing, monkeypatch):
    from handmade.cli import handing_in

    typing(b"t\n\ny\n")
    monkeypatch.setattr("handmade.workshop.source.stub", lambda exercise: faulty(exercise, "softmax over the queries"))
    tried = handing_in.tried

    def meanwhile(path, exercise, sandbox):
        for given_away in ("solution", "hint"):
            told = handmade(given_away, "self_attention", *(["--give-up"] if given_away == "solution" else []))
            assert (told.code, "an interview on self_attention is running" in told.err) == (2, True)
        monkeypatch.setattr(sys, "argv", ["handmade", "interview"])
        return tried(path, exercise, sandbox=sandbox)

    monkeypatch.setattr(handing_in, "tried", meanwhile)
    ran = handmade("interview", "--topic", "attention")
    assert "gives\n  output = [[" in ran.out
    assert "check it again" not in ran.out
    assert "That was your try." in ran.out
    assert handmade("solution", "self_attention", "--give-up").code == 0


def test_a_seed_draws_the_same_exercise_again(handmade, there, typing):
    drawn = []
    for _ in range(2):
        typing(b"y\nq\n")
        drawn.append(handmade("interview", "--seed", "3").out.partition(",")[0])
        typing(b"\ny\n")
        handmade("interview", "--seed", "3")
        drawn.append(handmade("drill", "--seed", "3").out.partition(":")[0])
        (there / "basics/softmax.py").write_text(SOFTMAX)
        handmade("check", "softmax")
    assert drawn[:2] == drawn[2:]


@pytest.mark.slow
@pytest.mark.parametrize("command", [["drill"], ["interview"]])
def test_outside_a_workspace_one_is_found_or_offered(handmade, tmp_path, typing, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    typing(b"")
    ran = handmade(*command)
    assert (ran.code, "create one with `handmade start`" in ran.err) == (2, True)
    assert os.listdir(tmp_path) == []
    handmade("start")
    typing(b"\ny\n")
    handmade(*command)
    assert (tmp_path / "handmade-workshop" / f"{command[0]}s").is_dir()
    assert len(json.loads((tmp_path / "handmade-workshop" / "progress.json").read_text())[f"{command[0]}s"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", ["drill", "interview"])
@pytest.mark.parametrize(
    ("answer", "code", "told", "started"),
    [
        ("", 0, "has one mistake|hand in once", True),
        ("yes", 0, "has one mistake|hand in once", True),
        ("n", 2, "create one with `handmade start`", False),
        (EOFError, 2, "create one with `handmade start`", False),
        (KeyboardInterrupt, 130, "", False),
    ],
)
def test_a_workspace_is_offered_at_a_terminal(
    handmade, tmp_path, typing, monkeypatch, command, answer, code, told, started
):
    def reply(question):
        assert question == "There is no workspace here. Start one in ./handmade-workshop? [Y/n] "
        if isinstance(answer, str):
            return answer
        raise answer

    monkeypatch.setattr("builtins.input", reply)
    monkeypatch.chdir(tmp_path)
    typing(b"q\n")
    monkeypatch.setattr(sys, "stdin", AtATerminal(sys.stdin))
    ran = handmade(command)
    assert ran.code == (1 if command == "interview" and started else code)  # it was left
    assert re.search(told, ran.out + ran.err)
    assert os.listdir(tmp_path) == (["handmade-workshop"] if started else [])
    assert "Traceback" not in ran.err


class AtATerminal:
    """A stream that says that it is a terminal."""

    def __init__(self, stream):
        self.fileno = stream.fileno

    def isatty(self):
        return True


def test_ctrl_c_twice_leaves_an_interview_once_does_not(handmade, there, typing, monkeypatch):
    from handmade.cli import handing_in

    pressed = iter([KeyboardInterrupt, b"\n", KeyboardInterrupt, KeyboardInterrupt])

    def read(*_):
        key = next(pressed)
        if isinstance(key, bytes):
            return key
        raise key

    typing(b"x")  # something is there to be read
    monkeypatch.setattr(handing_in, "os", SimpleNamespace(read=read))
    ran = handmade("interview", "--topic", "attention")
    assert ran.code == 1
    assert ran.out.count("Hand it in?") == 2
    assert "It goes on." in ran.out
    assert "nothing is recorded" in ran.out
    assert not list(pressed)


@pytest.mark.slow
def test_check_try_and_hint_understand_numbers_files_and_paths(handmade, there):
    (there / "basics/softmax.py").write_text(SOFTMAX)
    for typed in ("1", "basics/softmax.py"):
        assert handmade("check", typed).code == 0
        assert handmade("try", typed).code == 0
    assert exercise_named("softmax").hints[0] in handmade("hint", "1").out
    drill = handmade("drill", "softmax").out.split("--file ")[1].strip()
    assert handmade("check", drill).code == 1
    (there / drill).write_text(SOFTMAX)
    assert "Fixed." in handmade("check", drill).out
    shown = handmade("progress").out
    assert "Drills: 1 of 1 fixed." in shown
    assert "attention" in shown
    assert "35 self_attention" not in shown  # the workspace has three exercises
    assert len(shown.splitlines()) < 15


@pytest.mark.slow
def test_one_case_is_checked_and_not_recorded(handmade, there):
    (there / "basics/softmax.py").write_text(SOFTMAX.replace("axis, keepdims", "-1, keepdims"))
    assert handmade("check", "softmax", "--case", "one row").code == 0
    ran = handmade("check", "softmax", "--case", "axis 0")
    assert ran.code == 1
    assert json.loads((there / "progress.json").read_text())["exercises"] == {}
    assert "--case is for one exercise" in handmade("check", "--case", "axis 0").err


def test_a_deleted_solution_is_named(handmade, there):
    (there / "basics/softmax.py").unlink()
    assert "softmax.py does not exist any more: `handmade reset softmax`" in handmade("check", "softmax").err
    ran = handmade("check")
    assert "Missing: basics/softmax.py. `handmade reset NAME` writes one stub" in ran.err
    assert "1 new file in this folder" in handmade("start").out
