"""The logit lens: the arrays are those of the lens, and the page asks first, shows, cuts, writes and compares."""

import json

import numpy as np
import pytest

import handmade
from handmade.errors import InputError
from handmade.lens.cache import cache_cost
from handmade.lens.choice import choosing
from handmade.lens.guesses import logit_lens, read_stream
from handmade.lens.logits import contributions
from handmade.text.sampling import sample
from handmade.web.bench import Bench
from handmade.web.explorers import lens
from handmade.web.explorers.lens import Question, answer
from handmade.web.models import Given, Models, Source
from handmade.web.observatory import Observatory
from handmade.web.questions import asked
from handmade.workshop.exercises import exercise_named
from tests.web.conftest import RUNS, number_in, state_of

GPT = "runs/gpt-1"
TEXT = "ROMEO: But s"


def ask(observatory, **fields):
    return answer(asked(Question, json.dumps({"model": GPT, "text": TEXT, **fields}).encode()), observatory)


@pytest.fixture(scope="module")
def used(folder):
    return handmade.open(folder / GPT)


def test_the_arrays_are_the_lenss(observatory, used):
    tokens, given = np.array(used.tokens(TEXT)), ask(observatory, place=4, token=9)
    guesses, stream = read_stream(used.model, tokens, 4)
    np.testing.assert_allclose(given.arrays["probabilities"], guesses.probabilities, rtol=1e-6)
    assert given.meta["guesses"] == [used.pieces(row.tolist()) for row in guesses.tokens]
    for rung, row in zip(given.meta["ladder"], np.exp(stream), strict=True):
        assert (rung["p_best"], rung["p"]) == (pytest.approx(row.max()), pytest.approx(row[9]))
        assert (rung["best"], rung["rank"]) == (used.pieces([int(row.argmax())])[0], 1 + (row > row[9]).sum())
    made = contributions(used.model, tokens, 4, np.array([9]))
    np.testing.assert_allclose(given.arrays["heads"], made.heads[:, :, 0], rtol=1e-5)
    np.testing.assert_allclose(given.arrays["mlps"], made.mlps[:, 0], rtol=1e-5)
    parts = given.meta["parts"]
    total = given.arrays["heads"].sum() + given.arrays["mlps"].sum() + sum(parts[n] for n in parts if n != "logit")
    assert parts["logit"] == pytest.approx(total, abs=1e-5)
    assert given.meta["cache"]["numbers"] == cache_cost(used.model.config, len(tokens)).numbers
    given.frame()


def test_what_is_shown_of_the_choice_is_samplings(observatory, used):
    tokens = np.array(used.tokens(TEXT))
    _, stream = read_stream(used.model, tokens)
    made = choosing(stream[-1], 0.7, 9, 0.5)
    given = ask(observatory, temperature=0.7, top_k=9, top_p=0.5, seed=4)
    order = np.argsort(-stream[-1], kind="stable")[:12]
    np.testing.assert_allclose(given.arrays["plain"], made.plain[order], rtol=1e-5)
    np.testing.assert_allclose(given.arrays["final"], made.after_top_p[order], rtol=1e-5)
    assert given.meta["cut"] == made.cut_by[order].tolist()
    assert given.meta["kept"] == (made.after_top_p > 0).sum()
    assert given.meta["mass"]["top-k"] == pytest.approx(made.mass_cut("top-k"))
    drawn = sample(made.after_top_p[None], np.random.default_rng([4, len(tokens)]))
    assert given.meta["drawn"] == used.pieces(drawn.tolist())[0]
    assert ask(observatory, temperature=0.7, top_k=9, top_p=0.5, seed=4, place=2).meta["drawn"] == given.meta["drawn"]


def test_of_a_longer_text_it_reads_the_end(observatory):
    given = ask(observatory, text="To be, or not to be").meta
    assert ("".join(given["tokens"]), given["skipped"]) == ("be, or not to be", 3)


def test_of_a_large_model_the_last_places_are_read(observatory, monkeypatch):
    monkeypatch.setattr(lens, "WORK", 0)
    given = ask(observatory)
    assert given.meta["first"] == len(TEXT) - 8
    assert given.arrays["probabilities"].shape == (3, 8)
    assert ask(observatory, place=1).meta["first"] == 1


@pytest.fixture(scope="module")
def filler(tmp_path_factory):
    """An observatory over a BERT, given as an object."""
    given = Given(Source("mine", "bert", "mine"), handmade.open(RUNS / "masked"), 0)
    return Observatory(Models(tmp_path_factory.mktemp("none"), [given]), Bench(None))


def test_a_bert_fills_in_its_first_mask(filler):
    used = handmade.open(RUNS / "masked")
    given = ask(filler, model="", text="")
    assert given.meta["tokens"][given.meta["place"]] == "[MASK]"
    tokens = np.array(used.tokenizer.around(lens.EXAMPLES[type(used.model)]))
    expected = logit_lens(used.model, tokens)
    np.testing.assert_allclose(given.arrays["probabilities"], expected.probabilities, rtol=1e-6)
    assert "heads" not in given.arrays
    assert given.meta["drawn"] is None
    given.frame()
    with pytest.raises(InputError, match="expected .* at most"):
        ask(filler, model="", text="word " * 40)


