"""The learning curves of a run: its metrics over the epochs."""

from collections.abc import Sequence
from pathlib import Path

from handmade import draw
from handmade.train.metrics import Line


def draw_curves(path: Path, lines: Sequence[Line], title: str = "What it learned") -> None:
    """Draw to `path` each measure on the training and the test data, from the lines of metrics.jsonl.

    Where no evaluation is among them, because the file was lost, there is nothing to draw.
    """
    drawn = [line for line in lines if "epoch" in line]
    if any("test_loss" in line for line in drawn):
        draw.learning_curves(drawn, title).save(path)
