"""The picture of a sweep: every trial is in it, the best is marked, and it is legible."""

import pytest

from handmade import draw
from handmade.draw import Swept

TRIALS = [
    Swept({"learning_rate": 1e-3, "data": "mnist", "n_layer": 2}, [1, 2], [2.0, 1.0], True),
    Swept({"learning_rate": 1e-2, "data": "mnist", "n_layer": 4}, [1], [3.0], False),
    Swept({"learning_rate": 1e-1, "data": "fashion-mnist", "n_layer": 4}, [1, 2], [1.5, 0.5], True),
]


@pytest.mark.slow
def test_each_setting_has_a_panel_with_all_trials():
    picture = draw.sweep(TRIALS, 2, "lenet5 learns mnist")
    assert "3 trials, 2 trained to their end" in picture.caption
    assert "loss 0.5 on the test data. The worst ended at 3." in picture.caption
    curves, rate, data, layers = picture.figure.axes
    assert [list(line.get_ydata()) for line in curves.lines] == [[2.0, 1.0], [3.0], [1.5, 0.5]]
    early, whole, best = rate.lines
    assert list(zip(early.get_xdata(), early.get_ydata(), strict=True)) == [(1e-2, 3.0)]
    assert list(zip(whole.get_xdata(), whole.get_ydata(), strict=True)) == [(1e-3, 1.0), (1e-1, 0.5)]
    assert list(zip(best.get_xdata(), best.get_ydata(), strict=True)) == [(1e-1, 0.5)]
    assert early.get_marker() != whole.get_marker()  # not by colour alone
    assert rate.get_xscale() == "log"
    assert layers.get_xscale() == "linear"
    assert [label.get_text() for label in data.get_xticklabels()] == ["mnist", "fashion-mnist"]
    assert picture.png().startswith(b"\x89PNG")
