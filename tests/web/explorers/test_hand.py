"""Attention by hand: the numbers are attention's own, and the page shows them as it says it does."""

import json
import re

import numpy as np
import pytest

from handmade.attention import self_attention
from handmade.errors import InputError
from handmade.lens.by_hand import visible_keys
from handmade.web.explorers.hand import ALL_HEADS, EXERCISE_OF, Question, answer
from handmade.web.questions import asked
from tests.web.conftest import number_in, state_of

ROWS = {
    "q": [[1, 0, 1, 0], [0, 2, 1, 1], [1, 1, 0, 2]],
    "k": [[1, 1, 0, 0], [0, 2, 0, 1], [2, 0, 1, 0]],
    "v": [[1, 0, 0, 3], [0, 1, 0, -1], [0, 0, 1, 0.5]],
}


def ask(observatory, **fields):
    return answer(asked(Question, json.dumps({**ROWS, **fields}).encode()), observatory)


@pytest.mark.parametrize("mask", EXERCISE_OF)
@pytest.mark.parametrize("heads", [1, 2])
def test_weights_and_output_are_those_of_attention(observatory, mask, heads):
    given = ask(observatory, mask=mask, heads=heads, length=2)
    split = lambda name: np.array(ROWS[name], float).reshape(3, heads, -1).transpose(1, 0, 2)
    output, weights = self_attention(split("q"), split("k"), split("v"), mask=visible_keys(3, 3, mask, 2))
    all_heads = heads > 1 and mask == "none"  # by one function, which gives no weights
    for name in ("weights",) if all_heads else ("weights", "their_attention_weights"):
        np.testing.assert_allclose(given.arrays[name], weights, rtol=1e-6)
    for name in ("output", "their_output"):
        np.testing.assert_allclose(given.arrays[name], output, rtol=1e-6)
    assert given.meta["exercise"] == (ALL_HEADS if all_heads else EXERCISE_OF[mask])
    assert given.meta["difference"] == ({"output": 0.0} if all_heads else {"attention_weights": 0.0, "output": 0.0})


def test_a_mistake_is_seen_beside_the_reference(observatory):
    given = ask(observatory, code="mistake", fault="no scale")
    sharper = np.exp(given.arrays["products"])
    np.testing.assert_allclose(
        given.arrays["their_attention_weights"], sharper / sharper.sum(-1, keepdims=True), rtol=1e-5
    )
    assert given.meta["difference"]["attention_weights"] > 0.01
    assert "no scale" in given.meta["visible"]


def test_a_mistake_with_several_heads_is_seen_in_the_heads_it_changes(observatory):
    given = ask(observatory, heads=2, code="mistake", fault="divides by the root of d_model")
    sharp = given.arrays["products"] / 2
    e = np.exp(sharp - sharp.max(-1, keepdims=True))
    values = np.array(ROWS["v"]).reshape(3, 2, 2).swapaxes(0, 1)
    np.testing.assert_allclose(given.arrays["their_output"], e / e.sum(-1, keepdims=True) @ values, rtol=1e-5)
    assert {"one head", "reshaped instead of split", "merged without swapping"} <= set(given.meta["visible"])
    assert "no output projection" not in given.meta["visible"]  # it is the identity
    more = {name: rows + rows for name, rows in ROWS.items()}  # six tokens, four columns
    assert ask(observatory, heads=2, **more).meta["exercise"] == "self_attention"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"q": [[1, 0]]}, "different lengths"),
        ({"v": [[1, 0, 0, 0]]}, "3 keys and 1 values"),
        ({"heads": 3}, "3 heads cannot share"),
        ({"q": ROWS["q"] * 2, "mask": "causal"}, "at least as many keys"),
        ({"code": "mistake", "fault": "none such"}, "has no mistake"),
    ],
)
def test_what_does_not_fit_together_is_said(observatory, fields, said):
    with pytest.raises(InputError, match=said):
        ask(observatory, **fields)


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("positions", ["sinusoidal", "rotary"])
def test_positions_are_those_of_the_exercises(observatory, positions, heads):
    given = ask(observatory, positions=positions, heads=heads, part="positions")
    for name in "qk":
        np.testing.assert_allclose(given.arrays[f"their_placed_{name}"], given.arrays[f"placed_{name}"], atol=1e-6)
    assert given.meta["exercise"] == positions
    assert max(given.meta["difference"].values()) < 1e-6
    q, k = (given.arrays[f"placed_{name}"] for name in "qk")
    np.testing.assert_allclose(given.arrays["products"], q @ k.swapaxes(-1, -2), rtol=1e-5, atol=1e-6)
    wrong = ask(
        observatory, positions=positions, heads=heads, part="positions", code="mistake", fault="positions from 1"
    )
    assert not np.allclose(wrong.arrays["their_placed_q"], wrong.arrays["placed_q"], atol=1e-2)
    assert "positions from 1" in wrong.meta["visible"]


