"""Pictures of image networks: filters, maps, and evidence in the colours of their bars."""

import numpy as np
import pytest

from handmade import draw
from handmade.draw.images import columns_for
from handmade.draw.palette import LIGHT
from tests.support.pictures import assert_readable, bar_label, bars, images, written


@pytest.mark.slow
def test_filters_on_grey_images_are_signed(rng, tmp_path):
    weight = rng.standard_normal((6, 1, 5, 4))
    weight[2] = 0
    picture = draw.filters(weight, "a model: its filters")
    assert_readable(picture, tmp_path)
    drawn = images(picture)
    assert len(drawn) == 6
    assert {image.get_clim() for image in drawn} == {(-1, 1)}
    assert {image.cmap.name for image in drawn} == {"signed"}
    assert np.allclose(drawn[3].get_array(), weight[3, 0] / np.abs(weight[3]).max())
    assert not drawn[2].get_array().any()
    assert bar_label(bars(picture)[0]) == "weight, as a share of the filter's largest"
    assert f"The largest weight drawn is {np.abs(weight).max():.3g}, in filter" in picture.caption


@pytest.mark.slow
def test_filters_in_colour_have_grey_for_zero_and_a_bar(rng, tmp_path):
    weight = rng.standard_normal((16, 3, 3, 3))
    weight[5, :, 1, 1] = 0
    picture = draw.filters(weight, "a model: its filters")
    assert_readable(picture, tmp_path)
    pixels = images(picture)[5].get_array()
    assert np.allclose(pixels[1, 1], 0.5)
    assert np.allclose(pixels[0, 2], 0.5 + weight[5, :, 0, 2] / (2 * np.abs(weight[5]).max()))
    (bar,) = bars(picture)
    assert bar_label(bar) == "weight of each colour, as a share of the filter's largest"
    assert bar._colorbar.mappable.get_clim() == (-1, 1)


@pytest.mark.slow
def test_of_filters_that_meet_grey_images_the_sum_is_drawn(rng, tmp_path):
    weight = rng.standard_normal((8, 3, 3, 3))
    picture = draw.filters(weight, "a model: its filters", grey=True)
    assert_readable(picture, tmp_path)
    summed = weight[4].sum(axis=0)
    assert np.allclose(images(picture)[4].get_array(), summed / np.abs(summed).max())
    assert any("sum over red, green and blue" in text.replace("\n", " ") for text in written(picture))


@pytest.mark.slow
@pytest.mark.parametrize(("count", "low"), [(40, 0.0), (3, -1.0), (8, 0.0), (1, -1.0)])
def test_feature_maps_are_on_one_scale_with_a_sign_where_they_have_one(tmp_path, rng, count, low):
    maps, channels = rng.uniform(low, 1, (count, 4, 5)), np.arange(count) * 3
    picture = draw.feature_maps(maps, channels, rng.random((1, 20, 25)), "a model: feature maps", "Above: channels.")
    assert_readable(picture, tmp_path)
    seen, *drawn = images(picture)
    assert seen.get_array().shape == (20, 25)
    assert len(drawn) == count
    assert len({image.get_clim() for image in drawn}) == 1
    least, most = drawn[0].get_clim()
    assert least == (-most if low < 0 else 0)
    assert drawn[0].cmap.name == ("signed" if low < 0 else "amount")
    titles = [axes.get_title() for axes in picture.figure.axes]
    assert all(str(channel) in titles for channel in channels)
    assert f"The strongest response, {np.abs(maps).max():.3g}, is in channel" in picture.caption


@pytest.mark.slow
def test_maps_are_not_small_beside_the_input(rng):
    picture = draw.feature_maps(rng.random((40, 8, 8)), np.arange(40), rng.random((3, 32, 32)), "a model")
    picture.png()
    widths = [axes.get_window_extent().width / picture.figure.dpi for axes in picture.figure.axes[:2]]
    assert widths[1] > 0.9, "inches"
    assert widths[0] < 2.5 * widths[1]


@pytest.mark.slow
def test_nothing_but_zeros(tmp_path):
    picture = draw.feature_maps(np.zeros((2, 4, 5)), np.arange(2), np.zeros((3, 20, 25)), "a model")
    assert_readable(picture, tmp_path)
    assert "100 % of what is drawn is 0." in picture.caption


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_evidence_has_the_colours_of_its_bar(tmp_path, rng, channels):
    heat = np.array([[0.0, 1.0, 0.0], [0.0, 4.0, 2.0]])
    picture = draw.evidence(heat, rng.random((channels, 20, 30)), "layer4", "Where it sees evidence for a dog")
    assert_readable(picture, tmp_path)
    image, evidence, encircled = images(picture)
    assert np.array_equal(evidence.get_array(), heat / 4)
    assert evidence.get_alpha() is None, "blended colours are not on the bar"
    (bar,) = bars(picture)
    assert bar._colorbar.mappable is evidence
    assert evidence.get_clim() == (0, 1)
    assert image.get_array().shape == encircled.get_array().shape
    assert len(picture.figure.axes[2].collections) == 2  # the line, on its lighter ground
    where = "at 50 % from the left and 75 % from the top"
    assert picture.caption == f"The evidence is largest {where}; 33 % of the image has at least half as much."


@pytest.mark.slow
def test_no_evidence(tmp_path, rng):
    picture = draw.evidence(np.zeros((2, 3)), rng.random((1, 20, 30)), "layer4", "nothing")
    assert_readable(picture, tmp_path)
    assert "no evidence anywhere" in written(picture)
    assert picture.caption == "The layer has no evidence for the class anywhere."
    assert not picture.figure.axes[2].collections


@pytest.mark.slow
def test_a_drop_is_signed_and_in_the_colours_of_its_bar(tmp_path, rng):
    drop = np.array([[0.1, -0.3], [0.0, 0.2]])
    picture = draw.covered(drop, rng.random((3, 20, 30)), 6, "What it needs to see")
    assert_readable(picture, tmp_path)
    hidden, drawn, _ = images(picture)
    assert (hidden.get_array()[7:13, 12:18] == 0.5).all()
    assert np.allclose(drawn.get_array(), 100 * drop)
    assert drawn.get_clim() == (-30, 30)
    assert drawn.cmap.name == "signed"
    assert picture.caption.startswith(
        "Hidden at 75 % from the left and 75 % from the top, the probability falls most, by 20.0"
    )
    assert picture.caption.endswith("the most that it gains is 30.0.")
    assert_readable(draw.covered(np.zeros((4, 6)), rng.random((1, 20, 30)), 7, "Nothing matters"), tmp_path)


def test_grids_are_full_where_they_can_be():
    assert {count: columns_for(count) for count in (1, 3, 6, 16, 40, 64, 7)} == {
        1: 1, 3: 3, 6: 3, 16: 4, 40: 8, 64: 8, 7: 5
    }  # fmt: skip


def test_grey_is_known_by_its_channels(rng):
    grey = np.tile(rng.random((1, 4, 4)), (3, 1, 1))
    assert draw.is_grey(grey)
    assert draw.is_grey(grey[:1])
    grey[1, 0, 0] += 0.1
    assert not draw.is_grey(grey)


def test_the_paper_is_zero_in_both_scales():
    with_sign = draw.filters(np.zeros((1, 1, 2, 2)), "zeros")
    (image,) = images(with_sign)
    red, green, blue, _ = image.cmap(image.norm(0.0))
    paper = [int(LIGHT.paper[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    assert (red, green, blue) == pytest.approx(paper, abs=0.02)
