"""The vault as a whole: what is taken over, what is written, and what is never touched."""

import time
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from handmade.errors import InputError
from handmade.study import vault as room
from handmade.study.cards import concept_cards
from handmade.study.journal import Journal
from handmade.study.notes import FOLDER
from handmade.study.plan import the_plan
from handmade.study.standing import Standing
from handmade.study.vault import Vault, keep
from handmade.workshop.progress import Progress, Record
from tests.support.studying import MORNING

TRACKER = "30-ML-Fundamentals/Concepts Tracker.md"


@pytest.fixture
def notes(tmp_path) -> Path:
    folder = tmp_path / "Notes"
    (folder / "30-ML-Fundamentals").mkdir(parents=True)
    (folder / TRACKER).write_text("---\nhandmade-passed: 0\nstatus: open\n---\n\n# Mine\n\n## NLP\n\nwords\n")
    return folder


def standing(journal: Journal, progress: Progress | None = None, **after: float) -> Standing:
    return Standing(MORNING + timedelta(**after), journal.events(), progress or Progress(), the_plan())


def synchronise(notes: Path, journal: Journal, progress: Progress | None = None, **after: float):
    taken = Vault(notes).take_over(standing(journal, progress, **after))
    keep(taken, standing(journal, progress, **after), journal)
    return taken, Vault(notes).write(standing(journal, progress, **after), taken.ticked)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_cards_and_the_plan_are_written_and_twice_is_once(notes, journal):
    taken, changes = synchronise(notes, journal)
    assert taken.first_time
    text = "".join(path.read_text() for path in notes.rglob("*.md"))
    for card in concept_cards().values():
        assert f"\n{card.ask}\n?\n{card.answer}\n" in text
    for item in the_plan().items:
        if item.vault:
            assert text.count(f"^handmade-{item.id}\n") == 1
    began = "---\nhandmade-passed: 0\nstatus: open\n---\n\n# Mine\n\n## NLP\n\nwords\n"
    assert (notes / TRACKER).read_text().startswith(began)
    before = contents(notes)
    taken, changes = synchronise(notes, journal)
    assert not taken.first_time
    assert not any(change.changes for change in changes)
    assert contents(notes) == before


def test_ticks_come_over_and_go_back(notes, journal):
    synchronise(notes, journal)
    tracker = notes / TRACKER

    def line(text: str) -> str:
        return next(found for found in text.splitlines() if found.endswith("^handmade-statquest-rnn"))

    tracker.write_text(tracker.read_text().replace("- [ ] [StatQuest: RNN]", "- [x] [StatQuest: RNN]"))
    taken, _ = synchronise(notes, journal)
    assert taken.watched == ["statquest-rnn"]
    assert set(standing(journal).watched) == {"statquest-rnn"}
    assert synchronise(notes, journal)[0].watched == []
    tracker.write_text(tracker.read_text().replace("- [x] [StatQuest: RNN]", "- [ ] [StatQuest: RNN]"))
    taken, _ = synchronise(notes, journal)
    assert taken.undone == ["statquest-rnn"]
    assert set(standing(journal).watched) == set()
    # ticked here, it is ticked there, and is not taken for an untick
    journal.append("watched", MORNING, item="statquest-rnn")
    taken, _ = synchronise(notes, journal)
    assert (taken.watched, taken.undone) == ([], [])
    assert line(tracker.read_text()).startswith("- [x]")
    assert set(standing(journal).watched) == {"statquest-rnn"}


def test_a_tick_on_what_is_only_seen_stays_and_counts_for_nothing(notes, journal):
    synchronise(notes, journal)
    tracker = notes / TRACKER
    tracker.write_text(tracker.read_text().replace("- [ ] ResNet", "- [x] ResNet"))
    for _ in range(2):
        taken, _ = synchronise(notes, journal)
        assert taken.watched == []
        assert "- [x] ResNet" in tracker.read_text()
    assert journal.events() == []


