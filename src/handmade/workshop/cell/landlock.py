"""Files that a process may read and write from now on, held by Linux itself (landlock(7), since 5.13), for any user.

There is no way back, for this process and all that it starts: no spelling, no compiled code, no library gets around it.
"""

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable, Iterator

_CREATE, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all of the kernel's architectures
_NO_NEW_PRIVILEGES = 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_NETWORK, _SCOPES = 0b11, 0b11  # TCP's bind and connect; abstract sockets and signals to processes outside

_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc", "/nix", "/opt", "/sys/devices/system")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_ABOUT_THE_MACHINE = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm")


def version() -> int:
    """The version that this kernel supports; 0 for none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(_libc().syscall(_CREATE, None, ctypes.c_size_t(0), 1), 0)


def restrict(scratch: str, helpers: Iterable[str], hidden: Iterable[str]) -> None:
    """From now on this process reads Python, its libraries, the system's and the Python files in `helpers`, nothing in
    `hidden`, and writes in `scratch` only; it runs no program and signals no process outside. OSError where the kernel
    refuses."""
    known, libc = version(), _libc()
    every = (1 << (16 if known >= 5 else 15 if known >= 3 else 14 if known >= 2 else 13)) - 1
    attributes = struct.pack("QQQ", every, _NETWORK, _SCOPES)[: 24 if known >= 6 else 16 if known >= 4 else 8]
    rules = _checked(libc.syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0))
    try:
        for path, rights in _rights(scratch, helpers, list(hidden), every):
            _allow(libc, rules, path, rights)
        _checked(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _checked(libc.syscall(_RESTRICT_SELF, rules, 0))
    finally:
        os.close(rules)


def _rights(scratch: str, helpers: Iterable[str], hidden: list[str], every: int) -> Iterator[tuple[str, int]]:
    """What is allowed, path by path."""
    yield scratch, every & ~_EXECUTE & ~_IOCTL
    yield from ((path, _READ_FILE | _WRITE_FILE) for path in _DEVICES)
    yield from ((path, _READ_FILE | _READ_DIR) for path in _ABOUT_THE_MACHINE)
    own = {os.path.realpath(path) for path in (sys.prefix, sys.base_prefix, sys.base_exec_prefix, *sys.path) if path}
    for path in sorted(own.difference(hidden) | {path for path in _SYSTEM if os.path.isdir(path)}):
        yield from _without(path, hidden)
    for folder in helpers:
        yield from _python_in(folder)


def _without(path: str, hidden: list[str]) -> Iterator[tuple[str, int]]:
    """A path to read in whole, or all in it but what is hidden."""
    if path in hidden:
        return
    if not any(folder.startswith(path + os.sep) for folder in hidden):
        yield path, _READ_FILE | _READ_DIR
        return
    yield path, _READ_DIR
    for entry in os.scandir(path):
        if not entry.is_symlink():
            yield from _without(entry.path, hidden)


def _python_in(folder: str) -> Iterator[tuple[str, int]]:
    """A folder's own modules and packages, and none of its other files."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    yield folder, _READ_DIR
    for entry in entries:
        if entry.name.endswith(".py") or os.path.isfile(os.path.join(entry.path, "__init__.py")):
            yield entry.path, _READ_FILE | _READ_DIR


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    """Add a rule for a path; one that is not there needs none."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_FILES
        _checked(libc.syscall(_ADD_RULE, rules, 1, struct.pack("=Qi", rights, descriptor), 0))
    finally:
        os.close(descriptor)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
