"""The study room's commands, as a learner uses them."""

import contextlib
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest

from handmade.study.journal import Journal
from tests.support.terminal import in_a_terminal


@pytest.fixture
def there(tmp_path, monkeypatch):
    """The learner is in a workspace; its other exercises are not there yet."""
    (tmp_path / "basics").mkdir()
    (tmp_path / "basics" / "softmax.py").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def typing(monkeypatch):
    def types(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return types


def events(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "study.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_without_a_command_it_says_how_to_begin_then_where_one_stands(handmade, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = handmade()
    assert ran.code == 0
    assert "handmade start" in ran.out
    assert handmade("start", "--interview", "2099-01-01").code == 0
    monkeypatch.chdir(tmp_path / "handmade-workshop")
    ran = handmade()
    assert ran.out.startswith("Day 1 of 14, the interview is in ")
    assert len(ran.out.split("\n\n")[0].splitlines()) <= 5
    for command in ("handmade review", "handmade plan done cs231n-5", "handmade check softmax"):
        assert command in ran.out


def test_plan_ticks_and_takes_back(handmade, there):
    ran = handmade("plan", "done", "cs231n-5")
    assert ran.code == 0
    assert "Watched: Stanford CS231n, lecture 5" in ran.out
    assert "handmade plan done statquest-cnn" in ran.out
    assert "watched, knows 0 of" in handmade("plan", "--all").out
    assert "ticked before" in handmade("plan", "done", "cs231n-5").out
    assert handmade("plan", "undo", "cs231n-5").code == 0
    assert "handmade plan done cs231n-5" in handmade("plan").out
    assert handmade("plan", "undo", "cs231n-5").code == 2
    for item, word in (
        ("resnet", "review --item resnet"),
        ("self_attention", "handmade check"),
        ("lesson-5", "no item"),
    ):
        ran = handmade("plan", "done", item)
        assert ran.code == 2
        assert word in ran.err


def test_plan_as_data_and_with_dates(handmade, there):
    ran = handmade("plan", "--json", "--start", "2026-12-01", "--interview", "2026-12-14")
    facts = json.loads(ran.out)
    assert (facts["first_day"], facts["interview"]) == ("2026-12-01", "2026-12-14")
    assert facts["next"] == {"watch": "cs231n-5", "exercise": "softmax"}
    assert len(facts["items"]) == 20
    assert facts["items"][-1]["last_day"] <= "2026-12-13"
    assert handmade("plan", "--interview", "soon").code == 2
    assert handmade("plan", "--interview", "2026-11-01").code == 2


def test_a_review_asks_shows_rates_undoes_and_ends(handmade, there, typing):
    typing("\n3\n" + "\n4\n" + "u\n" + "\nx\n1\n" + "s\n" + "q\n")
    ran = handmade("review", "--new", "5")
    assert ran.code == 0
    assert "3 good (10 min)  4 easy (8 days)" in ran.out
    assert "The last rating is undone." in ran.out
    assert "1, 2, 3 or 4; u undoes" in ran.out
    assert "Answered: 2, 1 of them again." in ran.out
    assert [event["what"] for event in events(there)] == ["review", "review", "undone", "review"]
    reviews = [event for event in Journal(there / "study.jsonl").events() if event.what == "review"]
    assert [event["rating"] for event in reviews] == [3, 1]


def test_a_review_of_nothing_says_what_else_there_is(handmade, there, typing):
    typing("")
    ran = handmade("review", "--new", "0")
    assert "Nothing is due today" in ran.out


def test_numbers_are_typed_and_judged(handmade, there, typing):
    typing("about ten\n-1\nq\n")
    ran = handmade("review", "--numbers")
    assert "That is no number." in ran.out
    assert "Not right. " in ran.out
    assert [event["rating"] for event in events(there)] == [1]


def test_options_that_make_no_sense_are_refused(handmade, there):
    for options in (["--minutes", "0"], ["--new", "-1"], ["--part", "sums"], ["--item", "sums"]):
        assert handmade("review", *options).code == 2


def test_cards_are_found_and_listed(handmade, there):
    ran = handmade("cards", "degradation")
    assert "resnet-why" in ran.out
    assert "Deep Residual Learning" in ran.out
    assert "CNNs (" in handmade("cards").out
    assert handmade("cards", "phlogiston").code == 2


@pytest.mark.slow
def test_what_the_day_needs_starts_quickly_and_loads_neither_numpy_nor_torch(there):
    before = os.times()
    for command in (["plan"], ["plan", "--all"], ["review"], ["cards", "relu"], []):
        program = (
            f"import sys; sys.argv = ['handmade', *{command!r}]\n"
            "from handmade.cli import main\n"
            "try: main()\n"
            "except SystemExit: pass\n"
            "assert not {'numpy', 'torch', 'matplotlib', 'handmade.cli.train'} & set(sys.modules), 'loaded'"
        )
        ran = subprocess.run([sys.executable, "-c", program], input="q\n", capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
    after = os.times()
    taken = after.children_user + after.children_system - before.children_user - before.children_system
    assert taken < 5 * 2  # seconds: 0.5 each on a quiet machine; four times that elsewhere


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_answered_and_a_narrow_terminal_breaks_no_word(there):
    shown = in_a_terminal(["review"], there, ["\n", "3\n", "\n", "\x03"], NO_COLOR="1")
    assert "Answered: 1." in shown
    assert "Traceback" not in shown
    assert "\x1b[3" not in shown
    assert len(events(there)) == 1
    assert "convolutional" in re.sub(r"\x1b\[[0-9;]*m", "", shown)  # longer than what is left of its line


@pytest.mark.slow
def test_start_asks_for_the_interview_until_it_is_known(tmp_path):
    in_a_terminal(["start", "."], tmp_path, ["\n"], columns=80)
    assert [event["interview"] for event in events(tmp_path)] == [None]
    shown = in_a_terminal(["start", "."], tmp_path, ["soon\n", "2099-01-01\n"], columns=80)
    assert "expected a date, for example 2026-12-14" in shown
    assert [event["interview"] for event in events(tmp_path)] == [None, "2099-01-01"]
    assert "When is your interview" not in in_a_terminal(["start", "."], tmp_path, [], columns=80)


REVIEWER = """
import io, os, sys
os.chdir(sys.argv[1])
os.environ["HANDMADE_STUDY"] = sys.argv[1]
from handmade.cli import review, reviewing
from handmade.study import cards, standing
cards.concept_cards(), standing.the_plan()
for line in sys.stdin:  # a child for each line: what is loaded is loaded once
    child = os.fork()
    if not child:
        reader, writer = os.pipe()
        os.write(writer, b"\\n3\\n" * 200)
        os.dup2(os.open(sys.argv[1] + "/" + line.strip(), os.O_WRONLY | os.O_CREAT), 1)
        sys.stdin = os.fdopen(reader)
        sys.stdout = os.fdopen(1, "w")
        review.review(None, None, None, 200, False)
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


@pytest.mark.slow
def test_kill_9_at_200_random_moments_loses_no_answered_card(tmp_path):
    rng = random.Random(0)
    server = subprocess.Popen(
        [sys.executable, "-c", REVIEWER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin
    assert server.stdout
    journal = Journal(tmp_path / "study.jsonl", said=lambda text: None)
    answered = killed = 0

    def answers() -> int:
        return sum(event.what == "review" for event in journal.events())

    for trial in range(200):
        before = answers()
        server.stdin.write(f"{trial}\n")
        server.stdin.flush()
        child = int(server.stdout.readline())
        shown = tmp_path / str(trial)
        patience = time.monotonic() + 20 * (trial % 2)  # half of them after the first question, on any machine
        while time.monotonic() < patience and not (shown.exists() and " left\n" in shown.read_text()):
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.12))
        with contextlib.suppress(ProcessLookupError):  # it has asked all its cards
            os.kill(child, signal.SIGKILL)
        assert server.stdout.readline() == "ended\n"
        # the next question is shown when the answer before it is on the disk
        confirmed = max(0, shown.read_text(errors="replace").count(" left\n") - 1) if shown.exists() else 0
        kept = answers() - before
        assert kept >= confirmed
        assert kept <= confirmed + 1
        answered += kept
        killed += confirmed > 0
        if answers() > 60:
            (tmp_path / "study.jsonl").unlink()  # begin again: a fast machine would run out of cards to ask
    server.stdin.close()
    server.stdout.close()
    assert server.wait() == 0
    assert killed > 50, "most were killed before the first answer"
    assert answered > 200


def test_a_whole_interview_asks_code_concepts_and_numbers_and_writes_a_report(handmade, there, typing, monkeypatch):
    monkeypatch.setattr("handmade.cli.handing_in.hand_in", lambda *_: 60.0)
    typing("\n3\n" * 5 + "about ten\n-1\n-1\n-1\n")
    ran = handmade("interview", "--whole", "--topic", "attention", "--seed", "3")
    assert ran.code == 1
    (report,) = (there / "interviews").glob("*.md")
    text = report.read_text()
    for part in ("## Rubric", "| correct | 1 |", "| knows why | 3 |", "| numbers | 1 |", "## Concepts", "## Numbers"):
        assert part in text
    practise = text.partition("## What to practise")[2].strip().splitlines()
    assert len(practise) == 3
    assert all("`handmade " in line for line in practise)
    assert text.count("(3 of 4)") == 5
    assert text.count("Not right.") == 3
    (held,) = json.loads((there / "progress.json").read_text())["interviews"]
    assert held["whole"] is True
    assert len(held["concepts"]) == 5
    assert held["numbers"]
    assert not any(held["numbers"].values())
    assert not (there / "study.jsonl").exists()  # ratings in an interview are no reviews
    ran = handmade("interview", "--report")
    assert ran.code == 0
    assert "Weakest topic: attention, 0 of 1 passed" in ran.out
    typing("\n4\n" * 5 + "s\n" * 3)
    handmade("interview", "--whole", "--topic", "attention", "--seed", "4")
    assert "knows why: 3 4 (better)" in handmade("interview", "--report").out


def test_an_interview_is_followed_by_three_questions_on_its_exercise(handmade, there, typing, monkeypatch):
    monkeypatch.setattr("handmade.cli.handing_in.hand_in", lambda *_: 60.0)
    typing("\n3\n" * 9)
    ran = handmade("interview", "--topic", "attention", "--seed", "3")
    assert ran.out.count("Answer aloud") == 3
    (held,) = json.loads((there / "progress.json").read_text())["interviews"]
    from handmade.study.cards import concept_cards

    own = sum(held["exercise"] in card.exercises for card in concept_cards().values())
    asked = [concept_cards()[id] for id in held["concepts"]]
    assert sum(held["exercise"] in card.exercises for card in asked) == min(3, own)


def test_no_interview_has_no_report(handmade, there):
    assert handmade("interview", "--report").code == 2


def test_explain_knows_cards_exercises_and_networks(handmade, there):
    ran = handmade("explain", "conv-output-size")
    assert "Formula: (n + 2*p - k)//s + 1 = 112 with n = 224" in ran.out
    ran = handmade("explain", "softmax")
    assert "raise NotImplementedError" in ran.out  # its implementation is shown when it is passed
    assert "handmade check softmax" in ran.out
    record = {"workshop": 1, "exercises": {"softmax": {"passed": "2026-12-01T10:00:00"}}, "interviews": []}
    (there / "progress.json").write_text(json.dumps(record))
    assert "keepdims=True" in handmade("explain", "softmax").out
    ran = handmade("explain", "lenet5")
    assert "61,706 parameters" in ran.out
    assert "handmade train lenet5" in ran.out
    ran = handmade("explain", "softmaxx")
    assert ran.code == 2
    assert "softmax" in ran.err


def test_the_vault_is_shown_first_and_written_then(handmade, there, tmp_path_factory):
    notes = tmp_path_factory.mktemp("Notes")
    assert handmade("vault", notes).code == 2  # nobody is there to say yes
    assert list(notes.iterdir()) == []
    ran = handmade("vault", notes, "--dry-run")
    assert ran.code == 0
    assert "+++ b/30-ML-Fundamentals/Concepts Tracker.md" in ran.out
    assert list(notes.iterdir()) == []
    ran = handmade("vault", notes, "--yes")
    assert "New: 30-ML-Fundamentals/handmade/CNNs cards.md" in ran.out
    tracker = notes / "30-ML-Fundamentals" / "Concepts Tracker.md"
    tracker.write_text(
        tracker.read_text().replace("- [ ] [Stanford CS231n, lecture 5", "- [x] [Stanford CS231n, lecture 5")
    )
    assert "Taken over: watched cs231n-5." in handmade("vault", notes).out
    assert "The vault is up to date." in handmade("vault", notes).out
    assert handmade("vault", notes / "nowhere").code == 2


def test_a_deck_is_written(handmade, there):
    ran = handmade("cards", "--anki", there / "a.apkg")
    assert ran.code == 0
    assert (there / "a.apkg").stat().st_size > 10_000


def test_the_plan_s_own_code_is_checked_as_a_file_of_the_learner_s(handmade, there):
    ran = handmade("check", "self_attention", "--plans-code")
    assert ran.code == 1
    assert "np.dot with leading axes" in ran.out
    assert "overflows" in ran.out
    assert (there / "plans_code.py").is_file()
    ran = handmade("check", "multi_head_attention", "--plans-code")
    assert ran.code == 0
    assert (
        "Your own file is attention/multi_head_attention.py.\nNext: `handmade check multi_head_attention`." in ran.out
    )
    assert "handmade solution" not in ran.out  # it is shown to who has passed it
    assert handmade("check", "softmax", "--plans-code").code == 2