def test_cards_that_the_plugin_scheduled_wait_here(notes, journal):
    synchronise(notes, journal)
    note = notes / FOLDER / "CNNs cards.md"
    card = concept_cards()["conv-weight-sharing"]
    note.write_text(note.read_text().replace(f"{card.answer}\n", f"{card.answer}\n<!--SR:!2026-12-04,3,250-->\n"))
    assert card.id in standing(journal).queue()
    taken, _ = synchronise(notes, journal)
    assert taken.seen == {card.id: "2026-12-04"}
    assert synchronise(notes, journal)[0].seen == {}
    assert card.id not in standing(journal).queue()
    assert card.id in standing(journal, days=3).queue()
    assert "<!--SR:!2026-12-04,3,250-->" in note.read_text()


def test_front_matter_is_brought_up_to_date_line_by_line(notes, journal):
    progress = Progress({"softmax": Record(1, "2026-12-01T10:00:00")})
    tracker = notes / TRACKER
    for matter in (
        "---\nhandmade-passed: 0\nstatus: open\n---\n",
        "---\r\nlist:\r\n  - a\r\nhandmade-passed: 0\r\nnested: {a: 1}\r\n---\r\n",
        '---\n# a comment\nhandmade-passed:\nquoted: "x: y"\n---\n',
        "\ufeff---\nhandmade-passed: 7\n---\n",
    ):
        tracker.write_bytes(matter.encode())
        synchronise(notes, journal, progress)
        lines = matter.split("\n")
        ends = ["\r" * line.endswith("\r") for line in lines]
        expected = [
            f"handmade-passed: 1{end}" if "passed" in line else line for line, end in zip(lines, ends, strict=True)
        ]
        assert tracker.read_bytes().startswith("\n".join(expected).encode())
    tracker.write_text("no front matter\n\nhandmade-passed: 0\n")
    synchronise(notes, journal, progress)
    assert tracker.read_text().startswith("no front matter\n\nhandmade-passed: 0\n")


def test_what_cannot_be_read_safely_is_left_alone_and_said(notes, journal, tmp_path):
    tracker = notes / TRACKER
    for content, word in (
        (b"\xff\xfe latin", "not UTF-8"),
        (b"%% handmade a 00000000 %%\n", "not closed"),
    ):
        tracker.write_bytes(content)
        _, changes = synchronise(notes, journal)
        (said,) = [change.said for change in changes if change.path.name == tracker.name]
        assert word in said[0]
        assert tracker.read_bytes() == content
    tracker.write_text("mine\n")
    tracker.chmod(0o444)
    _, changes = synchronise(notes, journal)
    assert "read-only" in next(change.said for change in changes if change.path.name == tracker.name)[0]
    assert tracker.read_text() == "mine\n"
    tracker.chmod(0o640)
    synchronise(notes, journal)
    assert tracker.stat().st_mode & 0o777 == 0o640


def test_links_that_lead_out_of_the_vault_are_refused(notes, journal, tmp_path):
    elsewhere = tmp_path / "elsewhere.md"
    elsewhere.write_text("not in the vault\n")
    (notes / TRACKER).unlink()
    (notes / TRACKER).symlink_to(elsewhere)
    outside = tmp_path / "folder"
    outside.mkdir()
    (notes / "00-Reference").symlink_to(outside)
    _, changes = synchronise(notes, journal)
    assert sum("leads out of the vault" in " ".join(change.said) for change in changes) == 2
    assert elsewhere.read_text() == "not in the vault\n"
    assert list(outside.iterdir()) == []


def test_a_vault_behind_a_link_is_a_vault(notes, journal, tmp_path):
    link = tmp_path / "Заметки 笔记"
    link.symlink_to(notes)
    synchronise(link, journal)
    assert (notes / FOLDER / "CNNs cards.md").is_file()
    with pytest.raises(InputError, match="is not a folder"):
        Vault(tmp_path / "nowhere")


