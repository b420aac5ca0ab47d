"""How far gradients reach: the curves are the lens's, beside those of the chosen code, and one sketches first."""

import json
import re

import numpy as np
import pytest

from handmade import nn
from handmade.lens.gradient_flow import bound, gradient_norms
from handmade.lens.reach import HIDDEN, WIDTH, gradients_by_layer, gradients_by_step
from handmade.web.explorers.gradient import Question, answer
from handmade.web.questions import asked
from handmade.workshop.exercises import exercise_named


def size_in(shown):
    """The number that the page shows, which has two digits: 0.0005, or 3.1e-8."""
    found = re.search(r"([\d.]+)(?: \u00d7 10<sup>(\u2212?\d+)</sup>)?", shown.inner_html())
    assert found
    return float(found[1]) * 10.0 ** int((found[2] or "0").replace("\u2212", "-"))


def ask(observatory, **fields):
    return answer(asked(Question, json.dumps(fields).encode()), observatory)


@pytest.mark.parametrize("norm", [0, 1])
def test_layers_are_those_of_the_lens(observatory, norm):
    given = ask(observatory, depth=6, scale=0.8, norm=norm)
    for name in ("plain", "residual"):
        expected = gradients_by_layer(6, 0.8, bool(norm), name == "residual")
        np.testing.assert_array_equal(given.arrays[name], expected)
        assert given.meta["rates"][name] ** 6 == pytest.approx(expected[0])


def test_steps_are_those_of_the_lens(observatory):
    given = ask(observatory, what="steps", steps=6, radius=1.1, keeping=2)
    for kind in ("rnn", "lstm", "gru"):
        made = gradients_by_step(kind, 6, 1.1, 2.0)
        np.testing.assert_allclose(given.arrays[kind], gradient_norms(made.layer, made.x)["h"])
    rnn = gradients_by_step("rnn", 6, 1.1, 2.0).layer
    np.testing.assert_allclose(given.arrays["bound"], bound(rnn, 6))
    assert given.meta["radius"] == pytest.approx(1.1, rel=1e-5)
    assert (given.arrays["rnn"] <= given.arrays["bound"] * (1 + 1e-5)).all()


@pytest.mark.parametrize("fault", exercise_named("scaled_init").faults)
def test_a_mistake_of_the_initialisation_is_a_wrong_spread(observatory, fault):
    given = ask(observatory, depth=8, code="mistake", fault=fault)
    ratio = given.meta["ratio"]
    assert (abs(ratio - 1) > 0.05) == (fault in given.meta["visible"])
    if fault == "no gain":
        assert ratio == pytest.approx(np.sqrt(0.5), rel=1e-4)
    np.testing.assert_allclose(given.arrays["their_plain"], gradients_by_layer(8, 0.7 * ratio, False, False))


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_mistakes_of_a_backward_pass_bend_the_curve(observatory, cell):
    exercise = exercise_named(f"{cell}_backward")
    first = ask(observatory, what="steps", steps=5, cell=cell, code="mistake", fault=next(iter(exercise.faults)))
    visible = first.meta["visible"]
    assert len(visible) >= 4
    for fault in visible:
        given = ask(observatory, what="steps", steps=5, cell=cell, code="mistake", fault=fault)
        assert given.arrays["theirs"].shape == given.arrays["right"].shape == (5,)
        assert max(given.meta["difference"].values()) > 1e-5
    plain = ask(observatory, what="steps", steps=5, cell=cell)
    assert "right" not in plain.arrays


def test_the_exercises_backward_pass_is_that_of_the_layer(observatory):
    """The reference's curve for the RNN: the gradient of a pull at the last state, through the engine."""
    made = gradients_by_step("rnn", 5, 0.9, 0.0)
    made.x.requires_grad = True
    out, _ = made.layer(made.x)
    pull = np.random.default_rng(1).standard_normal(16).astype(np.float32)
    (out[-1, 0] * type(made.x)(pull)).sum().backward()
    norms = np.linalg.norm(made.x.grad.array[:, 0], axis=-1)
    given = ask(observatory, what="steps", steps=5, code="mistake", fault="nothing flows back")
    np.testing.assert_allclose(given.arrays["right"], norms / norms[-1], rtol=1e-4)
    np.testing.assert_array_equal(given.arrays["theirs"][:-1], 0)


