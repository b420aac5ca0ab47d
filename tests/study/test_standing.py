"""Where one stands: dates, what is done, what is next, what is behind; a session of review."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from handmade.errors import InputError
from handmade.study.cards import concept_cards
from handmade.study.deck import card_named, items_of
from handmade.study.journal import Journal
from handmade.study.plan import the_plan
from handmade.study.session import Chosen, Session, section_named, section_of
from handmade.study.standing import Standing, tick, untick
from handmade.workshop.judging.verdict import Finding, Verdict
from handmade.workshop.progress import Progress, Record
from handmade.workshop.workspace import start
from tests.support.studying import MORNING

PASSED = "2026-12-01T10:00:00"


def standing(journal: Journal, progress: Progress | None = None, **after: float) -> Standing:
    return Standing(MORNING + timedelta(**after), journal.events(), progress or Progress(), the_plan())


def test_days_become_dates(journal):
    assert standing(journal, days=5).first_day == date(2026, 12, 6)  # today, until something happens
    journal.append("watched", MORNING, item="cs231n-5")
    there = standing(journal, days=5)
    assert (there.first_day, there.date_of(1), there.date_of(14)) == (date(2026, 12, 1),) * 2 + (date(2026, 12, 14),)
    journal.append("start", MORNING, day="2026-12-03", interview="2026-12-10")
    there = standing(journal)
    dates = [there.date_of(day) for day in range(1, 15)]
    assert dates[0] == date(2026, 12, 3)
    assert dates[-1] == date(2026, 12, 9)  # all of it before the interview
    assert dates == sorted(dates)
    journal.append("start", MORNING + timedelta(seconds=1), day="2026-12-03", interview="2027-12-10")
    assert standing(journal).date_of(14) == date(2026, 12, 16)
    journal.append("start", MORNING + timedelta(seconds=2), day="2026-12-03", interview="2026-12-01")
    assert standing(journal).date_of(14) == date(2026, 12, 3)


def test_what_is_next_follows_the_plan(journal):
    there = standing(journal)
    assert there.next_watch.id == "cs231n-5"
    assert there.next_exercise == "softmax"
    journal.append("watched", MORNING, item="statquest-cnn")
    journal.append("watched", MORNING, item="cs231n-5")
    progress = Progress({name: Record(1, PASSED) for name in the_plan().item("cs231n-5").exercises})
    there = standing(journal, progress)
    assert there.next_watch.id == "cs231n-9"
    assert there.next_exercise == "max_pool"
    assert there.statuses["cs231n-5"].complete
    assert there.statuses["statquest-cnn"].done
    assert not there.statuses["statquest-cnn"].complete


def test_items_to_watch_are_ticked_and_no_others(journal):
    assert tick(standing(journal), journal, "cs231n-5")
    assert not tick(standing(journal), journal, "cs231n-5")
    assert standing(journal).statuses["cs231n-5"].watched
    for kind in ("know", "build"):
        other = next(item.id for item in the_plan().items if item.kind == kind)
        with pytest.raises(InputError, match="not ticked"):
            tick(standing(journal), journal, other)
    untick(standing(journal), journal, "cs231n-5")
    assert not standing(journal).statuses["cs231n-5"].watched
    with pytest.raises(InputError, match="cs231n-5 is not ticked"):
        untick(standing(journal), journal, "cs231n-5")
    for change in (tick, untick):
        with pytest.raises(InputError, match="the plan has no item 'cs231n-55'; did you mean 'cs231n-5'?"):
            change(standing(journal), journal, "cs231n-55")


def test_what_comes_after_something_undone_waits(journal):
    """self_attention comes after the blog, which is not read: the exercises of open items come first."""
    done = Progress({name: Record(1, PASSED) for name in the_plan().exercises[:34]})
    assert standing(journal, done).next_exercise == "cross_attention"
    done.exercises |= {name: Record(1, PASSED) for name in ("cross_attention", "sinusoidal", "layer_norm")}
    assert standing(journal, done).next_exercise == "self_attention"  # nothing else is open: no dead end


def test_a_card_known_is_a_card_remembered(journal, rate):
    cards = [card.id for card in concept_cards().values() if "vgg" in card.items]
    for n, card in enumerate(cards[1:]):
        rate(card, 3, seconds=n)
        rate(card, 3, minutes=10, seconds=n)
    there = standing(journal, minutes=30)
    assert there.statuses["vgg"].known == len(cards) - 1
    assert there.statuses["vgg"].cards == len(cards)
    assert there.statuses["vgg"].done
    assert not standing(journal, days=200).statuses["vgg"].done
    assert there.statuses["lenet5"].known < there.statuses["lenet5"].cards


def test_cards_open_with_the_day_of_their_item_or_when_it_was_begun(journal):
    opens = {slot.id: slot.opens for slot in standing(journal).slots}
    assert opens["conv-output-size"] == date(2026, 12, 1)
    assert opens["kv-cache-memory"] > date(2026, 12, 10)
    journal.append("watched", MORNING, item="karpathy-gpt")
    opens = {slot.id: slot.opens for slot in standing(journal).slots}
    assert opens["kv-cache-memory"] == date.min


def test_behind_is_what_is_over_and_not_complete(journal):
    journal.append("start", MORNING, day="2026-12-01", interview=None)
    assert standing(journal).behind == []
    assert [status.item.id for status in standing(journal, days=1).behind] == ["cs231n-5", "statquest-cnn"]
    for item in the_plan().items:
        journal.append("watched", MORNING, item=item.id)
    progress = Progress({name: Record(1, PASSED) for name in the_plan().exercises})
    assert {status.item.kind for status in standing(journal, progress, days=30).behind} == {"know", "build"}


def test_the_last_item_is_done_by_two_whole_interviews(journal):
    held = [{"whole": True}, {"exercise": "softmax"}]
    assert not standing(journal, Progress(interviews=held)).statuses["interviews"].done
    assert standing(journal, Progress(interviews=[*held, {"whole": True}])).statuses["interviews"].done


def test_the_streak_counts_passed_checks_and_emptied_queues(journal):
    journal.append("emptied", MORNING)
    journal.append("emptied", MORNING - timedelta(days=2))
    progress = Progress({"softmax": Record(1, "2026-11-30T23:00:00"), "linear": Record(1, "2026-11-28T12:00:00")})
    assert standing(journal, progress).streak == 4
    assert standing(journal, progress, days=1).streak == 4
    assert standing(journal, progress, days=2).streak == 0
    assert standing(journal).streak == 1


def test_mistakes_and_exercises_become_cards(journal):
    record = Record(3, PASSED, mistakes={"no scale": 2, "wrong shape": 1}, met={"no scale": PASSED})
    there = standing(journal, Progress({"self_attention": record}), days=1)
    assert there.slots[0].id == "fault/self_attention/no scale"
    assert there.slots[0].opens == date(2026, 12, 2)
    assert there.slots[-1].id == "exercise/self_attention"
    card = card_named("fault/self_attention/no scale")
    assert card.ask.startswith("Self-attention. ")
    assert card.ask.endswith("Which mistake does this?")
    assert "sqrt(d_k)" in card.answer
    assert card.items == ("self_attention",)
    assert card_named("exercise/self_attention").ask == "Write Self-attention from memory in 5 minutes."
    assert section_of("exercise/self_attention") == "transformer"
    with pytest.raises(InputError, match="no mistake"):
        card_named("fault/self_attention/hiccups")
    with pytest.raises(InputError, match="no card"):
        card_named("hiccups")


def test_the_workshop_remembers_when_a_listed_mistake_was_made(tmp_path):
    findings = [Finding("no scale", ""), Finding("raises ValueError", "")]
    workspace = start(tmp_path / "ws").workspace
    workspace.change(lambda progress: progress.add(Verdict("self_attention", findings=findings)))
    record = workspace.progress().of("self_attention")
    assert set(record.mistakes) == {"no scale", "raises ValueError"}
    assert set(record.met) == {"no scale"}
    datetime.fromisoformat(record.met["no scale"])
    # a record as it was before is still read
    path = workspace.folder / "progress.json"
    facts = json.loads(path.read_text())
    del facts["exercises"]["self_attention"]["met"]
    path.write_text(json.dumps(facts))
    assert workspace.progress().of("self_attention").met == {}


def session(journal: Journal, **chosen) -> Session:
    return Session(journal, None, Chosen(**chosen))


def test_a_session_asks_rates_undoes_and_skips(journal):
    asked = session(journal, new=3)
    first = asked.current()
    assert asked.left == 3
    asked.rate(first, 4, 2.6)
    second = asked.current()
    assert second != first
    assert asked.undo() == first
    assert asked.current() == first
    asked.rate(first, 4, 2)
    asked.skip(second)
    third = asked.current()
    assert third not in (first, second)
    asked.rate(third, 3, 2)
    assert asked.current() == third  # it comes back after ten minutes, or now that there is nothing else
    asked.rate(third, 3, 2)
    assert asked.current() is None
    assert asked.undo() == third
    assert (asked.answered, asked.again) == (2, 0)
    reviews = [event for event in journal.events() if event.what == "review"]
    assert [event["card"] for event in reviews] == [first, third]
    assert session(journal).undo() is None


def test_a_session_notes_that_the_day_s_queue_is_empty(journal):
    journal.append("start", datetime.now(UTC), day="2026-01-01", interview=None)
    asked = session(journal, new=2)
    while (id := asked.current()) is not None:
        asked.rate(id, 4, 1)
    asked.note_when_empty()  # two were asked, but more are new today
    assert all(event.what != "emptied" for event in journal.events())
    asked = session(journal)
    while (id := asked.current()) is not None:
        asked.rate(id, 4, 1)
    asked.note_when_empty()
    assert [event.what for event in journal.events()].count("emptied") == 1


def test_a_session_of_one_part_or_item(journal):
    assert {section_of(id) for id in session(journal, part="CNNs")._waiting} == {"cnn"}
    waiting = session(journal, item="karpathy-gpt")._waiting
    assert waiting  # though its day has not come
    assert all("karpathy-gpt" in items_of(id) for id in waiting)
    with pytest.raises(InputError, match="no item"):
        session(journal, item="karpathy")
    with pytest.raises(InputError, match="no part"):
        session(journal, part="sums")
    assert section_named("rnn") == section_named("RNNs") == "rnn"


def test_a_session_of_numbers_asks_drills_until_they_are_due_and_after(journal):
    waiting = session(journal, numbers=True)._waiting
    assert waiting
    assert all(id.startswith("number/") for id in waiting)
    asked = session(journal, numbers=True)
    for id in waiting:
        asked.rate(id, 4, 1)
    assert sorted(session(journal, numbers=True)._waiting) == sorted(waiting)  # none is due, and one practises