def test_rotary_products_depend_on_the_distance_alone(observatory):
    rows = {"q": [[1, 2, 0, 1]] * 4, "k": [[0, 1, 1, 3]] * 4, "v": [[1]] * 4}
    products = ask(observatory, **rows, positions="rotary").arrays["products"][0]
    for distance in range(-3, 4):
        assert np.ptp(np.diagonal(products, distance)) == pytest.approx(0, abs=1e-5)
    assert np.ptp(products[0]) > 0.1
    added = ask(observatory, **rows, positions="sinusoidal").arrays["products"][0]
    assert np.ptp(np.diagonal(added)) > 0.1


def test_rotary_positions_turn_pairs(observatory):
    with pytest.raises(InputError, match="1 columns, and rotary positions turn pairs"):
        ask(observatory, heads=4, positions="rotary")


# --- the page -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_page_asks_first_and_hides_the_row_everywhere(pages):
    page = pages.open("/hand")
    weights = page.get_by_role("table", name="attention weights")
    row = lambda name: (
        page.get_by_role("table", name=name, exact=True)
        .get_by_role("row")
        .nth(2)
        .get_by_role("button")
        .all_inner_texts()
    )
    for step in ("products", "scores", "exponentials", "attention weights", "output"):
        assert row(step) == ["?"] * 4, step
    assert page.get_by_test_id("weight").count() == 0
    page.get_by_role("button", name="cat", exact=True).click()
    page.get_by_text("Right", exact=True).wait_for()
    assert weights.get_by_role("row").nth(2).get_by_role("button").all_inner_texts() == row("attention weights")
    assert number_in(page.get_by_test_id("weight").inner_text()) == pytest.approx(
        number_in(row("attention weights")[1]), abs=5e-4
    )
    assert "seen=1" in state_of(page)
    assert "token" not in state_of(page)
    page.keyboard.press("ArrowDown")  # of another row nothing was predicted
    page.get_by_text("It looks at", exact=True).wait_for()
    page.keyboard.press("ArrowUp")
    page.get_by_text("Right", exact=True).wait_for()


@pytest.mark.slow
def test_the_address_holds_the_state_and_back_goes_back(pages):
    page = pages.open("/hand")
    page.get_by_text("show me").click()
    page.get_by_label("mask", exact=True).select_option("causal")
    page.get_by_role("table", name="output").get_by_role("button").nth(6).click()
    said = page.locator(".arithmetic").inner_text()
    other = pages.open(f"/hand#{state_of(page)}")
    other.locator(".arithmetic").wait_for()
    assert other.locator(".arithmetic").inner_text() == said
    assert other.get_by_role("table", name="scores after the mask").count() == 1
    page.wait_for_timeout(800)
    page.get_by_label("heads").select_option("2")
    page.get_by_text("Head 0:").wait_for()
    page.go_back()
    page.get_by_text("Head 0:").wait_for(state="detached")
    assert "mask=causal" in state_of(page)


@pytest.mark.slow
def test_the_keys_alone_do_everything(pages):
    page = pages.open("/hand")
    for _ in range(40):  # by Tab to the answer
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent") == "show me":
            break
    page.keyboard.press("Enter")
    page.get_by_test_id("weight").wait_for()
    first = page.locator(".arithmetic .big").inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("n")
    page.get_by_text("the mean of the values").wait_for()
    assert page.locator(".arithmetic .big").inner_text() != first
    page.keyboard.press("m")
    page.get_by_role("table", name="scores after the mask").wait_for()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Keys").wait_for(state="hidden")


@pytest.mark.slow
def test_a_mistake_without_its_name_is_of_its_exercise_only(pages):
    page = pages.open("/hand#seen=1&code=mistake&riddle=0")
    page.get_by_text("Which mistake?").wait_for()
    page.get_by_label("mask", exact=True).select_option("causal")
    page.get_by_text("With a mistake", exact=True).wait_for()
    assert "riddle" not in state_of(page)


