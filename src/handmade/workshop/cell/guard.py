"""What a solution may not do to the machine: refused inside its process, on every system, and noted by name.

This sees what is done through Python. Code that goes around Python (ctypes) is held by the kernel's confinement, where
there is one: see `sandbox.py`.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PROCESSES = {"os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.system", "subprocess.Popen", "pty.spawn"}
_SIGNALS = {"os.kill", "os.killpg"}
_NETWORK = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"}
_FILES = {  # which arguments are paths, and which the folders that relative ones start from (-1: the current one)
    "os.remove": ((0,), (1,)),
    "os.rename": ((0, 1), (2, 3)),
    "os.rmdir": ((0,), (1,)),
    "os.mkdir": ((0,), (2,)),
    "os.chmod": ((0,), (2,)),
    "os.chown": ((0,), (3,)),
    "os.link": ((0, 1), (2, 3)),
    "os.symlink": ((0, 1), (2,)),
    "os.truncate": ((0,), ()),
    "os.utime": ((0,), (3,)),
}


def guard(scratch: str, hidden: str, note: Callable[[str], None]) -> None:
    """From now on refuse with PermissionError, in this process: to start or signal processes, to use the network, to
    change files outside of `scratch`, to read in `hidden`, to lift limits. Every refusal is told to `note` first. There
    is no way back."""
    scratch, hidden = os.path.realpath(scratch), os.path.realpath(hidden)

    def refuse(what: str) -> None:
        note(what)
        raise PermissionError(f"{what}: a solution may not do that here")

    def inside(path: Any, folder: str) -> bool:
        path = os.path.realpath(os.fsdecode(path))
        return path == folder or path.startswith(folder + os.sep)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, int):
                return
            unclear = mode is None and not os.path.isabs(path)  # os.open may start from another folder
            if flags & _WRITING and path != os.devnull and (unclear or not inside(path, scratch)):
                refuse(f"writes the file {os.fsdecode(path)}")
            if inside(path, hidden):
                refuse("reads the workshop's own files")
        elif event in _FILES:
            paths, starts = ([arguments[n] for n in numbers] for numbers in _FILES[event])
            elsewhere = any(start != -1 for start in starts)
            for path in paths:
                if not isinstance(path, int) and (elsewhere or not inside(path, scratch)):
                    refuse(f"changes the file {os.fsdecode(path)} ({event})")
        elif event in _PROCESSES:
            refuse(f"starts a process ({event})")
        elif event in _SIGNALS:
            refuse(f"sends a signal to a process ({event})")
        elif event in _NETWORK:
            refuse(f"uses the network ({event})")
        elif event == "resource.setrlimit":
            refuse("lifts its limits (resource.setrlimit)")

    sys.addaudithook(watch)
