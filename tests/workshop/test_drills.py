"""Drills, hints and the record of checks, from Python."""

from collections import Counter

import pytest

from handmade.workshop.drills import write_drill
from handmade.workshop.exercises import exercise_named
from handmade.workshop.hints import next_hint
from handmade.workshop.judging.verdict import Finding, Mend, Verdict
from handmade.workshop.mutants import styles_of
from handmade.workshop.mutation import Tally, tally
from handmade.workshop.source import faulty, solution
from handmade.workshop.workspace import Workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path)


def test_a_listed_drill_is_one_fault_of_an_exercise_and_is_recorded_with_its_line(workspace, monkeypatch):
    monkeypatch.setattr("handmade.workshop.drills.LISTED", 1.0)
    drill = write_drill(workspace, "softmax", seed=1)
    assert drill.path == workspace.folder / "drills" / "softmax.1.py"
    wrong, right = drill.path.read_text(), solution(drill.exercise)
    assert wrong in {faulty(drill.exercise, fault) for fault in drill.exercise.faults}
    assert wrong.splitlines()[drill.line - 1] != right.splitlines()[drill.line - 1]
    (held,) = workspace.progress().drills
    assert (held.exercise, held.file, held.line) == ("softmax", "softmax.1.py", drill.line)


def test_where_no_edit_is_refused_the_drill_is_a_listed_fault(workspace, monkeypatch):
    monkeypatch.setattr("handmade.workshop.drills.LISTED", 0.0)
    monkeypatch.setattr("handmade.workshop.mutants.DRAWS", 3)
    monkeypatch.setattr("handmade.workshop.mutants.passing", lambda judge, exercise, mutants: mutants)
    drill = write_drill(workspace, "softmax", seed=1)
    assert drill.path.read_text() in {faulty(drill.exercise, fault) for fault in drill.exercise.faults}


@pytest.mark.slow
def test_an_edited_drill_is_a_right_solution_but_for_a_line_and_the_judge_refuses_it(workspace, monkeypatch, warm):
    monkeypatch.setattr("handmade.workshop.drills.LISTED", 0.0)
    rights = styles_of(exercise_named("gelu")).values()
    for seed in range(2):
        drill = write_drill(workspace, "gelu", seed=seed)
        wrong = drill.path.read_text().splitlines()
        changed = [
            [n for n, (a, b) in enumerate(zip(wrong, right.splitlines(), strict=False), 1) if a != b]
            for right in rights
            if len(right.splitlines()) == len(wrong)
        ]
        assert [drill.line] in changed
        assert not warm.check(drill.path, drill.exercise, seed=1).passed


def test_a_seed_writes_the_same_drill_again_beside_the_first(workspace):
    first, again = write_drill(workspace, seed=3), write_drill(workspace, seed=3)
    assert first.exercise.name == again.exercise.name
    assert first.path != again.path
    assert first.path.read_text() == again.path.read_text()


def test_without_a_name_a_drill_is_of_what_was_passed(workspace):
    workspace.record([Verdict("gelu", passed=True)])
    assert write_drill(workspace).exercise.name == "gelu"


def test_checks_of_drills_and_own_files_are_recorded_and_no_others(workspace):
    drill = write_drill(workspace, "softmax").path
    workspace.record_check(drill, Verdict("softmax"))
    workspace.record_check(drill, Verdict("softmax", passed=True))
    workspace.record_check(workspace.folder / "elsewhere.py", Verdict("softmax", passed=True))
    progress = workspace.progress()
    assert (progress.drills[0].attempts, bool(progress.drills[0].fixed)) == (2, True)
    assert progress.of("softmax").passed is None
    workspace.record_check(workspace.file("softmax"), Verdict("softmax", passed=True))
    assert workspace.progress().of("softmax").status == "passed"


def test_hints_lead_to_the_mend_and_then_are_the_exercises_own(workspace):
    exercise = exercise_named("gelu")
    found = Finding("tanh form", "", line=7, mend=Mend("x", "y", "a name"))
    workspace.record([Verdict("gelu", findings=[found])])
    steps = [next_hint(workspace, exercise) for _ in range(3)]
    assert [hints.shown for hints in steps] == [[step] for step in found.steps()]
    assert [hints.last for hints in steps] == [False, False, True]
    own = [next_hint(workspace, exercise) for _ in range(4)]
    assert [len(hints.shown) for hints in own] == [1, 2, 3, 3]
    assert [hints.last for hints in own] == [False, False, False, True]
    assert not any(hints.from_verdict for hints in own)


def test_giving_up_is_remembered_from_the_first_time_on(workspace, monkeypatch):
    workspace.change(lambda progress: progress.give_up("gelu"))
    first = workspace.progress().of("gelu").gave_up
    monkeypatch.setattr("handmade.workshop.progress.now", lambda: "2030-01-01T00:00:00")
    workspace.change(lambda progress: progress.give_up("gelu"))
    assert first
    assert workspace.progress().of("gelu").gave_up == first
    assert workspace.progress().of("gelu").status == "gave up"


def test_mutants_are_counted_and_those_that_pass_are_told(warm):
    found = tally(warm, exercise_named("noam"), each=3, seed=0)
    assert found.counts["judged"] == 3
    assert found.counts["refused"] + len(found.passing) == 3
    assert found.row("noam").startswith("| noam | 3 |")


def test_a_goal_of_mutants_is_missed_below_its_share():
    found = Tally(Counter(judged=20, refused=20, line=19, **{"line first": 17}))
    assert found.missed() == {"line first": 0.85}
