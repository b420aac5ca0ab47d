"""The journal: what was written is there, whatever becomes of the machine, the file, the clock or a second machine."""

import json
import os
import random
import time
from datetime import UTC, date, datetime, timedelta

import pytest

from handmade.errors import InputError
from handmade.study.journal import NAME, Journal, end_of_day, journal_around, study_day
from handmade.study.schedule import replay
from tests.support.studying import MORNING


def memories(journal: Journal) -> dict:
    return {id: memory.to_dict() for id, memory in replay(journal.events()).memories.items()}


def test_events_come_back_in_the_order_of_time(journal, rate):
    later = rate("b", 3, days=1)
    first = rate("a", 4)
    assert journal.events() == [first, later]
    assert json.loads(journal.path.read_text().splitlines()[1]) == {
        "at": "2026-12-01T08:30:00.000000Z",
        "what": "review",
        "card": "a",
        "rating": 4,
        "seconds": 5,
        "where": "test",
    }


def test_what_was_undone_counts_no_more(journal, rate):
    kept, undone = rate("a", 3), rate("a", 1, days=1)
    journal.undo(undone)
    assert [event for event in journal.events() if event.what == "review"] == [kept]
    rate("a", 1, days=1)  # the same line again is the same event, and stays undone
    assert [event for event in journal.events() if event.what == "review"] == [kept]


def test_a_line_that_was_cut_off_is_dropped_and_said(journal, rate):
    whole = rate("a", 3)
    cut = rate("b", 3, minutes=1)
    for length in range(1, len(journal.path.read_bytes().splitlines()[1])):
        journal.path.write_bytes(journal.path.read_bytes()[:-1])
        said = []
        reader = Journal(journal.path, said=said.append)
        events = reader.events()
        assert events == [whole, cut] if length == 1 else [whole]
        if length > 1:
            assert "was cut off" in said[0]
        # the next event stands on a line of its own
        content = journal.path.read_bytes()
        new = reader.append("watched", MORNING + timedelta(days=1), item="cs231n-5")
        assert journal.events() == [*events, new]
        journal.path.write_bytes(content)


def test_a_damaged_file_is_put_aside_and_the_rest_counts(tmp_path, journal, rate):
    events = [rate(f"card-{n}", 3, minutes=n) for n in range(5)]
    lines = journal.path.read_bytes().splitlines()
    lines[2] = b"\xff\x00 broken"
    lines[4] = b'{"at": "2026-12-01T08:30:00Z", "what": "review", "card": "x", "rating": 9}'
    damaged = b"\n".join(lines) + b"\n"
    journal.path.write_bytes(damaged)
    said = []
    assert Journal(journal.path, said=said.append).events() == [events[0], events[1], events[3]]
    assert len(said) == 1
    assert "2 lines that cannot be read" in said[0]
    assert (journal.path.parent / f"{NAME}.damaged-1").read_bytes() == damaged
    assert journal.events() == [events[0], events[1], events[3]]  # nothing more to say


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "3",
        "null",
        "{}",
        '{"at": "2026-12-01T08:30:00", "what": "review", "card": "a", "rating": 3}',
        '{"at": "9999-12-01T08:30:00Z", "what": "review", "card": "a", "rating": 3}',
        '{"at": 5, "what": "review"}',
        '{"at": "2026-12-01T08:30:00Z", "what": "review", "card": ["a"], "rating": 3}',
        '{"at": "2026-12-01T08:30:00Z", "what": "seen", "card": "a", "due": "soon"}',
        '{"at": "2026-12-01T08:30:00Z", "what": "start", "day": "2026-12-01"}',
        "[" * 100_000,
    ],
)
def test_a_line_that_is_no_event_is_damage(journal, line):
    journal.path.parent.mkdir()
    journal.path.write_text(line + "\n")
    said = []
    assert Journal(journal.path, said=said.append).events() == []
    assert "1 line that cannot be read" in said[0]


def test_events_of_a_newer_version_and_of_unknown_cards_are_kept(journal, rate):
    strange = journal.append("hummed", MORNING, tune="x")
    unknown = rate("a-card-of-tomorrow", 3)
    assert set(journal.events()) == {strange, unknown}


