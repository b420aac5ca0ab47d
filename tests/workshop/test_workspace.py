"""The learner's folder and what it remembers."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from handmade.errors import InputError
from handmade.workshop import workspace as room
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.interviews import RUNNING, refuse_while_running
from handmade.workshop.judging.verdict import Finding, Verdict
from handmade.workshop.source import stub
from handmade.workshop.workspace import PROGRESS, Workspace, start, workspace_around


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Workspace:
    """One with three exercises."""
    monkeypatch.setattr(room, "NAMES", ("softmax", "self_attention", "gelu"))
    return start(tmp_path / "ws").workspace


def test_a_workspace_has_a_stub_for_each_exercise_in_the_folder_of_its_topic(workspace):
    files = {path.relative_to(workspace.folder).as_posix() for path in workspace.folder.rglob("*") if path.is_file()}
    assert files == {"basics/softmax.py", "attention/self_attention.py", "transformers/gelu.py", PROGRESS}
    assert workspace.file("gelu").read_text() == stub(exercise_named("gelu"))
    assert workspace.upcoming() == "softmax"


def test_starting_again_changes_nothing_that_is_there_and_adds_what_is_new(workspace, monkeypatch):
    workspace.file("softmax").write_text("mine")
    workspace.change(lambda progress: progress.add(Verdict("softmax", passed=True)))
    monkeypatch.setattr(room, "NAMES", ("adam", "softmax", "self_attention", "gelu"))
    started = start(workspace.folder)
    again = started.workspace
    assert [again.shown(path) for path in started.written] == ["optimisation/adam.py"]
    assert again.where("softmax") == "basics/softmax.py"
    assert again.file("softmax").read_text() == "mine"
    assert again.progress().of("softmax").passed


def test_a_workspace_is_found_from_inside(workspace, tmp_path):
    (workspace.folder / "drills").mkdir()
    found = workspace_around(workspace.folder / "drills")
    assert found is not None
    assert found.folder == workspace.folder
    assert workspace_around(tmp_path) is None
    (workspace.folder / PROGRESS).unlink()
    assert workspace_around(workspace.folder) == found


def test_reset_keeps_what_was_written_each_time(workspace):
    for text in ("first", "second"):
        workspace.file("gelu").write_text(text)
        workspace.reset("gelu")
        assert workspace.file("gelu").read_text() == stub(exercise_named("gelu"))
    assert (workspace.folder / "transformers" / "gelu.backup-1.py").read_text() == "first"
    assert (workspace.folder / "transformers" / "gelu.backup-2.py").read_text() == "second"
    workspace.file("gelu").unlink()
    assert workspace.reset("gelu") is None
    assert workspace.file("gelu").exists()


def test_attempts_are_counted(workspace):
    wrong = Verdict("gelu", findings=[Finding("tanh form", "")])
    unwritten = Verdict("gelu", findings=[Finding("not written yet", "")])
    for verdict in (wrong, wrong, unwritten, Verdict("gelu", passed=True)):
        workspace.change(lambda progress, verdict=verdict: progress.add(verdict))
    entry = workspace.progress().of("gelu")
    assert entry.attempts == 3
    assert entry.mistakes == {"tanh form": 2}
    assert entry.passed is not None
    first = entry.passed
    workspace.change(lambda progress: progress.add(Verdict("gelu", passed=True)))
    assert workspace.progress().of("gelu").passed == first


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"workshop": 0}', b'{"workshop": 1, "exercises": [], "interviews": []}',
     b'{"workshop": 1, "exercises": {"gelu": {"hints": "many"}}, "interviews": []}', b"[" * 100_000,
     b'{"workshop": 1, "exercises": {"gelu": {"hints": 1e999}}, "interviews": []}',
     b'{"workshop": 1, "exercises": {"gelu": {"attempts": -1}}, "interviews": []}',
     b'{"workshop": 1, "exercises": {"gelu": {"attempts": true}}, "interviews": []}',
     b'{"workshop": 1, "exercises": {"gelu": {"passed": 7}}, "interviews": []}',
     b'{"workshop": 1, "exercises": {"gelu": {"mistakes": {"a": "b"}}}, "interviews": []}',
     b'{"workshop": 1, "exercises": {"gelu": {"mistakes": [1]}}, "interviews": []}',
     b'{"workshop": 1, "exercises": {}, "interviews": [3]}', b'{"workshop": 1, "exercises": {}, "interviews": 3}'],
)  # fmt: skip
def test_a_damaged_record_is_kept_aside_and_said(workspace, content):
    said = []
    path = workspace.folder / PROGRESS
    path.write_bytes(content)
    damaged = Workspace(workspace.folder, said.append)
    assert damaged.progress().exercises == {}
    assert (workspace.folder / "progress.damaged-1.json").read_bytes() == content
    assert len(said) == 1
    assert "progress.damaged-1.json" in said[0]
    damaged.change(lambda progress: progress.add(Verdict("gelu", passed=True)))
    assert damaged.progress().of("gelu").passed
    assert len(said) == 1


def test_a_newer_records_entries_are_read(workspace):
    facts = json.loads((workspace.folder / PROGRESS).read_text())
    facts["exercises"]["gelu"] = {"attempts": 3, "stars": 5}
    (workspace.folder / PROGRESS).write_text(json.dumps(facts))
    assert workspace.progress().of("gelu").attempts == 3


def test_a_killed_writer_leaves_a_whole_record(tmp_path):
    code = (
        "import sys; from pathlib import Path; from handmade.workshop.workspace import Workspace\n"
        "workspace = Workspace(Path(sys.argv[1]))\n"
        "def more(progress): progress.of('gelu').attempts += 1\n"
        "while True: workspace.change(more); print('.', flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
    begun = time.monotonic()
    assert Workspace(tmp_path).progress().of("gelu").attempts >= 20
    assert time.monotonic() - begun < 5
    assert not list(tmp_path.glob("*damaged*"))


@pytest.mark.slow
def test_two_who_change_it_at_once_lose_nothing(tmp_path):
    code = (
        "import sys; from pathlib import Path; from handmade.workshop.workspace import Workspace\n"
        "workspace = Workspace(Path(sys.argv[1]))\n"
        "def more(progress): progress.of('gelu').attempts += 1\n"
        "for _ in range(50): workspace.change(more)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert Workspace(tmp_path).progress().of("gelu").attempts == 150
    assert os.listdir(tmp_path) == [PROGRESS]


@pytest.mark.slow
def test_200_pairs_inside_the_write_at_once_lose_no_attempt(tmp_path):
    code = (
        "import sys; from pathlib import Path; from handmade.workshop.workspace import Workspace\n"
        "workspace = Workspace(Path(sys.argv[1]))\n"
        "def more(progress): progress.of('gelu').attempts += 1\n"
        "for line in sys.stdin: workspace.change(more); print('.', flush=True)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other,
    ):
        for _ in range(200):
            for writer in (one, other):  # both are waiting: they begin together
                writer.stdin.write(b"\n")
                writer.stdin.flush()
            for writer in (one, other):
                assert writer.stdout.readline() == b".\n"
        for writer in (one, other):
            writer.stdin.close()
    assert Workspace(tmp_path).progress().of("gelu").attempts == 400
    assert os.listdir(tmp_path) == [PROGRESS]


@pytest.mark.parametrize("ends", ["1e999", "1" + 400 * "0", "null", 200 * "[" + 200 * "]"])
def test_a_damaged_mark_of_an_interview_stops_nobody(workspace, ends):
    mark = workspace.folder / "interviews" / RUNNING
    mark.parent.mkdir(exist_ok=True)
    mark.write_text(f'{{"exercise": "gelu", "ends": {ends}}}')
    refuse_while_running(workspace, "gelu", "the solution")
    mark.write_text(f'{{"exercise": "gelu", "ends": {time.time() + 90}}}')
    with pytest.raises(InputError, match="an interview on gelu is running"):
        refuse_while_running(workspace, "gelu", "the solution")


def test_a_disk_that_cannot_be_written_is_one_sentence(workspace, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("handmade.files.Path.write_bytes", refuse)
    with pytest.raises(InputError, match="cannot write .*progress.json: Read-only file system"):
        workspace.change(lambda progress: None)
    monkeypatch.setattr(room.Path, "mkdir", refuse)
    with pytest.raises(InputError, match="cannot write .*elsewhere: Read-only file system"):
        start(workspace.folder / "elsewhere")


def test_every_exercise_has_a_topic_that_interviews_know():
    from handmade.workshop.exercises import TOPICS

    assert {exercise_named(name).topic for name in NAMES} <= set(TOPICS)
