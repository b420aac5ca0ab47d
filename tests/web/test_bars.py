"""The observatory's bars four times as wide, for what is cheap to measure; `python -m benchmarks look` has them all."""

import shutil

import pytest

from benchmarks import look
from handmade.workshop.exercises import exercise_named
from handmade.workshop.source import solution

WIDER = 4


@pytest.fixture(scope="module")
def learner(folder, tmp_path_factory):
    """As `folder`, with a workspace whose causal_mask passes."""
    own = tmp_path_factory.mktemp("measured")
    shutil.copytree(folder / "runs", own / "runs")
    path = look.Workspace(own / "workshop").file("causal_mask")
    path.parent.mkdir(parents=True)
    path.write_text(solution(exercise_named("causal_mask")))
    return own


def within(row: look.Measured) -> None:
    assert row.values[0] <= WIDER * row.bars[0], row.row()


@pytest.mark.slow
def test_ablation_and_the_learners_code(learner):
    within(look.ablation(learner, 5, min))
    within(look.my_code(learner, 5, min))


@pytest.mark.slow
def test_from_a_slider_to_its_paint(browser, server):
    within(look.slider(browser, server, "heads", 2, min))


@pytest.mark.slow
def test_what_is_sent_for_the_first_picture(browser, server):
    rows = {row.what: row for row in look.first_picture(browser, server, "heads", 1)}
    assert rows["`/heads`: sent"].holds
    within(rows["`/heads`: first picture, model open"])
    assert 10 <= rows["`/heads`: requests"].values[0] <= 20


@pytest.mark.slow
def test_questions_leave_memory_flat(learner):
    within(look.memory(learner, 60))


def test_a_figure_above_its_bar_is_said():
    rows = [look.Measured("quick", (1.0, 2.0), (2.0, 3.0), "ms"), look.Measured("slow", (2.5,), (2.0,), "s")]
    assert [row.holds for row in rows] == [True, False]
    assert look.report(rows).splitlines()[2:] == [
        "| quick | 1 / 2 ms | 2 / 3 ms | yes |",
        "| slow | 2.5 s | 2 s | **no** |",
    ]
