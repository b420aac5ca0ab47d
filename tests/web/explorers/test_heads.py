"""The heads of a GPT: the arrays are the lens's, and the page asks first, hides, shows, cuts and compares."""

import json
import re
import threading

import numpy as np
import pytest

import handmade
from handmade.errors import InputError
from handmade.lens.heads import losses_without_heads, read_heads
from handmade.web.explorers import heads
from handmade.web.explorers.heads import Question, answer
from handmade.web.questions import asked
from handmade.workshop.exercises import exercise_named
from tests.web.conftest import number_in

TEXT = "ROMEO: But soft"


def ask(observatory, **fields):
    return answer(asked(Question, json.dumps({"text": TEXT, **fields}).encode()), observatory)


@pytest.fixture(scope="module")
def used(folder):
    return handmade.open(folder / "runs" / "gpt-1")


def test_the_arrays_are_the_lenss(observatory, used):
    tokens = np.array(used.tokens(TEXT))
    read = read_heads(used.model, tokens, 2.0, [(0, 1)])
    given = ask(observatory, layer=1, head=1, sharpness=2, off=[[0, 1]])
    np.testing.assert_allclose(given.arrays["maps"], read.maps, atol=1e-3)  # float16
    for name, array in (("q", read.queries), ("k", read.keys), ("v", read.values)):
        np.testing.assert_array_equal(given.arrays[name], array[1, 1])
    assert given.meta["loss"] == pytest.approx(read.losses(tokens).mean())
    assert "".join(given.meta["tokens"]) == TEXT
    following, probability = given.meta["next"][3][0]
    assert probability == pytest.approx(np.exp(read.log_probabilities[3].max()))
    assert following == used.pieces([int(read.log_probabilities[3].argmax())])[0]
    without = ask(observatory, ablate=True).arrays["without"]
    np.testing.assert_allclose(without, losses_without_heads(used.model, tokens), rtol=1e-6)


def test_a_mistake_computes_on_what_comes_to_the_head(observatory, used):
    read = read_heads(used.model, np.array(used.tokens(TEXT)))
    given = ask(observatory, layer=1, code="mistake", fault="no mask")
    scores = read.queries[1] @ read.keys[1].swapaxes(-1, -2) / np.sqrt(read.keys.shape[-1])
    unmasked = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(given.arrays["their_maps"], unmasked, atol=1e-5)
    assert given.meta["loss_with"] != pytest.approx(given.meta["loss"], rel=1e-4)
    assert "no mask" in given.meta["visible"]
    assert ask(observatory, code="mistake", fault="no scale", sharpness=2).meta.get("loss_with") is None


def test_of_a_longer_text_it_reads_as_much_as_the_model_sees(observatory):
    assert ask(observatory, text="To be, or not to be").meta["tokens"] == list("To be, or not to")


@pytest.mark.parametrize("fault", exercise_named("causal_mask").faults)
def test_every_mistake_has_its_picture_or_says_why_not(observatory, fault):
    given = ask(observatory, code="mistake", fault=fault)
    assert ("their_maps" in given.arrays) != bool(given.meta["problem"])
    if fault in given.meta["visible"]:
        right = given.arrays["maps"][0].astype(np.float32)
        assert not np.allclose(given.arrays["their_maps"], right, atol=2e-3)
    given.frame()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"layer": 2}, "no head 0 in layer 2"),
        ({"off": [[0, 200]]}, "no head 200 in layer 0"),
        ({"off": [[9, 0]], "ablate": True}, "no head 0 in layer 9"),
        ({"head": 2}, "there are 2 x 2"),
        ({"text": "O"}, "1 tokens, expected two at least"),
        ({"text": "ROMEO ☺"}, "☺"),
        ({"model": "runs/other"}, "no model 'runs/other'"),
        ({"code": "mistake", "fault": "other"}, "has no mistake"),
    ],
)
def test_what_does_not_fit_is_said(observatory, fields, said):
    with pytest.raises(InputError, match=said):
        ask(observatory, **fields)


