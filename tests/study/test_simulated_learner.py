"""A simulated learner at the plan's pace reaches the interview's day with everything done and nearly all known."""

import importlib.util
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "study_plan.py"


@pytest.fixture(scope="module")
def program():
    spec = importlib.util.spec_from_file_location("study_plan", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_two_weeks_are_enough_and_no_day_is_too_long(program, seed):
    days, known, undone = program.simulate(seed, 14)
    assert undone == []
    assert known >= 0.85
    assert max(day.minutes for day in days) <= 60
    assert sum(day.new for day in days) > 245 + 27  # every card and its drill, and the exercises


def test_who_begins_with_nothing_learned_knows_nothing(program):
    """The figure is no constant: without review nothing is known."""
    learner = program.Learner(0, 14)
    standing = learner.standing(program._at(learner.interview))
    assert all(status.known == 0 for status in standing.statuses.values())
