"""Sizes: what the page says is what the formulas give, and it asks first."""

import json

import pytest

from handmade.errors import InputError
from handmade.lens.sizes import GPTShape, total
from handmade.models import ZOO
from handmade.web.explorers.sizes import Question, answer
from handmade.web.questions import asked
from tests.web.conftest import number_in, state_of


def ask(observatory, **fields):
    return answer(asked(Question, json.dumps(fields).encode()), observatory)


def test_every_count_is_the_formulas(observatory):
    given = ask(observatory, L=24, d=1024, H=16, G=4, B=2, format="int8", tied=False, kept=False).meta
    shape = GPTShape(24, 1024, 50257, 1024, 16, 4, False)
    expected = {
        "parameters": shape.parameters(),
        "training": shape.training(2, "int8", False),
        "writing": shape.writing(2, "int8"),
        "multiply_adds": shape.multiply_adds(),
    }
    for name, terms in expected.items():
        assert given["groups"][name]["terms"] == [vars(term) for term in terms]
        assert given["groups"][name]["total"] == total(terms)
    assert given["guesses"] == shape.guesses()


@pytest.mark.parametrize("format", ["float32", "float16"])
def test_in_training_a_parameter_takes_16_bytes_without_the_activations(format):
    shape = GPTShape()
    *terms, activations = shape.training(2, format, True)
    assert activations.name == "activations"
    assert total(terms) == 16 * shape.count


def test_the_table_is_that_of_the_cards(observatory):
    told = {network["name"]: network for network in ask(observatory).meta["networks"]}
    assert list(told) == list(ZOO)
    vgg16 = told["vgg16"]
    assert (vgg16["parameters"], vgg16["multiply_adds"]) == (138_357_544, 15_470_264_320)
    assert vgg16["input_shape"] == (3, 224, 224)


def test_the_known_gpts_are_as_large_as_their_cards_say(observatory):
    for preset in ask(observatory).meta["presets"]:
        if preset["name"].startswith("gpt2"):
            shape = {key: preset[key] for key in "LdVTHG"}
            assert ask(observatory, **shape).meta["groups"]["parameters"]["total"] == ZOO[preset["name"]].parameters


@pytest.mark.parametrize(
    ("fields", "said"), [({"H": 7}, "7 heads must divide"), ({"format": "float8"}, "format"), ({"L": 0}, "L is 0")]
)
def test_what_does_not_fit_is_said(observatory, fields, said):
    with pytest.raises(InputError, match=said):
        ask(observatory, **fields)


# --- the page -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_page_asks_first_and_follows_the_keys(pages):
    page = pages.open("/sizes")
    assert page.locator("[data-id=parameters], [data-id=training], [data-id=writing], .networks").count() == 0
    page.locator(".predict").get_by_role("button", name="124 M").click()
    page.get_by_text("Right", exact=True).wait_for()
    assert page.get_by_test_id("parameters").inner_text() == "124,439,808"
    page.get_by_text("16 bytes a parameter").wait_for()
    page.get_by_text(f"kv = G d / H = {GPTShape().kv}, the width").wait_for()
    page.keyboard.press("l")  # twice the layers
    page.wait_for_function("() => document.querySelector('[data-id=parameters]').innerText !== '124,439,808'")
    assert page.get_by_test_id("parameters").inner_text() == f"{GPTShape(L=24).count:,}"
    page.keyboard.press("f")
    page.get_by_text("weights in float32").wait_for()
    assert (
        page.get_by_test_id("writing").inner_text() == f"{total(GPTShape(L=24).writing(1, 'float16')) / 2**20:.2f} MiB"
    )
    other = pages.open(f"/sizes#{state_of(page)}", width=420)
    other.get_by_test_id("parameters").wait_for()
    for group in ("parameters", "training", "writing", "multiply_adds"):
        assert other.get_by_test_id(group).inner_text() == page.get_by_test_id(group).inner_text()
    assert other.evaluate("() => document.documentElement.scrollWidth") <= 420
    page.keyboard.press("n")  # of the cache, whose card alone is hidden
    page.get_by_text("How large is its cache").wait_for()
    assert page.get_by_test_id("writing").count() == 0
    assert page.get_by_test_id("parameters").count() == 1
    page.get_by_text("show me").click()
    assert number_in(page.locator(".predict strong").inner_text()) == 72  # 2 * 24 * 1024 * 768 * 2 bytes
    page.get_by_role("button", name="parameters").click()
    assert page.locator(".networks tr").nth(1).inner_text().startswith("gpt2-xl")
    page.get_by_label("heads H", exact=True).fill("7")
    page.get_by_text("7 heads must divide").wait_for()
    assert page.get_by_test_id("parameters").count() == 1  # the last good picture stays
    pages.forget_refusals()


@pytest.mark.slow
def test_everyone_can_read_it(check_access):
    check_access("/sizes#seen=1", lambda page: page.get_by_test_id("parameters").wait_for())
