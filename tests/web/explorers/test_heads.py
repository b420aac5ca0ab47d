"""The heads of a GPT: the arrays are the lens's, and the page asks first, hides, shows, cuts and compares."""

import json
import re
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest

import handmade
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.lens import attention_maps, masked_losses, translation_losses
from handmade.lens.heads import losses_without_heads, read_heads
from handmade.web.bench import Bench
from handmade.web.explorers import heads
from handmade.web.explorers.heads import Question, answer
from handmade.web.models import Models
from handmade.web.observatory import Observatory
from handmade.web.questions import asked
from handmade.workshop.exercises import exercise_named
from tests.web.conftest import RUNS, Pages, number_in, running, state_of
from tests.web.test_jobs import wait_for

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
    np.testing.assert_array_equal(given.arrays["map"], read.maps[1, 1])
    for layer in (0, 1):
        np.testing.assert_allclose(given.arrays[f"small/{layer}"], read.maps[layer], atol=1e-3)  # float16
    for name, array in (("q", read.queries), ("k", read.keys), ("v", read.values)):
        np.testing.assert_array_equal(given.arrays[name], array[1, 1])
    assert given.meta["loss"] == pytest.approx(read.losses(tokens).mean())
    assert "".join(given.meta["texts"][0]) == TEXT
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
    np.testing.assert_allclose(given.arrays["their_small"], unmasked, atol=1e-5)
    np.testing.assert_allclose(given.arrays["their_map"], unmasked[0], atol=1e-5)
    assert given.meta["loss_with"] != pytest.approx(given.meta["loss"], rel=1e-4)
    assert "no mask" in given.meta["visible"]
    assert ask(observatory, code="mistake", fault="no scale", sharpness=2).meta.get("loss_with") is None


def test_of_a_longer_text_it_reads_as_much_as_the_model_sees(observatory):
    assert ask(observatory, text="To be, or not to be").meta["texts"] == [list("To be, or not to")]


@pytest.mark.parametrize("fault", exercise_named("causal_mask").faults)
def test_every_mistake_has_its_picture_or_says_why_not(observatory, fault):
    given = ask(observatory, code="mistake", fault=fault)
    assert ("their_map" in given.arrays) != bool(given.meta["problem"])
    if fault in given.meta["visible"]:
        assert not np.allclose(given.arrays["their_map"], given.arrays["map"], atol=1e-5)
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


def pieces(observatory, **fields):
    return list(heads.pieces(asked(Question, json.dumps(fields).encode()), observatory))


def test_of_a_large_model_the_loss_without_each_head_comes_piece_by_piece(observatory, used, monkeypatch):
    monkeypatch.setattr(heads, "ABLATED", 10)
    monkeypatch.setattr(heads, "AT_ONCE", len(TEXT))
    given = ask(observatory)
    assert (given.meta["ablated"], given.meta["measurable"]) == (False, True)
    with pytest.raises(InputError, match="it is measured as a job"):
        ask(observatory, ablate=True)
    tokens = np.array(used.tokens(TEXT))
    first, *rest = pieces(observatory, text=TEXT, sharpness=2, off=[[0, 1]])
    whole = read_heads(used.model, tokens, 2.0, [(0, 1)]).losses(tokens).mean()
    assert first == {"loss": pytest.approx(whole), "parts": 2, "heads": 2, "total": 4}
    assert [(piece["part"], piece["first"]) for piece in rest] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    expected = losses_without_heads(used.model, tokens, 2.0, [(0, 1)])
    np.testing.assert_allclose([loss for piece in rest for loss in piece["losses"]], expected.ravel(), rtol=1e-6)
    for wrong, said in (({"off": [[9, 0]]}, "no head 0 in layer 9"), ({"text": "O"}, "expected two at least")):
        with pytest.raises(InputError, match=said):
            pieces(observatory, **wrong)


def test_of_a_long_text_all_heads_are_seen_from_afar_and_one_whole(observatory, used, monkeypatch):
    monkeypatch.setattr(heads, "SMALL", 6)
    given = ask(observatory, layer=1)
    maps = read_heads(used.model, np.array(used.tokens(TEXT))).maps[1]
    assert given.arrays["map"].shape == (15, 15)
    assert given.arrays["small/1"].shape == (2, 5, 5)
    np.testing.assert_allclose(given.arrays["small/1"][:, 1, 0], maps[:, 3:6, :3].mean((1, 2)), atol=1e-3)


# --- other models -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """An observatory over a BERT and a Transformer."""
    folder = tmp_path_factory.mktemp("others")
    for name in ("masked", "transformer"):
        shutil.copytree(RUNS / name, folder / "runs" / name)
    return Observatory(Models(folder), Bench(None))


