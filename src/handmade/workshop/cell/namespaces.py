"""Linux namespaces entered by a process of its own accord: no network, a read-only file system, no other processes.

What bubblewrap does, for machines without it where the kernel lets any user do so (`unshare(2)`, `mount_setattr(2)`).
"""

import ctypes
import os
import signal
from collections.abc import Iterable
from contextlib import suppress

_NEW_MOUNTS, _NEW_IPC, _NEW_USER, _NEW_PROCESSES, _NEW_NETWORK = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_NO_SETUID, _NO_DEVICES, _NO_PROGRAMS, _BIND, _MOVE, _RECURSIVE, _PRIVATE = 2, 4, 8, 0x1000, 0x2000, 0x4000, 0x40000
_MOUNT_SETATTR, _AT_RECURSIVE, _READ_ONLY = 442, 0x8000, 1
_PARENT_DEATH_SIGNAL = 1
_CAPABILITIES_VERSION_3 = 0x20080522
_DEVICES = ("null", "zero", "random", "urandom", "full")


def enter(scratch: str, hidden: Iterable[str]) -> None:
    """Confine this process and what it starts: only `scratch`, emptied, can be written; nothing in `hidden` is seen,
    nor are running programs' sockets (/run), terminals and other devices, or processes.

    Returns in a child that is the first process of its namespace: when it ends, the kernel ends all the others. The
    process that called waits for it and ends the same way. Raises OSError where the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    outside = os.open(os.path.dirname(scratch), os.O_RDONLY)
    user, group = os.getuid(), os.getgid()
    _check(libc.unshare(_NEW_USER | _NEW_MOUNTS | _NEW_IPC | _NEW_NETWORK | _NEW_PROCESSES))
    for file, content in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{file}", "w") as stream:
            stream.write(content)
    _check(libc.mount(None, b"/", None, _RECURSIVE | _PRIVATE, None))
    read_only = (ctypes.c_uint64 * 4)(_READ_ONLY)  # struct mount_attr: set, clear, propagation, user namespace
    _check(libc.syscall(_MOUNT_SETATTR, -1, b"/", _AT_RECURSIVE, read_only, ctypes.sizeof(read_only)))
    _mount_empty(libc, scratch)
    _make_devices(libc, scratch)
    for folder in {*hidden, *(os.path.realpath(path) for path in ("/run", "/var/run"))}:
        if os.path.isdir(folder):
            _mount_empty(libc, folder)
    _leave_to_first_process(libc, outside, os.path.basename(scratch))
    with suppress(OSError):  # inside a container that hides parts of /proc the kernel does not allow another one
        _check(libc.mount(b"proc", b"/proc", b"proc", _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS, None))
    header, nothing = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION_3), (ctypes.c_uint32 * 6)()
    _check(libc.capset(header, nothing))  # from here on the mounts cannot be undone


def _mount_empty(libc: ctypes.CDLL, folder: str) -> None:
    _check(libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", _NO_SETUID, b"size=64m"))


def _make_devices(libc: ctypes.CDLL, scratch: str) -> None:
    """A /dev with nothing in it that leads anywhere: built in the scratch folder, then moved to its place."""
    made = os.path.join(scratch, ".devices")
    os.mkdir(made)
    _mount_empty(libc, made)
    for name in _DEVICES:
        if os.path.exists(f"/dev/{name}"):
            file = os.path.join(made, name)
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY))
            _check(libc.mount(f"/dev/{name}".encode(), os.fsencode(file), None, _BIND, None))
    _check(libc.mount(os.fsencode(made), b"/dev", None, _MOVE, None))
    os.rmdir(made)


def _leave_to_first_process(libc: ctypes.CDLL, outside: int, scratch: str) -> None:
    """Go on in a child; this process waits for it, removes the scratch folder that the others see, and ends."""
    child = os.fork()
    if child == 0:
        os.close(outside)
        _check(libc.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL))
        return
    _, status = os.waitpid(child, 0)
    with suppress(OSError):
        os.rmdir(scratch, dir_fd=outside)  # through the file system as it was before
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _check(result: int) -> None:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
