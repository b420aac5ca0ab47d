"""The confined process itself: every way to confine it that this machine has."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from handmade.errors import InputError
from handmade.workshop.cell.job import Job
from handmade.workshop.cell.wire import dumps
from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging import sandbox as room
from handmade.workshop.judging.isolation import Confinement, isolation
from handmade.workshop.judging.sandbox import Sandbox
from tests.support.judging import RIGHT, SHORT, SMALL


def job(source: str) -> Job:
    exercise = exercise_named("self_attention")
    cases = exercise.all_cases()
    return Job("/a/solution.py", source, ("/a",), ("self_attention",), "call", exercise.outputs, cases, False, SMALL)


@pytest.fixture(scope="module")
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


@pytest.mark.slow
def test_a_process_does_not_see_the_environment(sandbox, monkeypatch):
    monkeypatch.setenv("MY_SECRET", "42")
    with Sandbox(sandbox.confinement.name) as later:
        printed = later.run(job(f"import os; print(sorted(os.environ))\n{RIGHT}")).printed
    assert "PATH" in printed
    assert "MY_SECRET" not in printed


def around_python(*lines: str) -> str:
    """Code that calls the C library, which no hook of Python's sees: it says that it is a part of Python's own."""
    code = "import ctypes, os, sys\nlibc = ctypes.CDLL(None, use_errno=True)\n" + "\n".join(lines)
    return f"import os\nexec(compile({code!r}, os.__file__, 'exec'))\n{RIGHT}"


def held_by_the_kernel(sandbox: Sandbox) -> bool:
    how = sandbox.confinement
    return how.name != "limits" or bool(how.landlock)


def test_files_are_held_by_the_kernel(sandbox, tmp_path):
    if not held_by_the_kernel(sandbox):
        return  # an old kernel: the words for it say so
    mine, target = tmp_path / "mine", tmp_path / "file"
    mine.write_text("mine")
    printed = sandbox.run(
        job(
            around_python(
                f"print(libc.open({os.fsencode(target)!r}, 0o101, 0o600), libc.unlink({os.fsencode(mine)!r}))",
                f"print(libc.rename({os.fsencode(mine)!r}, b'here'), libc.truncate({os.fsencode(mine)!r}, 0))",
            )
        )
    ).printed
    assert printed == "-1 -1\n-1 -1\n"
    assert not target.exists()
    assert mine.read_text() == "mine"


def test_neither_the_answers_nor_other_files_can_be_read(sandbox, tmp_path):
    how, package = sandbox.confinement, Path(room.__file__).parents[2]
    secret = tmp_path / "secret"
    secret.write_text("secret")
    answers = [
        package / "workshop" / "variants" / "attention" / "self_attention.py",
        package / "workshop" / "exercises" / "attention" / "self_attention.py",
        package / "attention.py",
    ]
    assert all(path.exists() for path in answers)
    opened = [f"libc.open({os.fsencode(path)!r}, 0)" for path in (*answers, secret)]
    printed = sandbox.run(job(around_python(f"print({', '.join(opened)})"))).printed.split()
    if how.name != "limits" or how.landlock:
        assert printed[:3] == ["-1"] * 3
    if how.landlock:
        assert printed[3] == "-1"


def test_the_package_cannot_be_imported_whatever_the_spelling(sandbox):
    code = (
        "import sys, importlib\n"
        "sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, 'invalidate_caches')]\n"
        f"sys.path.insert(0, {str(Path(room.__file__).parents[3])!r})\n"
        "importlib.invalidate_caches()\n"
        "from_package = importlib.import_module('hand' + 'made').self_attention\n"
    )
    outcome = sandbox.run(job(code + RIGHT))
    assert outcome.ending == "load"
    assert outcome.results == []


CALLS = {
    "fork": "libc.fork()",
    "execve": "libc.execve(b'/bin/true', None, None)",
    "socket of the network": "libc.socket(2, 1, 0)",
    "socket of this machine": "libc.socket(1, 1, 0)",
    "signal to its parent": "libc.kill(os.getppid(), 0)",
    "named pipe": "libc.mkfifo(b'pipe', 0o600)",
    "mode": "libc.chmod(b'.', 0o777)",
    "limits": "libc.setrlimit(0, b'\\xff' * 16)",
    "key ring": "libc.syscall(250, 0, -3, 1)",
    "tracing": "libc.ptrace(0, 0, 0, 0)",
}


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS)
def test_calls_that_no_solution_needs_are_refused(sandbox, call):
    if sandbox.confinement.seccomp:
        assert sandbox.run(job(around_python(f"print({CALLS[call]})"))).printed == "-1\n"


def test_only_its_own_processes_and_no_devices_are_there(sandbox):
    if sandbox.confinement.name == "limits":
        return
    paths = (b"/dev/tty", b"/proc/1000000/stat", b"/dev/null")
    code = around_python(*(f"print(libc.open({path!r}, 2))" for path in paths), "print(os.getpid() < 99)")
    tty, another, null, counted = sandbox.run(job(code)).printed.split()
    assert (tty, another, counted) == ("-1", "-1", "True")
    assert int(null) > 0


def test_threads_are_allowed(sandbox):
    code = "import threading\nthread = threading.Thread(target=print, args=('hello',))\nthread.start()\nthread.join()\n"
    outcome = sandbox.run(job(code + RIGHT))
    assert (outcome.ending, outcome.printed, outcome.threads) == ("finished", "hello\n", [])


@pytest.mark.slow
def test_what_is_written_into_the_pipe_of_reports_makes_all_of_it_count_for_nothing(sandbox):
    write = "import os\nfor fd in range(3, 40):\n    try: os.write(fd, {!r})\n    except OSError: pass\n"
    for line in (b"\n{}\n", b"[1]\n", b"null\n", b'["dict",[["kind","end"],["exit",0]]]\n', b"x" * 70_000, b"\xff\n"):
        outcome = sandbox.run(job(write.format(line) + RIGHT))
        assert (outcome.ending, outcome.results) == ("lost", [])
        assert sandbox.run(job(RIGHT)).ending == "finished"


@pytest.mark.slow
def test_a_whole_report_that_was_made_up_does_not_reach_the_next_job(sandbox):
    """Results without numbers, then the end: the job is lost; the next one gets none of the lines."""
    lines = [dumps({"kind": "result", "outputs": {}, "raised": None, "changed": []})] * 30
    lines.append(dumps({"kind": "done", "seconds": 0.0, "threads": [], "patched": []}))
    content = "\n".join(lines).encode() + b"\n"
    write = f"import os\nfor fd in range(3, 40):\n    try: os.write(fd, {content!r})\n    except OSError: pass\n"
    assert sandbox.run(job(f"{write}os._exit(0)\n{RIGHT}")).ending == "lost"
    outcome = sandbox.run(job(RIGHT))
    assert len(outcome.results) == len(exercise_named("self_attention").all_cases())


@pytest.mark.slow
def test_an_overfull_pipe_is_no_report_and_a_loop_that_fills_it_is_told_by_its_time(sandbox):
    limits = replace(SMALL, report=1 << 16)
    long = RIGHT.replace("return weights @ V, weights", "return ['x' * 100_000], weights")
    assert sandbox.run(replace(job(long), limits=limits)).ending == "lost"
    endless = job(RIGHT.replace("    return", "    while True: pass\n    return"))
    assert sandbox.run(replace(endless, limits=SHORT)).ending == "time"


@pytest.mark.slow
def test_a_killed_judge_leaves_nothing_behind(confinement, tmp_path):
    """Its scratch folder goes with it, or at the latest when the next one starts."""
    code = (
        "import sys\nfrom handmade.workshop.judging.sandbox import Sandbox\n"
        f"with Sandbox({confinement!r}) as sandbox:\n"
        "    print(sandbox.confinement.name, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    options = {
        "args": [sys.executable, "-c", code],
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
        "env": {**os.environ, "TMPDIR": str(tmp_path)},
    }
    with subprocess.Popen(stdin=subprocess.PIPE, **options) as judge:
        assert judge.stdout is not None
        judge.stdout.readline()
        judge.kill()
    time.sleep(1.2)
    subprocess.run(stdin=subprocess.DEVNULL, check=False, **options)
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_the_scratch_folder_of_one_that_runs_stays(sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr(room.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(room, "_YOUNG", 0.0)
    (tmp_path / "handmade-cell-mine").write_text("a file of the same name")
    with Sandbox("limits") as first, Sandbox("limits") as second:
        assert first.run(job(f"open('a', 'w').write('x')\n{RIGHT}")).ending == "finished"
        assert second.run(job(RIGHT)).ending == "finished"
        assert len(os.listdir(tmp_path)) == 3


def test_where_a_confinement_does_not_work_the_next_is_taken(monkeypatch):
    monkeypatch.setattr(room, "_bubblewrapped", lambda command, scratch: ["false"])
    monkeypatch.setattr(room, "confinements", lambda: ["bubblewrap", "limits"])
    with Sandbox() as sandbox:
        assert sandbox.confinement.name == "limits"
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


@pytest.mark.parametrize("landlock", [0, 3, 7])
@pytest.mark.parametrize("seccomp", [False, True])
def test_words_for_each_confinement(confinement, landlock, seccomp):
    words = isolation(Confinement(confinement, landlock, seccomp))
    assert words.startswith(f"A solution is confined by: {confinement}")
    contained, missing = words.split("Not contained:")
    assert ("go around" in words or "goes around" in words) == (confinement == "limits" and not (landlock and seccomp))
    assert ("can read the files that you can read" in missing) == (not landlock)
    assert ("read the answers" in missing) == (confinement == "limits" and not landlock)
    assert ("key rings" in contained) == seccomp
    assert ("no network" in contained) == (confinement != "limits")