@pytest.mark.slow
def test_typed_numbers_count_and_a_mistake_shows(pages):
    page = pages.open("/hand#seen=1")
    cell = page.get_by_label("queries, cat 0")
    before = page.get_by_test_id("weight").inner_text()
    cell.fill("9")
    page.wait_for_function("(before) => document.querySelector('[data-id=weight]').innerText !== before", arg=before)
    cell.fill("nine")
    page.locator("[aria-invalid=true]").wait_for()
    page.get_by_role("button", name="with a mistake").click()
    page.get_by_label("mistake").select_option("softmax over the queries")
    page.get_by_text("Largest difference from the reference").wait_for()
    page.locator(".cell.marked").first.wait_for()
    page.get_by_text("hide its name").click()
    page.get_by_text("Which mistake?", exact=True).wait_for()
    page.get_by_label("mistake").wait_for(state="detached")
    page.locator(".said .choice button").first.click()
    page.locator(".said").get_by_text(re.compile("^It is ")).wait_for()


UNSCALED = """import numpy as np


def self_attention(Q, K, V):
    e = np.exp(Q @ K.swapaxes(-1, -2))
    w = e / e.sum(-1, keepdims=True)
    return w @ V, w
"""


TAGS = """() => {
    window.tags = [];
    const look = () => window.tags.push(document.querySelector(".said")?.textContent ?? "");
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


@pytest.mark.slow
def test_the_learners_file_computes_and_the_picture_follows_it(pages, folder):
    path = folder / "handmade-workshop" / "attention" / "self_attention.py"
    stub = path.read_text()
    try:
        page = pages.open("/hand#seen=1")
        page.get_by_role("button", name="my code").click()
        page.get_by_text("Not yet", exact=True).wait_for()  # the stub
        page.get_by_text("gives no such numbers: the reference's are shown").wait_for()
        page.evaluate(TAGS)
        path.write_text(UNSCALED)
        page.get_by_text("no scale", exact=True).first.wait_for()
        said = page.evaluate("() => window.tags")
        running = next(number for number, text in enumerate(said) if "Running …" in text)
        for text in filter(None, said[running:]):  # nothing is said of a file that is no longer there
            assert any(part in text for part in ("Running …", "Judging …", "no scale"))
        page.locator(".cell.marked").first.wait_for()
        path.write_text(UNSCALED.replace("swapaxes(-1, -2))", "swapaxes(-1, -2) / np.sqrt(K.shape[-1]))"))
        page.locator(".cell.marked").first.wait_for(state="detached")
    finally:
        path.write_text(stub)


@pytest.mark.slow
def test_positions_open_into_their_arithmetic(pages):
    page = pages.open("/hand#seen=1&positions=rotary&step=placed_q&i=2&j=1")
    page.get_by_text("x sin a + y cos a").wait_for()
    shown = number_in(page.locator(".arithmetic .big").inner_text())
    assert shown == pytest.approx(np.sin(2) * 1 + np.cos(2) * 1, abs=1e-3)  # the query 1, 1, 0, 2 at place 2
    page.get_by_role("button", name="with a mistake").click()
    page.get_by_label("mistake").select_option("turns the other way")
    page.get_by_test_id("differs").wait_for()
    page.keyboard.press("o")  # none, behind rotary
    page.get_by_role("table", name="queries with positions").wait_for(state="detached")
    page.get_by_label("mask").select_option("padding")
    page.get_by_label("true keys").select_option("0")
    page.get_by_text("may see no key at all").wait_for()


@pytest.mark.slow
def test_narrow_nothing_scrolls_sideways(pages):
    page = pages.open("/hand#seen=1&mask=causal&code=mistake", width=420)
    page.get_by_test_id("weight").wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 420


@pytest.mark.slow
def test_everyone_can_read_it(check_access):
    check_access("/hand#seen=1&code=mistake&fault=no scale", lambda page: page.locator(".cell.marked").first.wait_for())


@pytest.mark.slow
def test_a_prediction_is_counted_in_the_workspace_and_show_me_is_not(pages, observatory):
    made = lambda: observatory.bench.workspace.progress().of("padding_mask").predictions
    before = made()
    page = pages.open("/hand#mask=padding")
    page.get_by_text("show me").click()
    page.get_by_test_id("weight").wait_for()
    page.get_by_text("another row").click()
    with page.expect_response("**/api/predicted") as answered:
        page.get_by_role("button", name="cat", exact=True).click()
    assert answered.value.ok
    assert made() == before + 1
