"""Pictures of layers: every bar and point is where its number says, and all can be read."""

import numpy as np
import pytest

from handmade import draw
from handmade.draw import Added, LayerGradient
from tests.support.pictures import assert_readable, bar_label, bars, images, written

ADDED = [
    Added(f"layer {n}", branch, 1.5 + n + 0.3 * k, (n + 2) * (k + 0.4))
    for n in range(3)
    for k, branch in enumerate(("attention", "to the source", "MLP"))
]


@pytest.mark.slow
@pytest.mark.parametrize("added", [ADDED, [Added("layer1.0", "branch", 3.0, 1.0)]], ids=["transformer", "resnet"])
def test_branches_are_bars_of_their_lengths_and_ratios(tmp_path, added):
    picture = draw.branches(added, "a model: what each branch adds", "Lengths are means.")
    assert_readable(picture, tmp_path)
    for axes, values in zip(picture.figure.axes, ([x.stream for x in added], [x.ratio for x in added]), strict=True):
        widths = {round(bar.get_y(), 3): bar.get_width() for bar in axes.patches}
        assert [widths[place] for place in sorted(widths)] == pytest.approx(values)
    assert ("attention" in written(picture)) == (len(added) > 1)  # one colour needs no names


@pytest.mark.slow
def test_gradients_are_points_on_logarithmic_axes_and_zeros_are_written(tmp_path):
    layers = [LayerGradient(f"layer{n}.weights", 2.0, 10.0 ** (-n / 2)) for n in range(9)]
    layers.insert(5, LayerGradient("dead", 1.0, 0.0))
    picture = draw.gradients(layers, "a model: how large the gradient is", "The loss of one text.")
    assert_readable(picture, tmp_path)
    left, right = picture.figure.axes
    for axes, values in ((left, [x.gradient for x in layers]), (right, [x.ratio for x in layers])):
        assert axes.get_xscale() == "log"
        (line,) = axes.lines
        np.testing.assert_allclose(line.get_xdata(), [value for value in values if value])
        assert [text.get_text() for text in axes.texts] == ["0"]
        assert axes.texts[0].get_position()[1] == 5


@pytest.mark.slow
@pytest.mark.parametrize(("layers", "heads"), [(3, 4), (7, 1)])
def test_head_ablation_is_a_matrix_of_what_the_loss_rises_by(tmp_path, rng, layers, heads):
    rises = 0.3 * rng.standard_normal((layers, heads))
    names = [f"layer {n}" for n in range(layers)]
    picture = draw.head_ablation(rises, names, 1.25, "a model: the loss without each head")
    assert_readable(picture, tmp_path)
    (drawn,) = images(picture)
    np.testing.assert_array_equal(drawn.get_array(), rises)
    assert drawn.get_clim() == (-np.abs(rises).max(), np.abs(rises).max())
    assert bar_label(bars(picture)[0]) == "rise of the loss, nats"
    layer, head = np.unravel_index(rises.argmax(), rises.shape)
    assert picture.caption == (
        f"Without head {head} of layer {layer} the loss rises most, by {rises.max():.3f} from 1.250 nats; without "
        f"{(rises < 0).sum()} of {rises.size} heads it is lower than with all."
    )


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "columns"), [((4, 9), (2, 8)), ((-5, 30), (-3, 40))])
def test_a_field_is_framed_and_shown_alone(tmp_path, rng, rows, columns):
    gradient, image = rng.random((20, 25)), rng.random((3, 20, 25))
    picture = draw.receptive_field(gradient, image, rows, columns, "a model: what a unit sees")
    assert_readable(picture, tmp_path)
    whole, field, moves = (axes for axes in picture.figure.axes if axes.images)
    frame = whole.patches[-1]
    assert frame.get_xy() == (max(columns[0], 0) - 0.5, max(rows[0], 0) - 0.5)
    assert frame.get_width() == min(columns[1], 25) - max(columns[0], 0)
    assert frame.get_height() == min(rows[1], 20) - max(rows[0], 0)
    for axes in (field, moves):
        assert axes.get_xlim() == (columns[0] - 0.5, columns[1] - 0.5)
        assert axes.get_ylim() == (rows[1] - 0.5, rows[0] - 0.5)
    np.testing.assert_allclose(moves.images[0].get_array(), gradient / gradient.max())
    assert ("Grey: beyond the edge." in " ".join(written(picture)).replace("\n", " ")) == (rows[0] < 0)