def test_of_a_large_model_the_loss_without_each_head_is_refused(observatory, monkeypatch):
    monkeypatch.setattr(heads, "ABLATED", 10)
    assert not ask(observatory).meta["ablated"]
    with pytest.raises(InputError, match="more than 10 parameters"):
        ask(observatory, ablate=True)


def test_the_maps_of_all_heads_fit_into_a_frame(observatory, monkeypatch):
    monkeypatch.setattr(heads, "LARGEST", 2 * 10**2 * (2 * 4 + 4 * 2))
    assert len(ask(observatory).meta["tokens"]) == 10


def test_fifty_questions_at_once_are_answered_as_they_are_alone(observatory):
    questions = [{"layer": n % 2, "head": n // 2 % 2, "sharpness": n / 25, "off": [[n % 2, 0]]} for n in range(50)]
    alone = [ask(observatory, **question) for question in questions]
    together: dict[int, object] = {}
    work = lambda n: together.update({n: ask(observatory, **questions[n])})
    threads = [threading.Thread(target=work, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for n, expected in enumerate(alone):
        assert together[n].meta == expected.meta
        for name, array in expected.arrays.items():
            np.testing.assert_array_equal(together[n].arrays[name], array)


# --- the page -------------------------------------------------------------------------------------------------------

ADDRESS = f"/heads#text={TEXT}&i=9"


@pytest.mark.slow
def test_the_page_hides_a_heads_pattern_until_it_is_predicted(pages):
    page = pages.open(ADDRESS)
    assert page.locator("canvas").count() == 0  # no map, small or large
    assert page.get_by_role("table").count() == 0
    page.get_by_role("button", name="u, place 8").click()
    page.locator("#weight").wait_for()
    assert page.get_by_role("button", name=re.compile("layer 0, head 0")).locator("canvas").count() == 1
    assert page.get_by_role("button", name=re.compile("layer 0, head 1")).locator("canvas").count() == 0
    assert "seen=" in page.url
    rows = page.locator(".sr table tr").all_inner_texts()[1:]
    weights = [float(row.split("\t")[2]) for row in rows]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) == pytest.approx(1, abs=0.01)
    assert number_in(page.locator("#weight").inner_text()) == pytest.approx(weights[0], abs=1e-3)


@pytest.mark.slow
def test_keys_move_cut_and_compare(pages, used):
    page = pages.open(f"{ADDRESS}&seen=[[0,0],[0,1],[1,0],[1,1]]")
    before = number_in(page.locator("#loss").inner_text())
    page.get_by_text(re.compile(r"^[+\u2212]?\d\.\d\d$")).nth(3).wait_for()  # the losses without each head
    for key in ("l", "h", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    page.get_by_role("heading", name="Layer 1, head 1").wait_for()
    assert "i=8" in page.url
    page.keyboard.press("x")
    page.wait_for_function("(b) => Number(document.querySelector('#loss').innerText) !== b", arg=before)
    assert "off=" in page.url
    expected = read_heads(used.model, np.array(used.tokens(TEXT)), off=[(1, 1)]).losses(np.array(used.tokens(TEXT)))
    assert number_in(page.locator("#loss").inner_text()) == pytest.approx(expected.mean(), abs=6e-4)
    page.locator("#sharp").fill("0")
    page.wait_for_function("() => document.querySelector('#weight').innerText === (1 / 9).toFixed(4)")
    assert "sharpness=0" in page.url


@pytest.mark.slow
def test_a_mistake_is_seen_in_the_map_and_in_the_loss(pages):
    page = pages.open(f"{ADDRESS}&seen=[[0,0]]&code=mistake&fault=no mask", width=420)
    page.locator("#loss-with").wait_for()
    page.get_by_text("Farthest from the reference").wait_for()
    assert number_in(page.locator("#loss-with").inner_text()) != number_in(page.locator("#loss").inner_text())
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 420


@pytest.mark.slow
def test_everyone_can_read_it(check_access):
    ready = lambda page: page.locator("#weight").wait_for()
    check_access(f"{ADDRESS}&seen=[[0,0]]", ready)