# --- the page -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_one_sketches_first_and_then_sees(pages):
    page = pages.open("/gradient#depth=10")
    chart = page.locator(".curves")
    assert chart.locator(".curve").count() == 0
    assert page.locator("[data-id=reaches], [data-id=factor]").count() == 0
    assert page.get_by_role("table").count() == 0
    assert page.get_by_role("button", name="that is my sketch").is_disabled()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.5, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="that is my sketch").click()
    page.get_by_test_id("off").wait_for()
    assert chart.locator(".curve").count() == 2
    plain = gradients_by_layer(10, 0.7, False, False)
    cells = page.locator(".sr table tr").nth(1).locator("td").all_inner_texts()
    assert float(cells[1]) == pytest.approx(plain[0], rel=0.01)
    page.reload()
    page.get_by_test_id("reaches").wait_for()  # an answered state skips the prediction
    expected = [plain[0], gradients_by_layer(10, 0.7, False, True)[0]]
    assert [size_in(one) for one in page.locator(".predict strong.num").all()] == pytest.approx(expected, rel=0.06)
    assert size_in(page.get_by_test_id("product")) == pytest.approx(plain[0], rel=0.06)
    first = page.locator(".sums tr").nth(1).locator("td").all()
    above, below = map(int, re.findall(r"layer (\d+)", page.get_by_role("heading", name="From layer").inner_text()))
    factor = plain[below] / plain[above]
    assert [size_in(one) for one in first] == pytest.approx([plain[above], plain[below], factor], rel=0.06)
    settings = page.locator(".settings").inner_text()
    assert f"layers of {WIDTH} features" in settings
    start = nn.Linear(WIDTH, 4000).weight.array.std() / np.sqrt(2 / WIDTH)
    assert f"a linear layer of PyTorch starts at {start:.2f}" in settings


@pytest.mark.slow
def test_by_keys_alone_on_a_phone_and_a_right_sketch_is_right(pages):
    page = pages.open("/gradient#scale=1&depth=10", width=420, color_scheme="dark")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.locator(".predict.right").wait_for()  # He's spread keeps it near 1
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.hash.includes('i=1')")
    assert page.evaluate("() => document.documentElement.scrollWidth") == 420
    page.keyboard.press("m")
    page.locator(".predict", has_text="RNN").wait_for()
    assert page.locator(".curves .curve").count() == 0
    page.keyboard.press("s")
    page.locator("[data-id=radius]", has_text="0.90").wait_for()
    factor, product = page.get_by_test_id("factor").inner_text(), gradients_by_step("rnn", 40, 0.9, 0.0).norms["h"]
    assert float(factor) == pytest.approx((product[0] / product[-1]) ** (1 / 40), abs=6e-4)
    kinds = [gradients_by_step(kind, 40, 0.9, 0.0) for kind in ("rnn", "lstm", "gru")]
    told = [size_in(one) for one in page.locator(".predict strong.num").all()]
    assert told == pytest.approx([made.norms["h"][0] for made in kinds], rel=0.06)
    why = page.locator("p", has=page.get_by_test_id("radius")).locator("b").all()
    assert size_in(why[1]) == pytest.approx(bound(kinds[0].layer, 40)[0], rel=0.06)
    assert f"{HIDDEN} units" in page.locator(".settings").inner_text()


@pytest.mark.slow
def test_a_mistake_is_drawn_and_its_spread_said(pages):
    page = pages.open("/gradient#seen=1&code=mistake&fault=no gain")
    page.locator("[data-id=ratio]", has_text="0.71").wait_for()
    assert page.locator(".curves .curve").count() == 4


@pytest.mark.slow
def test_everyone_can_read_it(check_access):
    check_access("/gradient#seen=1", lambda page: page.get_by_test_id("factor").wait_for())
