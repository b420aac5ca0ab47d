"""What a person sees while a model learns."""

import sys

import pytest

from handmade.train import display_of
from handmade.train.display import LiveDisplay, PlainDisplay, epoch_text
from handmade.train.duration import in_words
from tests.support.tiny_task import RECIPE

LINE = {
    "step": 24,
    "epoch": 2.0,
    "train_loss": 0.41249,
    "train_accuracy": 0.84921,
    "test_loss": 0.39,
    "test_accuracy": 1.0,
    "seconds": 21.4,
}


@pytest.fixture
def task():
    return RECIPE.task()


def test_an_epoch_in_a_line(task):
    expected = "epoch 2/3  train: loss 0.412, accuracy 84.9 %  test: loss 0.390, accuracy 100.0 %  21 s"
    assert epoch_text(LINE, task) == expected


def test_a_last_epoch_that_is_not_whole_counts(task):
    task.total_steps = 14
    assert epoch_text({**LINE, "step": 14}, task).startswith("epoch 2/2  ")


def test_a_length_of_time_in_words():
    said = [in_words(seconds) for seconds in (0, 1.4, 1.6, 89, 90, 3.5 * 3600)]
    assert said == ["1 second", "1 second", "2 seconds", "89 seconds", "2 minutes", "3.5 hours"]


def test_a_file_gets_a_line_an_epoch_and_no_bar(task, capsys):
    display = display_of(task)
    assert isinstance(display, PlainDisplay)
    with display:
        display.begin(0)
        display.step(1, {"loss": 1.0}, 100.0)
        display.epoch(LINE)
    captured = capsys.readouterr()
    assert captured.err == epoch_text(LINE, task) + "\n"
    assert captured.out == ""


def test_a_terminal_gets_a_bar_with_measures_speed_and_time_left(task, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "140")
    display = display_of(task)
    assert isinstance(display, LiveDisplay)
    with display:
        display.begin(12)
        display.step(24, {"loss": 0.5, "accuracy": 0.75}, 1234.4)
        display.bar.refresh()
        display.epoch(LINE)
    shown = capsys.readouterr().err
    for part in ("epoch 2/3", "loss 0.500, accuracy 75.0 %", "1,234 points/s", "left", epoch_text(LINE, task)):
        assert part in shown
    assert display.bar.tasks[0].completed == 24
