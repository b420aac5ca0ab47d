"""The parts of the learner's process that its jobs do not show by themselves."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from handmade.workshop.cell import landlock, seccomp
from handmade.workshop.cell.guard import guard

LEAVES_A_PROCESS = """
import os, sys, time
from handmade.workshop.cell import worker
import ctypes
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
read, write = os.pipe()
child = os.fork()
if child == 0:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(write, str(os.getpid()).encode())
            time.sleep(600)
        os._exit(0)
    os._exit(0)
os.waitpid(child, 0)
left = int(os.read(read, 20))
print(left, worker._end_what_is_left(child))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="orphans become ours on Linux only")
def test_what_a_job_leaves_behind_is_ended_wherever_it_hides():
    """A daemon: started by a process that has ended, in a session of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", LEAVES_A_PROCESS], capture_output=True, text=True, check=True, timeout=60
    )
    process, ended = map(int, ran.stdout.split())
    assert ended >= 1
    for _ in range(100):
        if not Path(f"/proc/{process}").exists():
            return
        time.sleep(0.05)
    pytest.fail(f"{process} still runs")


def test_all_of_a_folder_but_what_is_hidden(tmp_path):
    for name in ("a/one.py", "b/hidden/answer.py", "b/hidden.py", "b/inner/two.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "b" / "link").symlink_to(tmp_path / "b" / "hidden")
    allowed = dict(landlock._without(str(tmp_path), [str(tmp_path / "b" / "hidden")]))
    read = landlock._READ_FILE
    readable = {Path(path).relative_to(tmp_path).as_posix() for path, rights in allowed.items() if rights & read}
    assert readable == {"a", "b/hidden.py", "b/inner"}


def test_only_the_python_of_a_helpers_folder(tmp_path):
    for name in ("mine.py", "notes.txt", ".ssh/key", "package/__init__.py", "package/more.txt", "plain/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    allowed = dict(landlock._python_in(str(tmp_path)))
    readable = {Path(path).name for path, rights in allowed.items() if rights & landlock._READ_FILE}
    assert readable == {"mine.py", "package"}
    assert list(landlock._python_in(str(tmp_path / "gone"))) == []


@pytest.mark.parametrize("machine", seccomp._MACHINES)
def test_every_jump_of_the_filter_lands_on_an_instruction(machine):
    program = seccomp._filter(*seccomp._MACHINES[machine], os.getpid())
    assert len(program) < 4096
    for number, step in enumerate(program):
        code, holds, fails = int.from_bytes(step[:2], "little"), step[2], step[3]
        assert len(step) == 8
        if code in (seccomp._EQUAL, seccomp._AT_LEAST, seccomp._ANY_BIT):
            assert number + 1 + max(holds, fails) < len(program)
    assert program[-1] == seccomp._step(seccomp._RETURN, seccomp._ALLOW)


def decision(program: list[bytes], architecture: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """What the kernel would do with this call: the filter run by hand."""
    data = number.to_bytes(4, "little") + architecture.to_bytes(4, "little") + bytes(8)
    data += b"".join(argument.to_bytes(8, "little") for argument in (*arguments, *[0] * (6 - len(arguments))))
    accumulator, at = 0, 0
    while True:
        step = program[at]
        code, holds, fails = int.from_bytes(step[:2], "little"), step[2], step[3]
        value = int.from_bytes(step[4:], "little")
        at += 1
        if code == seccomp._LOAD:
            accumulator = int.from_bytes(data[value : value + 4], "little")
        elif code == seccomp._RETURN:
            return value
        else:
            tests = {
                seccomp._EQUAL: accumulator == value,
                seccomp._AT_LEAST: accumulator >= value,
                seccomp._ANY_BIT: bool(accumulator & value),
            }
            at += holds if tests[code] else fails


@pytest.mark.parametrize("machine", seccomp._MACHINES)
def test_what_the_filter_allows_and_refuses(machine):
    architecture, column = seccomp._MACHINES[machine]
    program = seccomp._filter(architecture, column, 4321)
    refused = seccomp._ERROR | seccomp._EPERM

    def says(call: tuple[int | None, int], *arguments: int) -> int:
        number = call[column]
        assert number is not None
        return decision(program, architecture, number, arguments)

    for name, numbers in seccomp._REFUSED.items():
        if numbers[column] is not None:
            assert says(numbers) == refused, name
    assert says((0, 63)) == says((1, 64)) == seccomp._ALLOW  # read, write
    assert says(seccomp._CLONE, 0x3D0F00) == seccomp._ALLOW  # a thread
    assert says(seccomp._CLONE, 0x1200011) == refused  # a process
    assert says(seccomp._CLONE3) == seccomp._ERROR | seccomp._ENOSYS
    for call in seccomp._TO_ITSELF.values():
        assert (says(call, 4321), says(call, 1)) == (seccomp._ALLOW, refused)
    assert says(seccomp._LIMITS, 0, 7, 0) == seccomp._ALLOW
    assert says(seccomp._LIMITS, 0, 7, 1 << 40) == says(seccomp._LIMITS, 0, 7, 8) == refused
    other = seccomp._MACHINES["aarch64" if machine == "x86_64" else "x86_64"][0]
    assert decision(program, other, 0) == seccomp._KILL


def test_the_guard_names_what_it_refuses(tmp_path):
    """In a process of its own: an audit hook stays for good."""
    code = (
        "import os, sys\nfrom handmade.workshop.cell.guard import guard\n"
        f"guard({str(tmp_path)!r}, [{str(Path(guard.__code__.co_filename).parents[2])!r}], print)\n"
        "for attempt in (lambda: open('/etc/x', 'w'), lambda: os.fork(), lambda: __import__('socket').socket(),\n"
        f"                lambda: open({guard.__code__.co_filename!r}), lambda: os.kill(1, 0)):\n"
        "    try: attempt()\n"
        "    except PermissionError: pass\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [
        "writes the file /etc/x",
        "starts a process (os.fork)",
        "uses the network (socket.__new__)",
        "reads the workshop's own files",
        "sends a signal to a process (os.kill)",
    ]
