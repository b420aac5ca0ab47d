"""A workspace whose files had numbers, as the program made it before, is carried over: see the fixture's README."""

import json
import shutil
from pathlib import Path

import pytest

from handmade import __version__
from handmade.errors import InputError
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.judging.judge import Judge
from handmade.workshop.progress import Progress
from handmade.workshop.source import stub
from handmade.workshop.workspace import Workspace, start, workspace_around

MADE_BEFORE = Path(__file__).parent.parent / "fixtures" / "workspace" / "numbered"

MOVED = {
    "01_softmax.py": "basics/softmax.py",
    "02_cross_entropy.py": "basics/cross_entropy.py",
    "03_linear.py": "basics/linear.py",
    "04_dropout.py": "basics/dropout.py",
    "35_self_attention.py": "attention/self_attention.py",
    "37_causal_mask.backup-1.py": "attention/causal_mask.backup-1.py",
    "37_causal_mask.py": "attention/causal_mask.py",
    "53_scaled_init.py": "optimisation/scaled_init.py",
}


@pytest.fixture
def numbered(tmp_path) -> Path:
    shutil.copytree(MADE_BEFORE, tmp_path / "ws")
    return tmp_path / "ws"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_file_is_there_byte_for_byte(numbered):
    before = contents(numbered)
    started = start(numbered)
    after = contents(numbered)
    assert {old.name: started.workspace.shown(new) for old, new in started.moved} == MOVED
    kept = {MOVED.get(name, name): content for name, content in before.items() if name != "progress.json"}
    assert {name: after[name] for name in kept} == kept
    new = after.keys() - kept.keys() - {"progress.json"}
    assert new == {started.workspace.shown(path) for path in started.written}
    assert len(started.written) == len(NAMES) - 7
    assert after["recurrence/gru_step.py"].decode() == stub(exercise_named("gru_step"))


def test_the_record_is_the_same(numbered):
    before = json.loads((numbered / "progress.json").read_text())
    start(numbered)
    after = json.loads((numbered / "progress.json").read_text())
    for record in after["exercises"].values():
        assert record.pop("met") == {}  # what this version adds
        assert record.pop("steps") == []
        assert record.pop("predictions") == 0
    assert after.pop("drills") == after.pop("diagnoses") == []  # and this
    assert after.pop("handmade") == __version__
    assert after == before
    progress = Workspace(numbered).progress()
    assert progress.of("causal_mask").attempts == 2
    assert progress.of("causal_mask").mistakes == {"no scale": 1}
    assert progress.of("softmax").hints == 1
    assert progress.of("linear").gave_up
    assert progress.interviews[0]["exercise"] == "beam_search"
    assert Workspace(numbered).upcoming() == "dropout"


def test_what_passed_passes_with_the_helper_that_lies_in_the_workspace(numbered):
    workspace = start(numbered).workspace
    with Judge() as judge:
        for name in ("softmax", "cross_entropy", "linear", "causal_mask"):
            assert judge.check(workspace.file(name), exercise_named(name)).passed


def test_starting_again_changes_nothing(numbered):
    start(numbered)
    before = contents(numbered)
    again = start(numbered)
    assert (again.moved, again.written) == ([], [])
    assert contents(numbered) == before


def test_commands_work_before_it_is_carried_over(numbered):
    workspace = workspace_around(numbered / "drills")
    assert workspace == Workspace(numbered)
    assert workspace.where("causal_mask") == "37_causal_mask.py"
    with Judge() as judge:
        assert judge.check(workspace.file("cross_entropy"), exercise_named("cross_entropy")).passed


def test_no_file_takes_another_ones_place(numbered):
    (numbered / "basics").mkdir()
    (numbered / "basics" / "softmax.py").write_text("a newer one")
    (numbered / "02_softmax.py").write_text("a second one")
    old = (numbered / "01_softmax.py").read_bytes()
    start(numbered)
    assert (numbered / "basics" / "softmax.py").read_text() == "a newer one"
    assert (numbered / "basics" / "softmax.backup-1.py").read_bytes() == old
    assert (numbered / "basics" / "softmax.backup-2.py").read_text() == "a second one"


def test_other_files_with_numbers_stay(numbered):
    names = ("37_my_notes.py", "99_softmax_notes.py", "1_softmax.py", "37_causal_mask.txt")
    for name in names:
        (numbered / name).write_text(name)
    start(numbered)
    assert {name: (numbered / name).read_text() for name in names} == {name: name for name in names}


def test_half_carried_over_it_goes_on(numbered, monkeypatch):
    moves, rename = [], Path.rename

    def fails_later(self, target):
        if len(moves) == 3:
            raise OSError(28, "No space left on device")
        moves.append(self)
        return rename(self, target)

    before = contents(numbered)
    monkeypatch.setattr(Path, "rename", fails_later)
    with pytest.raises(InputError, match="No space left on device"):
        start(numbered)
    monkeypatch.undo()
    start(numbered)
    after = contents(numbered)
    assert all(after[MOVED.get(name, name)] == content for name, content in before.items() if name != "progress.json")


def test_progress_can_still_be_changed(numbered):
    def more(progress: Progress) -> None:
        progress.of("softmax").attempts += 1

    assert start(numbered).workspace.change(more).of("softmax").attempts == 3