def test_two_machines_are_merged_in_any_order_to_one_state(tmp_path):
    rng = random.Random(0)
    lines = {"laptop": [], "desk": []}
    for n in range(300):
        at = MORNING + timedelta(hours=rng.randint(0, 500), seconds=n)
        event = {"at": at.isoformat(), "what": "review", "card": f"c{rng.randint(0, 20)}", "rating": rng.randint(1, 4)}
        for name in rng.choice([["laptop"], ["desk"], ["laptop", "desk"]]):
            lines[name].append(json.dumps(event))
    states = []
    for k in range(6):
        folder = tmp_path / str(k)
        folder.mkdir()
        mine, other = ("laptop", "desk") if k % 2 else ("desk", "laptop")
        if k < 4:  # one beside the other
            for name, which in ((NAME, mine), ("study (conflicted copy).jsonl", other)):
                rng.shuffle(lines[which])
                (folder / name).write_text("".join(f"{line}\n" for line in lines[which]))
        else:  # one after the other
            (folder / NAME).write_text("".join(f"{line}\n" for line in lines[mine] + lines[other]))
        journal = Journal(folder / NAME)
        assert len(journal.events()) == 300
        states.append(memories(journal))
    assert all(state == states[0] for state in states)


def test_two_processes_may_append_at_once(journal):
    journal.append("watched", item="first")
    children = []
    for child in range(4):
        pid = os.fork()
        if not pid:
            for n in range(50):
                journal.append("watched", item=f"{child}-{n}")
            os._exit(0)
        children.append(pid)
    assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
    assert len(journal.events()) == 201


def test_a_clock_that_was_set_back_loses_nothing(journal, rate):
    events = [rate("a", 3), rate("a", 3, minutes=10), rate("a", 3, days=-3), rate("a", 3, days=-3, minutes=10)]
    assert len(journal.events()) == 4
    stepped = replay([])
    for event in events:
        stepped.review(event)
    assert stepped.memories["a"].to_dict() == memories(journal)["a"]


@pytest.mark.slow
def test_10_000_events_are_replayed_quickly(journal, rate):
    rng = random.Random(0)
    template = '{"at": "%s", "what": "review", "card": "c%d", "rating": %d, "seconds": 5, "where": "test"}\n'
    journal.path.parent.mkdir()
    with journal.path.open("w") as file:
        for n in range(10_000):
            at = (MORNING + timedelta(minutes=10 * n)).isoformat(timespec="milliseconds")
            file.write(template % (at, rng.randint(0, 200), rng.randint(1, 4)))
    replay(journal.events())
    began = time.process_time()
    assert len(replay(journal.events()).memories) == 201
    assert time.process_time() - began < 0.6  # 0.15 s on a quiet machine; four times that elsewhere


def test_where_nothing_can_be_written_it_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        Journal(tmp_path / "file" / NAME).append("watched", item="x")


def test_a_workspace_reads_what_was_reviewed_before_it_was_made(tmp_path, home):
    journal, workspace = journal_around(tmp_path)
    assert workspace is None
    assert journal.path == home / NAME
    before = journal.append("watched", MORNING, item="cs231n-5")
    folder = tmp_path / "ws"
    folder.mkdir()
    (folder / "01_softmax.py").write_text("")
    journal, workspace = journal_around(folder)
    assert workspace is not None
    after = journal.append("watched", MORNING + timedelta(1), item="statquest-cnn")
    assert journal.events() == [before, after]
    assert journal_around(tmp_path)[0].events() == [before]


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
def test_a_day_goes_from_4_to_4_o_clock_in_summer_time_too():
    for day, hours in ((date(2026, 3, 28), 23), (date(2026, 6, 1), 24), (date(2026, 10, 24), 25)):
        # the clock is set in the night after that day, before 4 o'clock
        begins, ends = end_of_day(day - timedelta(1)), end_of_day(day)
        assert (ends - begins) == timedelta(hours=hours)
        assert study_day(begins) == study_day(ends - timedelta(seconds=1)) == day
        assert study_day(ends) == day + timedelta(1)
    assert end_of_day(date(2026, 6, 1)) == datetime(2026, 6, 2, 2, tzinfo=UTC)