def test_a_bert_sees_all_tokens_and_hides_each_in_turn_for_its_loss(others):
    given = ask(others, model="runs/masked", text="To be, or n[MASK]t", layer=1, code="mistake", fault="no scale")
    with others.models.opened("runs/masked") as bert:
        tokens = np.array(bert.tokenizer.around("To be, or n[MASK]t"))
        maps = attention_maps(bert.model, Tensor(tokens[None]))
        losses = masked_losses(bert.model, tokens, bert.tokenizer.mask)
        logits = bert.model.eval()(Tensor(tokens[None])).array[0]
    np.testing.assert_allclose(given.arrays["map"], maps[1][0], rtol=1e-5)
    assert given.meta["loss"] == pytest.approx(np.nanmean(losses), rel=1e-5)
    mask = given.meta["texts"][0].index("[MASK]")
    assert given.meta["right"][mask] == ""
    likeliest = 1 / np.exp(logits[mask] - logits[mask].max()).sum()
    assert given.meta["next"][mask][0][1] == pytest.approx(likeliest, rel=1e-5)
    assert not any(part["causal"] for part in given.meta["parts"])
    assert given.meta["difference"]["attention_weights"] > 1e-4
    without = ask(others, model="runs/masked", text="To be, or n[MASK]t", ablate=True).arrays["without"]
    off = ask(others, model="runs/masked", text="To be, or n[MASK]t", off=[[1, 0]])
    assert without[1, 0] == pytest.approx(off.meta["loss"], rel=1e-5)
    given.frame()


@pytest.mark.slow
def test_a_transformer_looks_at_its_source_at_its_translation_and_from_one_to_the_other(others):
    given = ask(others, model="runs/transformer", text="3 May", layer=2, head=1)
    names, sides = zip(*((part["name"], (part["looks"], part["at"])) for part in given.meta["parts"]), strict=True)
    with others.models.opened("runs/transformer") as translator:
        tokenizer, made = translator.tokenizer, translator.translate("3 May")
        source, target = np.array(tokenizer.source("3 May")), np.array(tokenizer.target(made))
        maps = attention_maps(translator.model, Tensor(source[None]), Tensor(target[None, :-1]))
        losses = translation_losses(translator.model, source, target)
    assert [len(text) for text in given.meta["texts"]] == [len(source), len(target) - 1]
    assert len(names) == len(maps)
    for n, (name, (looks, at)) in enumerate(zip(names, sides, strict=True)):
        kind = name.split()[0]
        assert (looks, at) == {"encoder": (0, 0), "decoder": (1, 1), "cross": (1, 0)}[kind]
        assert given.arrays[f"small/{n}"].shape == maps[n].shape
    np.testing.assert_allclose(given.arrays["map"], maps[2][1], rtol=1e-5)
    assert given.meta["loss"] == pytest.approx(losses.mean(), rel=1e-5)
    without = ask(others, model="runs/transformer", text="3 May", ablate=True).arrays["without"]
    off = ask(others, model="runs/transformer", text="3 May", off=[[2, 1]])
    assert without[2, 1] == pytest.approx(off.meta["loss"], rel=1e-5)
    for layer in range(len(names)):
        ask(others, model="runs/transformer", text="3 May", layer=layer, code="mistake", fault="no scale").frame()


@pytest.mark.slow
def test_the_page_asks_where_the_translation_looks_in_the_source(browser, others):
    with running(others) as server:
        pages = Pages(browser, server)
        page = pages.open("/heads#model=runs/transformer&text=3 May&i=1", width=420)
        cross = page.get_by_role("button", name="cross 0, head 0")
        cross.click()
        page.get_by_text("of the translation, which token of the source").wait_for()
        source = page.get_by_role("group", name="The source").get_by_role("button")
        source.nth(2).click()
        page.get_by_test_id("weight").wait_for()
        assert page.locator(".sr table tr").count() == 1 + source.count()
        assert cross.locator("canvas").count() == 1
        page.keyboard.press("ArrowUp")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 420
        for context in pages.contexts:
            context.close()
        assert not pages.problems


# --- the page -------------------------------------------------------------------------------------------------------

ADDRESS = f"/heads#text={TEXT}&i=9"


