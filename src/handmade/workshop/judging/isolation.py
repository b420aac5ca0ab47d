"""What is contained on this machine, and what is not, in plain words: `handmade check --isolation`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Confinement:
    """How solutions are confined: the name of the way, and what this kernel can hold besides.

    landlock: the version of Landlock, 0 for none. seccomp: whether system calls can be refused.
    """

    name: str
    landlock: int = 0
    seccomp: bool = False


def isolation(how: Confinement) -> str:
    """What is contained under this confinement, and what is not."""
    contained, missing = _ALWAYS.copy(), ["a flaw in the kernel itself"]
    if how.landlock:
        contained += _LANDLOCK
        if how.landlock < 6:
            missing += ["it could signal processes of yours"] * (not how.seccomp and how.name == "limits")
    if how.seccomp:
        contained += _SECCOMP
    if how.name != "limits":
        contained += _NAMESPACES
    if not how.landlock:
        missing.append("it can read the files that you can read")
        if how.name == "limits":
            missing += [
                "code that goes around Python (ctypes, compiled extensions) can write files and read the answers: "
                "check only files that you trust so far",
            ]
        else:
            missing.append("it can write into named pipes (FIFOs) that you can write")
    if not how.seccomp:
        if how.name == "limits":
            missing.append(
                "code that goes around Python can use the network, start processes, write your key ring. On Linux, "
                "bubblewrap (bwrap) contains that"
            )
        else:
            missing.append("it can use your key ring, and sockets of programs that lie outside of /run")
    return "\n".join(
        [
            f"A solution is confined by: {how.name}{_besides(how)}.",
            "Contained:",
            *(f"  - {what}" for what in contained),
            "Not contained:",
            *(f"  - {what}" for what in missing),
        ]
    )


def _besides(how: Confinement) -> str:
    known = [name for name, there in (("Landlock", how.landlock), ("seccomp", how.seccomp)) if there]
    return f", with {' and '.join(known)}" if known else ""


_ALWAYS = [
    "its own process, ended with all that it started at the time limit, or when the verdict is there",
    "limits for time, memory, the size of files and what it prints",
    "a scratch folder as current directory; of your environment's variables only those that find libraries",
    "through Python it cannot write or remove files elsewhere, start or signal processes, use the network, call C "
    "functions, or read the workshop's own files",
    "the reference is never in that process; nothing that it sends is unpickled or run",
]
_LANDLOCK = [
    "the kernel lets it read Python, its libraries, the system's (/usr, /etc) and the Python files in your solution's "
    "folder; none of handmade's files, and no others of yours",
    "the kernel lets it write to its scratch folder only, and run no program",
]
_SECCOMP = [
    "the kernel refuses it processes, programs, sockets, signals to others, others' memory, key rings, changes of "
    "owners, modes and limits",
]
_NAMESPACES = [
    "the kernel gives it no network",
    "the kernel lets it write to its scratch folder only, which is in memory; handmade's answers, /run and devices are "
    "not there",
    "the kernel lets it see and signal no process but its own, and bounds how many those are (not for root)",
]
