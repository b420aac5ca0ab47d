"""Linux namespaces entered by a process of its own accord: no network, a read-only file system, no other processes.

What bubblewrap does, for machines without it where the kernel lets any user do so (`unshare(2)`, `mount_setattr(2)`).
"""

import ctypes
import os
import signal

_NEW_MOUNTS, _NEW_IPC, _NEW_USER, _NEW_PROCESSES, _NEW_NETWORK = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_RECURSIVE, _PRIVATE = 0x4000, 0x40000
_MOUNT_SETATTR, _AT_RECURSIVE, _READ_ONLY = 442, 0x8000, 1
_PARENT_DEATH_SIGNAL = 1
_CAPABILITIES_VERSION_3 = 0x20080522


def enter(scratch: str, hidden: str) -> None:
    """Confine this process and what it starts: only `scratch`, emptied, can be written; `hidden` is not seen.

    Returns in a child that is the first process of its namespace: when it ends, the kernel ends all the others. The
    process that called waits for it and ends the same way. Raises OSError where the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    _check(libc.unshare(_NEW_USER | _NEW_MOUNTS | _NEW_IPC | _NEW_NETWORK | _NEW_PROCESSES))
    for file, content in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{file}", "w") as stream:
            stream.write(content)
    _check(libc.mount(None, b"/", None, _RECURSIVE | _PRIVATE, None))
    read_only = (ctypes.c_uint64 * 4)(_READ_ONLY)  # struct mount_attr: set, clear, propagation, user namespace
    _check(libc.syscall(_MOUNT_SETATTR, -1, b"/", _AT_RECURSIVE, read_only, ctypes.sizeof(read_only)))
    for folder in (scratch, hidden):
        _check(libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, b"size=64m"))
    _leave_to_first_process(libc)
    header, nothing = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION_3), (ctypes.c_uint32 * 6)()
    _check(libc.capset(header, nothing))  # from here on the mounts cannot be undone


def _leave_to_first_process(libc: ctypes.CDLL) -> None:
    child = os.fork()
    if child == 0:
        _check(libc.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL))
        return
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _check(result: int) -> None:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
