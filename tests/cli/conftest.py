"""The program, run as a person runs it."""

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from handmade.cli import main


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


@pytest.fixture
def handmade(capsys, monkeypatch) -> Callable[..., Ran]:
    """Runs `handmade ARGUMENTS`."""

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
