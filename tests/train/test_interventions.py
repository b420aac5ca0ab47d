"""What is done by hand to a run: written down, and kept as far as it is so."""

import pytest

from handmade.tasks.schedules import scale_rate
from handmade.train.interventions import intervened, interventions
from tests.support.tiny_task import RECIPE


def test_they_are_read_in_their_order_and_those_that_were_lost_are_left_out(tmp_path):
    assert interventions(tmp_path) == []
    intervened(tmp_path, 5, "rate", factor=0.5, rate=0.01)
    intervened(tmp_path, 9, "rate", factor=2.0, rate=0.02)
    line = intervened(tmp_path, 7, "code", exercise="lstm_step")  # the process was killed, and went on from before 9
    assert interventions(tmp_path) == [{"step": 5, "what": "rate", "factor": 0.5, "rate": 0.01}, line]


def test_a_damaged_line_is_left_out(tmp_path):
    line = intervened(tmp_path, 5, "rate", factor=0.5)
    with (tmp_path / "interventions.jsonl").open("a") as file:
        file.write('{"step": "6"}\n{"step": 7,')
    assert interventions(tmp_path) == [line]


def test_a_rate_that_was_scaled_stays_so_through_the_schedule_and_a_checkpoint():
    tasks = [RECIPE.task() for _ in range(3)]
    usual, scaled, resumed = (task.schedule for task in tasks)
    assert scale_rate(scaled, 0.1) == pytest.approx(0.1 * usual.get_last_lr()[0])
    for step in range(4):
        for task in tasks[:2]:
            task.optimizer.step()
            task.schedule.step()
        assert scaled.get_last_lr()[0] == pytest.approx(0.1 * usual.get_last_lr()[0]), step
    resumed.load_state_dict(scaled.state_dict())
    assert tasks[2].optimizer.param_groups[0]["lr"] == scaled.get_last_lr()[0]
