"""The program, run as a person runs it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from handmade.cli import main


@dataclass
class Ran:
    """What a command gave back."""

    code: int
    out: str
    err: str


@pytest.fixture
def handmade(capsys, monkeypatch) -> Callable[..., Ran]:
    """Runs `handmade ARGUMENTS`."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["handmade", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        return Ran(left.value.code or 0, *capsys.readouterr())

    return run