@pytest.mark.parametrize("fault", exercise_named("sampling").faults)
def test_every_mistake_has_its_picture_or_says_why_not(observatory, fault):
    given = ask(observatory, code="mistake", fault=fault, temperature=1.6, top_k=5, top_p=0.66)
    assert ("theirs" in given.arrays) != bool(given.meta["problem"])
    if fault in given.meta["visible"]:
        apart = given.meta["difference"]["probabilities"]
        assert apart == "nan" or apart > 1e-5
    given.frame()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"place": 12}, "no place 12: the text has 12 tokens"),
        ({"token": 61}, "no token 61: the vocabulary has 61"),
        ({"text": "ROMEO ☺"}, "☺"),
        ({"model": "runs/char-lstm-1"}, "no model 'runs/char-lstm-1' here that fits"),
        ({"code": "mistake", "fault": "other"}, "has no mistake"),
    ],
)
def test_what_does_not_fit_is_said(observatory, fields, said):
    with pytest.raises(InputError, match=said):
        ask(observatory, **fields)


# --- the page -------------------------------------------------------------------------------------------------------

ADDRESS = f"/lens#model={GPT}&text={TEXT}"


@pytest.mark.slow
def test_the_page_asks_first_and_then_says_what_is_so(pages, used):
    page = pages.open(ADDRESS)
    assert page.locator(".ladder, .bars.choosing, [data-id=logit]").count() == 0
    assert page.locator(".guesses span.now").all_inner_texts() == ["?"] * 3
    tokens = np.array(used.tokens(TEXT))
    _, stream = read_stream(used.model, tokens)
    best = int(stream[-1].argmax())
    page.locator(".predict").get_by_role("button", name=used.pieces([best])[0], exact=True).click()
    page.locator(".predict.right").wait_for()
    assert number_in(page.get_by_test_id("top").inner_text()) == pytest.approx(100 * np.exp(stream[-1].max()), abs=0.6)
    made, costs = contributions(used.model, tokens, 11, np.array([best])), cache_cost(used.model.config, 12)
    assert number_in(page.get_by_test_id("logit").inner_text()) == pytest.approx(made.logits[0], abs=6e-3)
    assert number_in(page.get_by_test_id("saved").inner_text()) == pytest.approx(costs.again / costs.cached, abs=0.06)
    assert page.get_by_test_id("numbers").inner_text() == f"{costs.numbers:,}"
    cache = page.locator(".formula", has=page.get_by_test_id("numbers")).locator("b").all_inner_texts()
    assert cache[1:3] == [f"{costs.numbers * 4 / 1024:,.0f} KiB", f"{costs.numbers // 12:,}"]
    assert cache[3:5] == [f"{costs.cached:,}", f"{costs.again:,}"]
    shares = page.locator(".formula", has=page.get_by_test_id("logit")).locator("b").all_inner_texts()
    parts = [made.token[0], made.position[0], made.heads.sum(), made.mlps.sum(), made.biases[0], made.logits[0]]
    assert [number_in(share) for share in shares] == pytest.approx([part for part in parts if part], abs=6e-3)
    guesses = stream.argmax(1).tolist()
    since = next(n for n in range(len(guesses)) if set(guesses[n:]) == {best})
    said = (
        f"from layer {since - 1} on; the last is layer {len(guesses) - 2}" if since else "The embeddings alone say so"
    )
    assert said in page.locator(".predict").inner_text()
    rows = page.locator(".sr table", has_text="After each layer").locator("tr").all_inner_texts()[1:]
    assert [float(row.split("\t")[2]) for row in rows] == pytest.approx(np.exp(stream.max(1)), abs=6e-4)


@pytest.mark.slow
def test_keys_look_at_others_and_write_also_with_a_mistake(pages, used):
    mistake = "code=mistake&fault=not renormalised after top-k"
    page = pages.open(f"{ADDRESS}&seen=1&top_k=2&seed=3&{mistake}", width=420)
    page.get_by_text("2 of 61 can be drawn").wait_for()
    two = np.sort(read_stream(used.model, np.array(used.tokens(TEXT)))[1][-1])[-2:]
    page.get_by_text(
        f"Top-k cuts {100 * (1 - np.exp(two).sum()):.1f} % of the probability away, top-p 0.0 %"
    ).wait_for()
    page.get_by_text("The bars are computed by the code chosen above").wait_for()
    assert page.locator(".choosing .wrong-is").count() == 2
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 420
    tokens = np.array(used.tokens(TEXT))
    _, stream = read_stream(used.model, tokens)
    page.keyboard.press("ArrowDown")
    second = int(np.argsort(-stream[-1], kind="stable")[1])
    page.wait_for_function("(n) => location.hash.includes(`token=${n}`)", arg=second)
    made = choosing(stream[-1], 1.0, 2)
    drawn = used.pieces(sample(made.after_top_p[None], np.random.default_rng([3, 12])).tolist())[0]
    page.get_by_test_id("temperature").focus()  # a slider keeps its own keys only
    page.keyboard.press("w")
    page.get_by_role("button", name=f"{drawn.replace(' ', '␣')}, place 12", exact=True).wait_for()
    page.get_by_test_id("temperature").evaluate("(slider) => slider.blur()")
    page.keyboard.press("ArrowLeft")
    page.locator(".guesses button[aria-current=true]", has_text="s").wait_for()
    assert "place=11" in state_of(page)


@pytest.mark.slow
def test_everyone_can_read_it(check_access):
    check_access(f"{ADDRESS}&seen=1&top_k=3", lambda page: page.get_by_test_id("logit").wait_for())
