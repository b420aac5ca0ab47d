"""Curves: what they count in, what their lines say, and the captions' figures."""

import numpy as np
import pytest

from handmade import draw
from tests.support.pictures import assert_readable, lines, written


def metrics(epochs: list[float], per_epoch: int = 40) -> list[dict]:
    steps = [{"step": 10 * n, "epoch": 10 * n / per_epoch, "loss": 2 / n, "accuracy": 0.5} for n in range(1, 9)]
    ends = [
        {"step": round(epoch * per_epoch), "epoch": epoch, "train_loss": 1 / epoch, "train_accuracy": 0.5}
        | {"test_loss": 0.5 + epoch, "test_accuracy": 0.75}
        for epoch in epochs
    ]
    return [*(step for step in steps if step["epoch"] <= epochs[-1]), *ends]


@pytest.mark.slow
def test_curves_over_epochs(tmp_path):
    picture = draw.learning_curves(metrics([1.0, 2.0]), "lenet5 learns fashion-mnist")
    assert_readable(picture, tmp_path)
    assert [axes.get_title("left") for axes in picture.figure.axes] == ["loss", "accuracy"]
    assert {axes.get_xlabel() for axes in picture.figure.axes} == {"epoch"}
    drawn = lines(picture)
    assert drawn["test data: 2.5 in the end"].tolist() == [[1, 2], [1.5, 2.5]]
    assert drawn["training data: 0.5 in the end"].shape == (2, 2)
    assert picture.caption == (
        "Loss after 80 steps (epoch 2): 0.5 on the training data, 2.5 on the test data. "
        "Accuracy after 80 steps (epoch 2): 0.5 on the training data, 0.75 on the test data."
    )


@pytest.mark.slow
def test_a_short_run_counts_steps(tmp_path):
    picture = draw.learning_curves(metrics([0.5]), "lenet5 learns fashion-mnist")
    assert_readable(picture, tmp_path)
    assert {axes.get_xlabel() for axes in picture.figure.axes} == {"step"}
    loss = picture.figure.axes[0]
    assert loss.lines[0].get_xdata().tolist() == [10, 20]
    assert lines(picture)["test data: 1 in the end"].tolist() == [[20], [1.0]]
    assert loss.get_xlim()[0] == 0


def test_one_evaluation_and_nothing_else(tmp_path):
    only = [{"step": 3, "epoch": 0.0097, "train_loss": 2.0, "test_loss": 1.0}]
    picture = draw.learning_curves(only, "a short run")
    assert_readable(picture, tmp_path)
    assert lines(picture)["training data: 2 in the end"].tolist() == [[3], [2.0]]


@pytest.mark.slow
def test_compared_training(tmp_path):
    epochs = np.linspace(0, 2, 60)
    runs = {
        name: draw.Errors(epochs, np.full(60, error), np.array([1.0, 2.0]), np.array([error + 2, error + 1]))
        for name, error in (("plain20", 40.0), ("resnet20", 30.0))
    }
    norms = {"plain20": {"conv1": 1.0, "linear": 0.1}, "resnet20": {"conv1": 0.5, "linear": 0.4}}
    picture = draw.compared_training(runs, norms, "20 layers, without shortcuts and with them")
    assert_readable(picture, tmp_path)
    drawn = lines(picture)
    assert drawn["plain20: 41.0 % on test"].tolist() == [[1, 2], [42, 41]]
    assert drawn["resnet20: 30.0 % in training"][1] == pytest.approx(30)
    assert drawn["resnet20"].tolist() == [[1, 2], [0.5, 0.4]]
    assert picture.figure.axes[1].get_yscale() == "log"
    colors = {line.get_label().split(":")[0]: line.get_color() for axes in picture.figure.axes for line in axes.lines}
    assert colors["plain20"] != colors["resnet20"]
    assert "plain20 ends with an error of 40.0 % in training, 41.0 % on test." in picture.caption
    assert "resnet20: gradient norm 0.5 in the first layer, 0.4 in the last." in picture.caption


@pytest.mark.slow
def test_gradient_flow(tmp_path):
    norms = 0.5 ** np.arange(6, -1.0, -1.0)
    cell = np.append(norms[:-1], 0.0)
    panels = {
        "before": {"RNN": {"h": norms}, "LSTM, 90 % right": {"h": norms, "c": cell}},
        "after": {"GRU": {"h": norms}},
    }
    picture = draw.gradient_flow(panels, {"before": draw.Elman(0.9, 0.8)}, "What the last state keeps")
    assert_readable(picture, tmp_path)
    assert len(picture.figure.axes) == 2
    drawn = lines(picture)
    assert drawn["RNN"][1] == pytest.approx(norms)
    assert np.isnan(drawn["LSTM, 90 % right, d h_T / d c_t"][1][-1]), "0 is nowhere on a logarithmic axis"
    bound = drawn["RNN, bound: 0.90^(T-t), largest singular value"]
    assert bound[1] == pytest.approx(0.9 ** np.arange(6, -1.0, -1.0))
    assert "before, RNN: 1.6e-02 of the state before the first input is left." in picture.caption


def test_exact_by_length(tmp_path, rng):
    lengths = rng.integers(5, 90, 200)
    picture = draw.exact_by_length({"short ones": (lengths, lengths < 40), "none": (lengths, lengths < 0)}, "By length")
    assert_readable(picture, tmp_path)
    share = 100 * (lengths < 40).mean()
    places, shares = lines(picture)[f"short ones: {share:.1f} % of all"]
    assert shares[0] == 100
    assert shares[-1] == 0
    assert (np.diff(places) > 0).all()
    assert f"short ones: {(lengths < 40).sum()} of 200 right ({share:.1f} %)." in picture.caption
    one = draw.exact_by_length({"one": (np.array([5]), np.array([True]))}, "A single text")
    assert lines(one)["one: 100.0 % of all"].tolist() == [[5], [100]]
    assert "exactly right, %" in written(one)
