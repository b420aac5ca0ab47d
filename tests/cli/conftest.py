"""The program, run as a person runs it."""

import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from handmade.cli import main
from handmade.workshop.judging.sandbox import Sandbox


@dataclass
class Ran:
    """What a command gave back."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def study_home(tmp_path_factory, monkeypatch) -> Path:
    """No test reads or writes the user's own journal of study."""
    folder = tmp_path_factory.mktemp("study-home")
    monkeypatch.setenv("HANDMADE_STUDY", str(folder))
    return folder


class LastingSandbox(Sandbox):
    """One that lasts for all commands that tests run: when it is closed, its process waits for the next to need one."""

    made: ClassVar[list["LastingSandbox"]] = []
    free: ClassVar[list["LastingSandbox"]] = []

    def __new__(cls) -> "LastingSandbox":
        return cls.free.pop() if cls.free else super().__new__(cls)

    def __init__(self) -> None:
        if self not in self.made:
            self.made.append(self)
            super().__init__()

    def close(self) -> None:
        if self not in self.free:
            self.free.append(self)

    def _restart(self) -> None:
        super().close()
        self._start()


@pytest.fixture(scope="session")
def lasting_sandbox() -> Iterator[type[LastingSandbox]]:
    yield LastingSandbox
    for sandbox in LastingSandbox.made:
        Sandbox.close(sandbox)


@pytest.fixture
def handmade(capsys, monkeypatch, lasting_sandbox) -> Callable[..., Ran]:
    """Runs `handmade ARGUMENTS`."""
    for module in ("judging.judge", "trying", "judging.sandbox"):
        monkeypatch.setattr(f"handmade.workshop.{module}.Sandbox", lasting_sandbox)

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["handmade", *map(str, arguments)])
        interrupt = signal.getsignal(signal.SIGINT)
        try:
            with pytest.raises(SystemExit) as left:
                main()
        finally:
            signal.signal(signal.SIGINT, interrupt)
        return Ran(left.value.code or 0, *capsys.readouterr())

    return run