@pytest.mark.slow
def test_the_page_hides_a_heads_pattern_until_it_is_predicted(pages):
    page = pages.open(ADDRESS)
    assert page.locator("canvas").count() == 0  # no map, small or large
    assert page.get_by_role("table").count() == 0
    page.get_by_role("button", name="u, place 8").click()
    page.get_by_test_id("weight").wait_for()
    assert page.get_by_role("button", name=re.compile("layer 0, head 0")).locator("canvas").count() == 1
    assert page.get_by_role("button", name=re.compile("layer 0, head 1")).locator("canvas").count() == 0
    assert "seen=" in state_of(page)
    rows = page.locator(".sr table tr").all_inner_texts()[1:]
    weights = [float(row.split("\t")[2]) for row in rows]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) == pytest.approx(1, abs=0.01)
    assert number_in(page.get_by_test_id("weight").inner_text()) == pytest.approx(weights[0], abs=1e-3)
    assert number_in(page.locator(".predict .num").first.inner_text()) == pytest.approx(100 * weights[0], abs=0.6)


@pytest.mark.slow
def test_keys_move_cut_and_compare(pages, used):
    page = pages.open(f"{ADDRESS}&seen=[[0,0],[0,1],[1,0],[1,1]]")
    before = number_in(page.get_by_test_id("loss").inner_text())
    page.get_by_text(re.compile(r"^[+\u2212]?\d\.\d\d$")).nth(3).wait_for()  # the losses without each head
    rises = losses_without_heads(used.model, np.array(used.tokens(TEXT))).ravel() - before
    told = page.locator(".heads small").all_inner_texts()
    assert [number_in(text) for text in told] == pytest.approx(rises, abs=6e-3)
    for key in ("l", "h", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    page.get_by_role("heading", name="Layer 1, head 1").wait_for()
    assert "i=8" in state_of(page)
    page.keyboard.press("x")
    page.wait_for_function("(b) => Number(document.querySelector('[data-id=loss]').innerText) !== b", arg=before)
    assert "off=" in state_of(page)
    expected = read_heads(used.model, np.array(used.tokens(TEXT)), off=[(1, 1)]).losses(np.array(used.tokens(TEXT)))
    assert number_in(page.get_by_test_id("loss").inner_text()) == pytest.approx(expected.mean(), abs=6e-4)
    page.get_by_test_id("sharp").fill("0")
    page.locator(".heads small", has_text="…").first.wait_for()  # the others are of another sharpness
    page.wait_for_function("() => document.querySelector('[data-id=weight]').innerText === (1 / 9).toFixed(4)")
    assert "sharpness=0" in state_of(page)


@pytest.mark.slow
def test_of_a_large_model_the_page_measures_when_it_is_asked_and_stops_when_the_question_changes(
    browser, observatory, monkeypatch
):
    monkeypatch.setattr(heads, "ABLATED", 10)
    let, slow = threading.Semaphore(0), heads.EXPLORER.pieces

    def stepwise(question, observatory):
        for piece in slow(question, observatory):
            assert let.acquire(timeout=60)
            yield piece

    monkeypatch.setattr(heads, "EXPLORER", replace(heads.EXPLORER, pieces=stepwise))
    with running(observatory) as server:
        pages = Pages(browser, server)
        page = pages.open(f"{ADDRESS}&seen=[[0,0]]")
        page.get_by_role("button", name="measure the loss").click()
        let.release(2)
        page.get_by_text("2 of 4 heads").wait_for()
        page.locator(".heads small", has_text=re.compile(r"\d")).nth(1).wait_for()
        assert page.locator(".heads small", has_text="…").count() == 2
        job = max(observatory.jobs._jobs)
        page.get_by_test_id("sharp").fill("2")  # another question
        page.get_by_role("button", name="measure the loss").wait_for()
        let.release()
        wait_for(lambda: not observatory.jobs.job(job).live)
        assert observatory.jobs.job(job).events[-1].kind == "cancelled"
        let.release(9)
        page.get_by_role("button", name="measure the loss").click()
        page.locator(".heads small", has_text=re.compile(r"\d")).nth(3).wait_for()
        assert page.get_by_role("button", name="measure the loss").count() == 0  # all is known
        for context in pages.contexts:
            context.close()
        assert not pages.problems


@pytest.mark.slow
def test_a_mistake_is_seen_in_the_map_and_in_the_loss(pages):
    page = pages.open(f"{ADDRESS}&seen=[[0,0]]&code=mistake&fault=no mask", width=420)
    page.get_by_test_id("loss-with").wait_for()
    page.get_by_text("Farthest from the reference").wait_for()
    assert number_in(page.get_by_test_id("loss-with").inner_text()) != number_in(
        page.get_by_test_id("loss").inner_text()
    )
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 420


@pytest.mark.slow
def test_everyone_can_read_it(check_access):
    ready = lambda page: page.get_by_test_id("weight").wait_for()
    check_access(f"{ADDRESS}&seen=[[0,0]]", ready)
