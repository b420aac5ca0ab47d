"""The curves of a run are drawn, however short the run."""

import pytest
from PIL import Image

from handmade.train.curves import draw_curves


def assert_is_picture(path) -> None:
    with Image.open(path) as image:
        image.load()
        assert min(image.size) > 200
        assert len(image.getcolors(1 << 24)) > 10


@pytest.mark.slow
def test_curves_are_drawn_of_many_epochs_and_of_one(tmp_path):
    steps = [{"step": n, "epoch": n / 4, "loss": 1 / n, "accuracy": 0.5} for n in range(1, 9)]
    epochs = [
        {
            "step": 4 * n,
            "epoch": float(n),
            "train_loss": 1 / n,
            "train_accuracy": 0.5,
            "test_loss": 0.5,
            "test_accuracy": 1,
        }
        for n in (1, 2)
    ]
    draw_curves(tmp_path / "many.png", [*steps, *epochs])
    draw_curves(tmp_path / "one.png", [{"step": 3, "epoch": 0.5, "train_loss": 2.0, "test_loss": 1.0}])
    assert_is_picture(tmp_path / "many.png")
    assert_is_picture(tmp_path / "one.png")


def test_of_lost_metrics_nothing_is_drawn(tmp_path):
    for lines in ([], [{"step": 10, "epoch": 0.5, "loss": 1.0}], [{"step": 10, "test_loss": 1.0}]):
        draw_curves(tmp_path / "curves.png", lines)
    assert not list(tmp_path.iterdir())
