"""System calls that a process has no use for when it computes, refused by Linux itself from now on: seccomp(2).

Processes, programs, sockets, signals to others, key rings, owners and modes of files, mounts, limits. For any user, and
there is no way back. What it refuses raises PermissionError in Python, in compiled code the error it returns.
"""

import ctypes
import os
import platform
import struct
import sys

_NO_NEW_PRIVILEGES, _GET_SECCOMP, _SET_SECCOMP, _FILTER = 38, 21, 22, 2
_EPERM, _ENOSYS = 1, 38
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # instructions of classic BPF
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where they stand in what the kernel hands to the filter
_CLONE_THREAD = 0x10000

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""The kernel's name of each, and its column below."""

_REFUSED = {
    "ptrace": (101, 117),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "socket": (41, 198),
    "setrlimit": (160, 164),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "sethostname": (170, 161),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "quotactl": (179, 60),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "userfaultfd": (323, 282),
    "open_by_handle_at": (304, 265),
    "io_uring_setup": (425, 425),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "tkill": (200, 130),
    "mq_open": (240, 180),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
}
_CLONE3 = (435, 435)  # its flags cannot be looked at: the C library falls back to clone
_CLONE = (56, 220)
_TO_ITSELF = {"kill": (62, 129), "tgkill": (234, 131)}
_LIMITS = (302, 261)  # prlimit64: to ask is allowed, to set is not


def available() -> bool:
    """Whether this machine supports it."""
    if not sys.platform.startswith("linux") or platform.machine() not in _MACHINES:
        return False
    return ctypes.CDLL(None, use_errno=True).prctl(_GET_SECCOMP, 0, 0, 0, 0) >= 0


def refuse_calls() -> None:
    """From now on, for this process and all that it starts. OSError where the kernel does not take the filter."""
    program = b"".join(_filter(*_MACHINES[platform.machine()], os.getpid()))
    buffer = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SET_SECCOMP, _FILTER, header, 0, 0)):
        if libc.prctl(*arguments) < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))


def _filter(architecture: int, column: int, pid: int) -> list[bytes]:
    """The program: each instruction is a code, how far to jump when it holds and when not, and a number."""

    def argument(number: int) -> int:
        return _ARGUMENTS + 8 * number

    def only_if(call: tuple[int, int], *test: bytes) -> list[bytes]:
        """The test for one call: it ends in a jump over the refusal, or onto it."""
        return [
            _step(_EQUAL, call[column], 0, len(test) + 2),
            *test,
            _step(_RETURN, _ERROR | _EPERM),
            _step(_RETURN, _ALLOW),
        ]

    program = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
    ]
    if column == 0:
        program += [_step(_AT_LEAST, 0x40000000, 0, 1), _step(_RETURN, _ERROR | _ENOSYS)]  # the 32-bit calls of x32
    for numbers in _REFUSED.values():
        if numbers[column] is not None:
            program += [_step(_EQUAL, numbers[column], 0, 1), _step(_RETURN, _ERROR | _EPERM)]
    program += [_step(_EQUAL, _CLONE3[column], 0, 1), _step(_RETURN, _ERROR | _ENOSYS)]
    program += only_if(_CLONE, _step(_LOAD, argument(0)), _step(_ANY_BIT, _CLONE_THREAD, 1, 0))
    for call in _TO_ITSELF.values():
        program += only_if(call, _step(_LOAD, argument(0)), _step(_EQUAL, pid, 1, 0))
    low, high = argument(2), argument(2) + 4
    program += only_if(_LIMITS, _step(_LOAD, low), _step(_EQUAL, 0, 0, 2), _step(_LOAD, high), _step(_EQUAL, 0, 1, 0))
    return [*program, _step(_RETURN, _ALLOW)]


def _step(code: int, number: int, holds: int = 0, fails: int = 0) -> bytes:
    return struct.pack("HBBI", code, holds, fails, number)
