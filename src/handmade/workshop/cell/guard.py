"""What a solution may not do to the machine: refused inside its process, on every system, and noted by name.

This sees what is done through Python. What goes around Python is held by the kernel, where it can: `seccomp.py`,
`landlock.py`, `namespaces.py`.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PROCESSES = {"os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.system", "subprocess.Popen", "pty.spawn"}
_SIGNALS = {"os.kill", "os.killpg", "signal.pthread_kill"}
_NETWORK = {
    "socket.__new__", "socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
    "socket.gethostbyname", "socket.gethostbyaddr",
}  # fmt: skip
_FILES = {  # which arguments are paths, and which the folders that relative ones start from (-1: the current one)
    "os.remove": ((0,), (1,)),
    "os.rename": ((0, 1), (2, 3)),
    "os.rmdir": ((0,), (1,)),
    "os.mkdir": ((0,), (2,)),
    "os.chmod": ((0,), (2,)),
    "os.chown": ((0,), (3,)),
    "os.chflags": ((0,), ()),
    "os.link": ((0, 1), (2, 3)),
    "os.symlink": ((0, 1), (2,)),
    "os.truncate": ((0,), ()),
    "os.utime": ((0,), (3,)),
    "os.setxattr": ((0,), ()),
    "os.removexattr": ((0,), ()),
    "sqlite3.connect": ((0,), ()),
}
_ANOTHERS_MEMORY = re.compile(r"/proc/(\d+|self|thread-self)/(mem|maps|environ|fd/.*|task/.*)")


def guard(scratch: str, hidden: Iterable[str], note: Callable[[str], None]) -> None:
    """From now on refuse with PermissionError, in this process: to start or signal processes, to use the network, to
    change files outside of `scratch`, to read in `hidden`, to call C functions, to lift limits. Every refusal is told
    to `note` first. There is no way back."""
    scratch, folders = os.path.realpath(scratch), tuple(map(os.path.realpath, hidden))
    realpath, abspath, fsdecode, separator = os.path.realpath, os.path.abspath, os.fsdecode, os.sep

    def real_path(path: Any) -> str:
        try:
            return realpath(fsdecode(path))
        except OSError:  # a link that may not be followed
            return abspath(fsdecode(path))

    def refuse(what: str) -> None:
        note(what)
        raise PermissionError(f"{what}: a solution may not do that here")

    def inside(path: str, folder: str) -> bool:
        return path == folder or path.startswith(folder + separator)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, int):
                return
            real = real_path(path)
            unclear = mode is None and not os.path.isabs(path)  # os.open may start from another folder
            if flags & _WRITING and path != os.devnull and (unclear or not inside(real, scratch)):
                refuse(f"writes the file {fsdecode(path)}")
            if any(inside(real, folder) for folder in folders):
                refuse("reads the workshop's own files")
            if _ANOTHERS_MEMORY.fullmatch(real):
                refuse(f"reads the memory or the open files of a process ({fsdecode(path)})")
        elif event in _FILES:
            paths, starts = ([arguments[n] for n in numbers] for numbers in _FILES[event])
            elsewhere = any(start != -1 for start in starts)
            for path in paths:
                if path == ":memory:" or isinstance(path, int):
                    continue
                if elsewhere or not inside(real_path(path), scratch):
                    refuse(f"changes the file {fsdecode(path)} ({event})")
        elif event in _PROCESSES:
            refuse(f"starts a process ({event})")
        elif event in _SIGNALS:
            refuse(f"sends a signal to a process ({event})")
        elif event in _NETWORK:
            refuse(f"uses the network ({event})")
        elif event.startswith("ctypes.") and _asked_by_the_solution(sys._getframe(1)):
            refuse(f"calls C functions ({event})")
        elif event == "resource.setrlimit":
            refuse("lifts its limits (resource.setrlimit)")

    sys.addaudithook(watch)


def _asked_by_the_solution(frame: FrameType | None) -> bool:
    """Whether the code that asks is no library's: those may look for their own parts."""
    while frame is not None and os.path.basename(os.path.dirname(frame.f_code.co_filename)) == "ctypes":
        frame = frame.f_back
    return frame is not None and not _is_library(frame.f_code.co_filename)


def _is_library(file: str) -> bool:
    return file.startswith((os.path.dirname(os.__file__), "<frozen")) or "-packages" in file