def test_a_note_that_another_program_saves_meanwhile_is_read_again(notes, journal, monkeypatch):
    tracker, replacing, saved = notes / TRACKER, room.replacing, []

    def saving_first(path):
        if path == tracker and len(saved) < 3:
            saved.append(f"saved {len(saved)}\n")
            tracker.write_text(saved[-1])
        return replacing(path)

    monkeypatch.setattr(room, "replacing", saving_first)
    synchronise(notes, journal)
    assert tracker.read_text().startswith("saved 2\n")
    assert "^handmade-resnet" in tracker.read_text()


def test_of_2_000_notes_only_ours_are_opened_and_nothing_to_do_is_quick(notes, journal, monkeypatch):
    synchronise(notes, journal)
    for n in range(2000):
        (notes / f"note {n}.md").write_text("- [x] mine ^handmade-resnet\n")
    (notes / ".obsidian").mkdir()
    (notes / ".obsidian" / "app.json").write_text("{}")
    opened, read_bytes = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path.name) or read_bytes(path))
    began = time.process_time()
    synchronise(notes, journal)
    assert time.process_time() - began < 4  # 1 s on a quiet machine
    assert len(set(opened)) == 8
    assert not any(name.startswith(("note ", "app")) for name in opened)


def test_the_diff_of_a_dry_run_is_what_is_written(notes, journal):
    before = contents(notes)
    changes = Vault(notes).changes(standing(journal), {})
    assert contents(notes) == before
    synchronise(notes, journal)
    for change in changes:
        assert change.after == change.path.read_bytes()
    diff = next(change for change in changes if change.path.name == "Concepts Tracker.md").diff("tracker")
    assert not [line for line in diff.splitlines()[2:] if line.startswith("-")]


def test_the_checklist_says_what_runs_and_shows_an_item(notes, journal):
    synchronise(notes, journal)
    lines = (notes / TRACKER).read_text().splitlines()
    for item in (item for item in the_plan().items if item.vault in ("deep-learning", "nlp", "recsys")):
        place = next(n for n, line in enumerate(lines) if line.endswith(f" ^handmade-{item.id}"))
        assert lines[place].startswith("- [ ] ")
        assert not item.link or f"]({item.link}) ^" in lines[place]
        said = " ".join(lines[place + 1 : place + 3])
        commands = [*(f"handmade check {name}" for name in item.exercises), *([item.run] if item.run else [])]
        assert [command for command in commands if f"`{command}`" not in said] == []
        explorers = [f"`handmade look {name}`" in said for name in item.look]
        assert all(explorers) or not (any(explorers) or find_spec("handmade.web"))


def test_the_cheat_sheet_has_the_formula_of_each_number(notes, journal):
    synchronise(notes, journal)
    sheet = (notes / "00-Reference" / "ML Cheat Sheet.md").read_text()
    numbers = [card for card in concept_cards().values() if card.check and card.check.formula]
    for card in numbers:
        assert f"- {card.ask} {card.answer}\n    - `{card.check.formula}` " in sheet
    assert "\n    - `K*(C*k*k + 1)` with C = 64, K = 128, k = 3 is 73,856\n" in sheet
    assert sheet.count("\n    - `") == len(numbers)


def test_the_tracker_has_a_line_for_each_interview_with_its_rubric(notes, journal):
    rubric = {"correct": 3, "speed": 2, "knows why": 4, "numbers": 1}
    held = [
        {"exercise": "softmax", "date": "2026-12-01T10:00:00", "passed": False, "rubric": rubric},
        {"exercise": "linear", "date": "2026-12-02T10:00:00", "passed": True, "rubric": {}},
    ]
    synchronise(notes, journal, Progress(interviews=held))
    lines = [line for line in (notes / TRACKER).read_text().splitlines() if line.startswith("- Interview of")]
    assert lines == [
        "- Interview of 2026-12-01: softmax, not passed (of 4: correct 3, speed 2, knows why 4, numbers 1)",
        "- Interview of 2026-12-02: linear, passed",
    ]
