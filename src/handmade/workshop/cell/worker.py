"""The learner's process: it waits for jobs; for each it forks a child that runs the solution and reports.

It knows no answer: no exercise is ever imported here. No solution runs here either: what a child reports comes through
a pipe of the job's own, is read here, and handed on in one piece, with its length before it. So where one job ends and
the next begins is said by this process alone. Between two jobs it stays warm: NumPy, and PyTorch from the first
solution that uses it, are loaded once.
"""

import ctypes
import gc
import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO

from handmade.workshop.cell import landlock, namespaces, seccomp
from handmade.workshop.cell.child import PRINTED, be_child, warm_up
from handmade.workshop.cell.job import Job, Limits
from handmade.workshop.cell.wire import dumps

_SUBREAPER, _DUMPABLE = 36, 4


def main() -> None:
    """Serve jobs from standard input. Arguments: descriptor for reports, confinement, scratch and hidden folders."""
    descriptor, confinement, scratch, *hidden = int(sys.argv[1]), *sys.argv[2:]
    if confinement == "namespaces":
        namespaces.enter(scratch, hidden)
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None)
        libc.prctl(_SUBREAPER, 1, 0, 0, 0)  # what a child leaves behind becomes ours to end
        libc.prctl(_DUMPABLE, 0, 0, 0, 0)  # no child reads or writes this process's memory
    os.chdir(scratch)
    try:
        serve(sys.stdin.buffer, descriptor, scratch, hidden, counted=confinement != "limits")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)  # the judge may have been killed


def serve(jobs: BinaryIO, descriptor: int, scratch: str, hidden: list[str], counted: bool) -> None:
    """Run each job in a child, until the jobs end. `counted`: processes here are only our own."""

    def send(facts: dict[str, Any], content: bytes = b"") -> None:
        message = dumps({**facts, "size": len(content)}).encode() + b"\n" + content
        while message:
            message = message[os.write(descriptor, message) :]

    warm_up()
    gc.collect()
    gc.freeze()  # what is there now stays for good: no child looks through it, and none finds it
    send({"kind": "ready", "landlock": landlock.version(), "seccomp": seccomp.available()})
    for line in jobs:
        job = Job.of_line(line)
        if job.torch:
            with suppress(ImportError):
                import_module("torch")  # the children have it then
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            os.close(descriptor)
            be_child(job, writer, scratch, hidden, counted)
        os.close(writer)
        content, code = _follow(child, reader, job.limits)
        os.close(reader)
        left = _end_what_is_left(child)
        overfull = len(content) > job.limits.report
        facts = {"exit": code, "left": left, "overfull": overfull, **_printed(scratch, job.limits.file)}
        send({"kind": "end", **facts}, b"" if overfull else content)
        _empty(scratch)


def _follow(child: int, reader: int, limits: Limits) -> tuple[bytes, int]:
    """What the child reports until it ends, and its exit code, or minus the signal that ended it: at the latest ours.

    One that reports more than the limit is ended, too.
    """
    parts, received, deadline, status = [], 0, time.monotonic() + limits.seconds + 1, None
    while status is None:
        if time.monotonic() > deadline or received > limits.report:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
        elif select.select([reader], [], [], 0.05)[0]:
            part = os.read(reader, 1 << 16)
            parts.append(part)
            received += len(part)
            if not part:  # all that could write have ended, or closed it
                status = _ended(child, deadline)
        else:
            ended, code = os.waitpid(child, os.WNOHANG)
            status = code if ended else None
    while received <= limits.report and select.select([reader], [], [], 0)[0] and (part := os.read(reader, 1 << 16)):
        parts.append(part)
        received += len(part)
    return b"".join(parts), os.waitstatus_to_exitcode(status)


def _ended(child: int, deadline: float) -> int | None:
    """The status of a child that has closed its pipe, as soon as it ends; None at the deadline."""
    pause = 0.0002
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
    return None


def _end_what_is_left(child: int) -> int:
    """End all that a job has started, and say how many there were. -1 where some cannot be ended.

    The child's children have become this process's own, as have theirs: when it has none, nothing is left.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    ended, deadline = 0, time.monotonic() + 2
    while time.monotonic() < deadline:
        try:
            found, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if found:
            ended += 1
            continue
        for process in _children():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.001)
    return -1


def _children() -> list[int]:
    """The child processes of this one."""
    mine, found = os.getpid(), []
    with suppress(OSError):
        for name in os.listdir("/proc"):
            with suppress(OSError, ValueError, IndexError):
                if name.isdigit():
                    with open(f"/proc/{name}/stat", "rb") as file:
                        if int(file.read().rpartition(b")")[2].split()[1]) == mine:
                            found.append(int(name))
    return found


def _printed(scratch: str, limit: int) -> dict[str, Any]:
    """The beginning of what the child printed, and whether it was cut off."""
    path = os.path.join(scratch, PRINTED)
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            beginning = file.read(4000).decode("utf-8", "replace")
        return {"printed": beginning, "cut": os.path.getsize(path) >= limit}
    except OSError:
        return {"printed": "", "cut": False}


def _empty(scratch: str) -> None:
    for entry in os.scandir(scratch):
        with suppress(OSError):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry, ignore_errors=True)
            else:
                os.remove(entry)
