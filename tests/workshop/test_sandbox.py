"""The confined process itself: every way to confine it that this machine has."""

import os
import subprocess
from pathlib import Path

import pytest

from handmade.errors import InputError
from handmade.workshop.cell.worker import Job
from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging import sandbox as room
from handmade.workshop.judging.sandbox import Sandbox, isolation
from tests.support.judging import RIGHT, SMALL


def job(source: str) -> Job:
    exercise = exercise_named("self_attention")
    cases = exercise.all_cases()
    return Job("/a/solution.py", source, ("/a",), ("self_attention",), "call", exercise.outputs, cases, False, SMALL)


@pytest.fixture
def sandbox(confinement):
    try:
        with Sandbox(confinement) as sandbox:
            sandbox.run(job(RIGHT))
            yield sandbox
    except InputError:  # the program or the kernel's part is there and does not work here: nothing to test
        assert confinement != "limits"
        with Sandbox() as sandbox:
            yield sandbox


def test_results_come_back(sandbox):
    outcome = sandbox.run(job(RIGHT))
    assert outcome.ending == "finished"
    assert len(outcome.results) == len(exercise_named("self_attention").all_cases())
    assert outcome.again is not None
    assert [outcome.refused, outcome.threads, outcome.patched, outcome.printed] == [[], [], [], ""]


def test_a_process_does_not_see_the_environment(sandbox, monkeypatch):
    monkeypatch.setenv("MY_SECRET", "42")
    with Sandbox(sandbox.confinement) as later:
        printed = later.run(job(f"import os; print(sorted(os.environ))\n{RIGHT}")).printed
    assert "PATH" in printed
    assert "MY_SECRET" not in printed


def test_code_that_goes_around_python_is_held_by_the_kernel(sandbox, tmp_path):
    """open(2) and socket(2) through ctypes, which no hook of Python's sees."""
    if sandbox.confinement == "limits":
        return
    target = tmp_path / "file"
    code = (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"print(libc.open({os.fsencode(target)!r}, 0o101, 0o600), libc.unlink({os.fsencode(tmp_path / 'mine')!r}))\n"
        "print(open('/proc/net/dev').read().count(':'))\n"
    )
    (tmp_path / "mine").write_text("mine")
    printed = sandbox.run(job(code + RIGHT)).printed
    assert printed.startswith("-1 -1\n1")  # no file, and one interface: its own loopback
    assert not target.exists()
    assert (tmp_path / "mine").read_text() == "mine"


def test_where_a_confinement_does_not_work_the_next_is_taken(monkeypatch):
    monkeypatch.setattr(room, "_bubblewrapped", lambda command, scratch: ["false"])
    monkeypatch.setattr(room, "confinements", lambda: ["bubblewrap", "limits"])
    with Sandbox() as sandbox:
        assert sandbox.confinement == "limits"
        assert sandbox.run(job(RIGHT)).ending == "finished"


def test_a_confinement_that_was_asked_for_and_does_not_work_is_an_error(monkeypatch):
    monkeypatch.setattr(room, "_bubblewrapped", lambda command, scratch: ["false"])
    with Sandbox("bubblewrap") as sandbox, pytest.raises(InputError, match="does not start on this machine"):
        sandbox.run(job(RIGHT))


def test_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(room.tempfile, "tempdir", str(tmp_path))
    with Sandbox() as sandbox:
        sandbox.run(job(f"open('a', 'w').write('x')\n{RIGHT}"))
        assert sandbox._process is not None
        process: subprocess.Popen[bytes] = sandbox._process
    assert process.poll() is not None
    assert list(Path(tmp_path).iterdir()) == []


def test_words_for_each_confinement(confinement):
    words = isolation(confinement)
    assert words.startswith(f"A solution is confined by: {confinement}.")
    assert "Not contained:" in words
    assert ("ctypes" in words) == (confinement == "limits")
