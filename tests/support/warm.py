"""A Python process that has loaded libraries and forks a child for each program that is to run in one of its own:
what takes a quarter of a second each time is then loaded once."""

import atexit
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

SERVER = """
import atexit, fcntl, os, sys, termios, traceback
for name in sys.argv[1].split():
    __import__(name)
for line in sys.stdin:
    program, arguments, folder, environment, files = eval(line)
    opened = [os.open(name, os.O_RDWR | os.O_NOCTTY) for name in files]
    print("started", flush=True)
    child = os.fork()
    if child == 0:
        for descriptor, file in enumerate(opened):
            os.dup2(file, descriptor)
            os.close(file)
        os.setsid()
        if os.isatty(0):
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # Ctrl-C and the terminal's end reach it
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.path[0], sys.argv = folder, ["handmade", *arguments]
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", errors="backslashreplace")
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
        code = 0
        try:
            exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
        except SystemExit as end:
            code = end.code or 0
            if not isinstance(code, int):  # words, which Python prints
                print(code, file=sys.stderr)
                code = 1
        except BaseException:
            traceback.print_exc()
            code = 1
        try:
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            code = 1
        os._exit(code)
    for file in opened:
        os.close(file)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Warm:
    """Programs in processes of their own, one at a time, forked from one with these libraries in it.

    options: the interpreter's own, as -W error.
    """

    def __init__(self, libraries: str, *options: str) -> None:
        command = [sys.executable, *options, "-c", SERVER, libraries]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self._end)

    def start(
        self, program: str, *arguments: str, folder: str | Path = ".", files: list[str], **environment: str
    ) -> None:
        """Start a program with these files as its standard input, output and errors; `wait` for it before the next."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        job = program, arguments, str(Path(folder).absolute()), {**os.environ, **environment}, files
        self._process.stdin.write(f"{job!r}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "started\n"

    def wait(self) -> int:
        """Its exit code; minus the signal that ended it."""
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def run(self, program: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end, as subprocess.run does with its output captured."""
        with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
            self.start(program, *map(str, arguments), files=[os.devnull, out.name, err.name])
            code = self.wait()
            return subprocess.CompletedProcess(program, code, out.read().decode(), err.read().decode())

    def _end(self) -> None:
        with self._process:  # which closes its pipes: it ends
            pass


@cache
def warm(libraries: str, *options: str) -> Warm:
    """One for all tests of this process that need the same."""
    return Warm(libraries, *options)
