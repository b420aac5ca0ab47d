"""The examples that need no published weights run as they are told to be run (the others: tests/models)."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def digit_strings():
    """The names of the example."""
    return runpy.run_path(str(EXAMPLES / "digit_strings.py"))


@pytest.mark.slow
def test_digit_strings_learns_and_reads(shared_data, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["digit_strings.py", "--steps", "2", "--batch-size", "3", "--test", "2"])
    runpy.run_path(str(EXAMPLES / "digit_strings.py"), run_name="__main__")
    first, greedy, beam = capsys.readouterr().out.splitlines()
    assert first.startswith("step 0: loss ")
    assert greedy.startswith("greedy: ")
    assert beam.startswith("beam search: ")


@pytest.mark.parametrize(
    ("found", "said", "wrong"),
    [([], [1, 2], 2), ([1, 2], [], 2), ([1, 2, 3], [1, 3], 1), ([1, 4, 3], [1, 2, 3], 1), ([2, 1], [1, 2], 2)],
)
def test_digits_wrong(digit_strings, found, said, wrong):
    assert digit_strings["digits_wrong"](found, said) == wrong
