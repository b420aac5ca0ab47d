"""Convolution by hand: the numbers are conv2d's, and the page shows them as it says it does."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.lens import convolutions, unit_of
from handmade.web.bench import Bench
from handmade.web.explorers.conv import Question, answer
from handmade.web.images import Images, garments
from handmade.web.models import Models
from handmade.web.observatory import Observatory
from handmade.web.questions import asked
from handmade.workshop.exercises import exercise_named
from tests.web.conftest import number_in, state_of

GIVEN = {"image": [[1, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]], "kernel": [[1, 2], [0, -1], [3, 1]]}


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(np.array(pixels, np.uint8)).save(file, "PNG")
    return file.getvalue()


def ask(observatory, **fields):
    return answer(asked(Question, json.dumps({**GIVEN, **fields}).encode()), observatory)


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 1), (2, 1, 1), (1, 2, 2)])
def test_the_output_is_that_of_conv2d(observatory, stride, padding, dilation):
    given = ask(observatory, stride=stride, padding=padding, dilation=dilation, bias=0.5)
    x, w, b = (Tensor(np.array(array, float)) for array in ([[GIVEN["image"]]], [[GIVEN["kernel"]]], [0.5]))
    expected = F.conv2d(x, w, b, stride, padding, dilation).array[0, 0]
    np.testing.assert_allclose(given.arrays["output"], expected, rtol=1e-6)
    assert given.meta["size"] == list(expected.shape)


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1)])
def test_the_kernel_laid_flat_times_the_columns_is_the_output(observatory, stride, padding):
    given = ask(observatory, columns=True, stride=stride, padding=padding).arrays
    product = np.array(GIVEN["kernel"], float).reshape(1, -1) @ given["columns"]
    np.testing.assert_allclose(product.reshape(given["output"].shape), given["output"], rtol=1e-6)
    wrong = ask(observatory, columns=True, stride=stride, padding=padding, code="mistake", fault="windows turned round")
    np.testing.assert_array_equal(wrong.arrays["their_columns"], given["columns"][::-1])
    assert "windows turned round" in wrong.meta["visible"]
    assert "columns" not in ask(observatory, columns=True, dilation=2, padding=1).arrays


@pytest.mark.parametrize("fault", exercise_named("conv2d").faults)
def test_every_mistake_has_its_picture_or_says_why_not(observatory, fault):
    given = ask(observatory, code="mistake", fault=fault, bias=1, padding=1)
    assert ("their_output" in given.arrays) != bool(given.meta["problem"])
    if fault in given.meta["visible"]:
        assert not np.allclose(given.arrays["their_output"], given.arrays["output"], atol=1e-5)
    given.frame()


@pytest.mark.parametrize("stride", [1, 2])
def test_a_max_pool_is_that_of_the_network(observatory, stride):
    given = ask(observatory, operation="max pool", kernel=[[0, 0], [0, 0]], stride=stride, padding=1, bias=3)
    expected = F.max_pool2d(Tensor(np.array([[GIVEN["image"]]], float)), 2, stride).array[0, 0]
    np.testing.assert_array_equal(given.arrays["output"], expected)
    assert (given.meta["size"], given.meta["parameters"]) == (list(expected.shape), 0)


@pytest.mark.parametrize("fault", ["mean", "incomplete windows kept", "last maximum"])
def test_a_mistake_of_a_max_pool_is_seen_where_it_can_be(observatory, fault):
    given = ask(observatory, operation="max pool", kernel=[[0, 0], [0, 0]], code="mistake", fault=fault)
    seen = {"mean": True, "incomplete windows kept": False, "last maximum": False}[fault]  # the last is of backward
    assert (given.meta["difference"]["out"] > 1e-5) == seen
    tall = ask(observatory, operation="max pool", code="mistake", fault=fault)
    assert "square windows" in tall.meta["problem"]


def test_the_exercise_knows_no_dilation(observatory):
    assert "dilation" in ask(observatory, dilation=2, padding=1, code="mistake", fault="no bias").meta["problem"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dilation": 3}, "reaches over 7 pixels"),
        ({"groups": 2, "channels": 3}, "2 groups cannot share"),
        ({"code": "mistake", "fault": "none such"}, "has no mistake"),
    ],
)
def test_what_does_not_fit_is_said(observatory, fields, said):
    with pytest.raises(InputError, match=said):
        ask(observatory, **fields)


@pytest.mark.slow
def test_the_page_asks_for_the_size_and_then_for_the_sum(pages):
    page = pages.open("/conv#padding=1")
    assert page.get_by_role("table", name="output").count() == 0
    assert page.get_by_test_id("size").count() == 0
    page.get_by_role("button", name="5 \u00d7 5", exact=True).click()
    page.get_by_text("Right, 5 \u00d7 5.").wait_for()
    output = page.get_by_role("table", name="output")
    assert set(output.get_by_role("button").all_inner_texts()) == {"?"}
    assert page.get_by_test_id("sum").count() == 0
    page.get_by_label("The sum").fill("-3")
    page.keyboard.press("Enter")
    page.get_by_test_id("sum").wait_for()
    assert number_in(page.get_by_test_id("sum").inner_text()) == number_in(
        output.get_by_role("button").first.inner_text()
    )
    page.get_by_role("button", name="next window").click()
    page.get_by_label("output, 0 1: not shown before you predict").wait_for()
    assert "j=1" in state_of(page)
    assert "seen=2" in state_of(page)


@pytest.mark.slow
def test_keys_step_the_window_and_a_mistake_shows_when_narrow(pages):
    page = pages.open("/conv#seen=2", width=420)
    page.get_by_test_id("sum").wait_for()
    for key in ("ArrowRight", "ArrowDown", " ", "s"):
        page.keyboard.press(key)
    page.get_by_role("heading", name="row 1, column 1").wait_for()  # two columns only, with stride 2
    page.get_by_role("button", name="with a mistake").click()
    chosen = page.get_by_label("mistake", exact=True)
    page.wait_for_function("(e) => e.value !== 'stride ignored'", arg=chosen.element_handle())  # of another size
    page.locator(".cell.marked").first.wait_for()
    chosen.select_option("stride ignored")
    page.get_by_text("gives no such output: the reference's is shown").wait_for()
    chosen.select_option("kernel turned round")
    page.get_by_test_id("differs").wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 420
    page.get_by_label("groups g").fill("2")
    page.get_by_role("alert").get_by_text("2 groups cannot share 3 channels").wait_for()
    pages.forget_refusals()
    page.get_by_label("channels C").fill("4")
    page.get_by_text("cannot share").wait_for(state="detached")
    assert number_in(page.get_by_test_id("parameters").inner_text()) == 8 * 2 * 9 + 8


@pytest.mark.slow
def test_a_max_pool_has_no_kernel_and_its_largest_number_is_named(pages):
    page = pages.open("/conv#operation=max pool&seen=2&stride=2&i=1&j=1")
    page.get_by_text("max(").wait_for()
    assert page.get_by_role("table", name="kernel").count() == 0
    shown = [number_in(text) for text in page.locator(".sum-of b").all_inner_texts()]
    assert number_in(page.get_by_test_id("sum").inner_text()) == max(shown)
    assert len(shown) == 9
    page.get_by_label("operation").select_option("convolution")
    page.get_by_role("table", name="kernel").wait_for()
    page.keyboard.press("c")
    page.get_by_label(re.compile("^the windows as columns, 1,2 1,0: ")).click()
    page.get_by_role("heading", name="row 1, column 0").wait_for()
    page.get_by_role("button", name="with a mistake").click()
    page.get_by_text("im2col").first.wait_for()
    page.locator("table[aria-label='the windows as columns'] .marked").first.wait_for()
    page.get_by_role("button", name="windows as columns: im2col").click()
    page.get_by_label("size of the image").select_option("7")
    last = page.get_by_label("image, 6 6", exact=True)
    last.wait_for()
    edge = page.locator(".typing").bounding_box()
    cell = last.bounding_box()
    assert cell["x"] + cell["width"] <= edge["x"] + edge["width"]


@pytest.mark.slow
def test_everyone_can_read_it(check_access):
    check_access("/conv#seen=2&padding=1", lambda page: page.get_by_test_id("sum").wait_for())


# --- inside a network -------------------------------------------------------------------------------------------------

LAYER = {"view": "layer", "layer": "c3", "map": 5, "row": 2, "column": 7}


def test_a_unit_of_the_packaged_network_is_the_lenss(observatory):
    given = ask(observatory, **LAYER, photo=-3)
    assert (given.meta["label"], given.meta["given"], given.meta["seen"]) == ("Trouser", 0, 6)
    with observatory.models.opened("packaged lenet5") as used:
        layers = convolutions(used.model, used.input(observatory.images.image(-3, 1)))
        assert used.classify(observatory.images.image(-3, 1), 1)[0] == (given.meta["says"], given.meta["sure"])
    unit = unit_of(layers["c3"], 5, 2, 7)
    assert [layer["sees"] for layer in given.meta["layers"]] == [[5, 5], [14, 14], [32, 32]]
    assert (given.meta["rows"], given.meta["columns"]) == ([4, 18], [14, 28])
    assert given.meta["value"] == unit.value
    np.testing.assert_array_equal(given.arrays["map"], layers["c3"].out[5])
    total = sum(given.meta["contributions"]) + given.meta["rest"] + given.meta["bias"]
    assert total == pytest.approx(unit.value, abs=1e-4)
    given.frame()


def test_of_the_packaged_garments_the_network_knows_19_of_20(observatory):
    says = [ask(observatory, view="layer", photo=-n).meta for n in range(1, 21)]
    assert sum(meta["says"] == meta["label"] for meta in says) == 19


def test_a_garment_is_strange_to_who_has_learned_other_classes(observatory):
    images, known = Images(), [garments()[1][0], "another"]
    assert not images.strange(-1, known)
    assert images.strange(-1, ["cat", "dog"])
    assert not images.strange(images.add(png([[[200, 0, 0]]])), ["cat", "dog"])  # one's own
    assert ask(observatory, view="layer").meta["strange"] is False


def test_a_dropped_photo_is_grey_for_a_network_that_sees_grey(folder):
    images = Images()
    assert (images.first(0), Images([folder]).first(0), images.first(7)) == (-1, 1, 7)
    number = images.add(png([[[200, 0, 0], [0, 200, 0]], [[0, 0, 200], [90, 90, 90]]]))
    given = ask(Observatory(Models(folder), Bench(None), images), view="layer", photo=number)
    assert (given.meta["photo"], given.meta["label"]) == (number, "")
    assert given.arrays["image"].shape == (32, 32, 3)
    np.testing.assert_array_equal(images.image(number, 1)[0], [[60, 117], [23, 90]])  # 0.299 R + 0.587 G + 0.114 B


def test_the_chosen_code_computes_the_layer(observatory):
    given = ask(observatory, **LAYER, code="mistake", fault="kernel turned round")
    assert given.meta["difference"]["out"] > 0.01
    assert given.arrays["their_output"].shape == given.arrays["map"].shape
    assert not np.allclose(given.arrays["their_output"], given.arrays["map"], atol=1e-3)


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"layer": "c9"}, "no convolution 'c9': there are c1, c3, c5"), ({"map": 16}, "c3 has no unit 16, 2, 7"),
     ({"photo": 7}, "drop one on the page"), ({"model": "resnet20"}, "no model 'resnet20'")],
)  # fmt: skip
def test_what_is_not_in_the_network_is_said(observatory, fields, said):
    with pytest.raises(InputError, match=said):
        ask(observatory, **{**LAYER, **fields})


@pytest.mark.slow
def test_the_page_asks_how_much_a_unit_sees_and_frames_it(pages, observatory):
    page = pages.open("/conv#view=layer&layer=c3&row=2&column=7", width=420)
    assert page.locator(".framed svg").first.locator("rect").count() == 0
    page.get_by_role("button", name="14 \u00d7 14").click()
    page.get_by_text("Right", exact=True).wait_for()
    frame = page.locator(".framed svg").first.locator("rect")
    assert [frame.get_attribute(name) for name in ("x", "y", "width", "height")] == ["14", "4", "14", "14"]
    page.get_by_text("Framed: rows 4 to 17, columns 14 to 27.").wait_for()
    with observatory.models.opened("packaged lenet5") as used:
        image = observatory.images.image(observatory.images.first(0), used.channels)
        name, sure = used.classify(image, 1)[0]
        unit = unit_of(convolutions(used.model, used.input(image))["c3"], 0, 2, 7)
    page.get_by_text(f"The network says {name}, {100 * sure:.0f} %.").wait_for()
    before = number_in(page.get_by_test_id("unit").inner_text())
    assert before == pytest.approx(unit.value, abs=6e-4)
    adds = page.locator(".products b").all_inner_texts()
    assert [number_in(text) for text in adds] == pytest.approx(unit.contributions[unit.strongest(4)], abs=6e-4)
    for key in ("ArrowDown", "ArrowRight", "m"):
        page.keyboard.press(key)
    page.wait_for_function("() => location.hash.includes('row=3&column=8') || location.hash.includes('map=')")
    page.get_by_text("row 3, column 8").first.wait_for()
    page.wait_for_function(
        "(b) => Number(document.querySelector('[data-id=unit]').innerText.replace('\u2212', '-')) !== b", arg=before
    )
    page.keyboard.press("l")
    page.get_by_text("Predict first").wait_for()
    assert page.get_by_label("layer", exact=True).input_value() == "c5"
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 420
    page.keyboard.press("v")
    page.get_by_role("table", name="image under the window").wait_for()


@pytest.mark.slow
def test_everyone_can_read_the_layer(check_access):
    check_access('/conv#view=layer&known=["c1"]', lambda page: page.get_by_test_id("unit").wait_for())
