"""The fuzz of files sees what it is there to see, and a few cases of each format are read or refused."""

import os
import signal
import time

import pytest

from benchmarks.fuzz import FORMATS, by_kind, table
from benchmarks.fuzzing import watching
from benchmarks.fuzzing.format import Format
from benchmarks.fuzzing.watching import READ, REFUSED, Watched, dealt, run_case
from handmade.errors import InputError

SLOW = {"HDF5", "weights of another model", "checkpoint", "checkpoint, its entries"}
SLOW |= {"torch zip", "torch zip, its pickle", "torch legacy"}
"""A process each, or models, or torch: CI's run of the fuzz reads these."""


@pytest.mark.slow
@pytest.mark.parametrize("form", [form for form in FORMATS if form.name not in SLOW], ids=lambda form: form.name)
def test_cases_are_read_or_refused(form, tmp_path):
    expected = watching._expected(form)
    for number in range(6):
        outcome, *told = run_case(form, 7, number, tmp_path, expected)
        assert outcome in (READ, REFUSED), (number, *told)
        watching._empty(tmp_path)


def longer(rng, content):
    return content + b" and more"


def reader(kind: str):
    """A reader with a mistake."""

    def read(folder):
        content = (folder / "a").read_bytes()
        if content == b"right content":
            return content
        match kind:
            case "unclear":
                raise KeyError("x")
            case "unnamed":
                raise InputError("something is wrong")
            case "hangs":
                end = time.process_time() + 30
                while time.process_time() < end:
                    pass
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "memory":
                return len(bytes(2**31))
        return content

    return read


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "column", "what"),
    [
        ("unclear", "unclear", "KeyError at test_fuzz.py, read"),
        ("unnamed", "unclear", "the message does not name the file: 'something is wrong'"),
        ("hangs", "hangs", "hangs"),
        ("crash", "unclear", "the process ended with -11"),
        ("memory", "unclear", "MemoryError at test_fuzz.py, read"),
        ("wrong", "wrong data", "other data than were written"),
    ],
)
def test_each_mistake_of_a_reader_is_found(kind, column, what, monkeypatch):
    monkeypatch.setattr(watching, "PROCESSOR_SECONDS", 0.05)
    form = Format("a", 1, lambda: [{"a": b"right content"}], reader(kind), {"a": longer}, named="/a", checked=True)
    watched = Watched([form], 0)
    watched.run(3)
    row = dict(zip(watching.OUTCOMES, watched.counts[0].tolist(), strict=True))
    assert row[column] == watched.done == 3
    assert list(by_kind(watched.found)) == [("a", what)]
    assert table(watched).splitlines()[-1].startswith("| all | 3 |")


def test_a_case_is_the_same_for_ever():
    form = next(form for form in FORMATS if form.name == "WAV")
    assert form.case(0, 5) == form.case(0, 5) != form.case(1, 5)


def test_every_format_has_its_share():
    turns = dealt(FORMATS)
    total = sum(form.share for form in FORMATS)
    drawn = [next(turns)[0] for _ in range(total)]
    assert [drawn.count(index) for index in range(len(FORMATS))] == [form.share for form in FORMATS]
