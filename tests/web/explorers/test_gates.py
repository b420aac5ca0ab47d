"""The gates: the arrays are the lens's, and the page asks first, hides, shows, holds, writes and compares."""

import functools
import json
import re

import numpy as np
import pytest

import handmade
from handmade.errors import InputError
from handmade.lens.gates import Held, following, patterns, read_gates, write_on
from handmade.web.explorers.gates import EXAMPLES, Question, answer
from handmade.web.questions import asked
from handmade.workshop.exercises import exercise_named
from tests.web.conftest import number_in, state_of

LSTM, GRU = "runs/char-lstm-1", "runs/names-gru-1"
TEXT = "O Romeo.\nHe"


def ask(observatory, **fields):
    return answer(asked(Question, json.dumps({"model": LSTM, "text": TEXT, **fields}).encode()), observatory)


@pytest.fixture(scope="module")
def used(folder):
    return handmade.open(folder / LSTM)


def test_the_arrays_are_the_lenss(observatory, used):
    tokens = np.array(used.tokens(TEXT))
    read = read_gates(used.model, tokens, 0, [Held(0, "i", 2, 0.5), Held(0, "o", None, 1.0)])
    given = ask(observatory, signal="c", unit=2, sort="capitals", hold={"0.i.2": 0.5, "0.o.*": 1})
    np.testing.assert_allclose(given.arrays["shown"], read.signals["c"], atol=1e-3)  # float16
    for k, name in enumerate(given.meta["signals"]):
        np.testing.assert_array_equal(given.arrays["unit"][k], read.signals[name][:, 2])
        np.testing.assert_allclose(given.arrays["means"][k], read.signals[name].mean(1), rtol=1e-6)
        assert given.arrays["usual"][k] == pytest.approx(read.signals[name].mean(), rel=1e-4, abs=1e-6)
    follows = following(read.signals["c"], patterns(list(TEXT))["capitals"])
    np.testing.assert_allclose(given.arrays["follows"], follows, atol=1e-6)
    assert np.abs(follows)[given.arrays["order"]].tolist() == sorted(np.abs(follows), reverse=True)
    sums = given.arrays["from_x"] + given.arrays["from_h"]
    np.testing.assert_allclose(np.tanh(sums[:, 2]), read.signals["g"][:, 2], atol=1e-6)
    assert given.meta["loss"] == pytest.approx(read.losses(tokens).mean())
    assert given.meta["loss_free"] == pytest.approx(read_gates(used.model, tokens).losses(tokens).mean())
    assert given.meta["next"][4][0][1] == pytest.approx(np.exp(read.log_probabilities[4].max()), rel=1e-6)
    given.frame()


def test_without_a_text_an_example_is_read_that_the_model_knows(observatory, used):
    assert "".join(ask(observatory, text="").meta["tokens"]) == EXAMPLES[0]
    names = ask(observatory, model=GRU, text="")
    assert "".join(names.meta["tokens"]) == f"\n{EXAMPLES[1]}"  # a name begins after a line end
    assert (names.meta["kind"], names.meta["signal"], names.meta["gates"]) == ("gru", "z", ["r", "z"])
    assert names.meta["unit"] == names.arrays["order"][0]


def test_it_writes_free_and_held(observatory, used):
    given = ask(observatory, hold={"0.h.*": 0}, write=12, seed=3).meta
    tokens = np.array(used.tokens(TEXT))
    for name, held in (("written", []), ("with", [Held(0, "h", None, 0.0)])):
        rows = write_on(used.model, tokens, 12, np.random.default_rng(3), held, 0.7)
        assert given[name] == "".join(used.pieces(rows))


@pytest.fixture(scope="module")
def right(observatory):
    """What the reference gives for the states of a text, asked once."""
    return functools.cache(lambda model, text: ask(observatory, model=model, text=text, signal="h"))


@pytest.mark.parametrize(
    ("model", "exercise", "text", "fault"),
    [
        (model, name, text, fault)
        for model, name, text in ((LSTM, "lstm_step", TEXT), (GRU, "gru_step", "anna"))
        for fault in exercise_named(name).faults
    ],
)
def test_every_mistake_has_its_picture(observatory, right, model, exercise, text, fault):
    right = right(model, text)
    given = ask(observatory, model=model, text=text, signal="h", code="mistake", fault=fault)
    assert not given.meta["problem"]
    apart = max(given.meta["difference"].values())
    if fault in given.meta["visible"]:
        assert apart > 1e-5
        assert given.meta["loss_with"] != pytest.approx(given.meta["loss"], rel=1e-7)
    np.testing.assert_allclose(
        np.abs(given.arrays["their_h"] - right.arrays["shown"]).max(), given.meta["difference"]["h"], atol=2e-3
    )
    given.frame()


def test_no_other_code_computes_where_it_cannot(observatory):
    told = ask(observatory, code="mistake", fault="no bias", hold={"0.f.0": 1}).meta
    assert "holds no gate" in told["problem"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"layer": 1}, "no layer 1: there are 1"),
        ({"signal": "z"}, "no signal 'z' in this network: there are i, f, g, o, c, h"),
        ({"unit": 16}, "no unit 16 in layer 0: there are 16"),
        ({"text": "O"}, "1 tokens, expected two at least"),
        ({"hold": {"0.f": 1}}, "'0.f' holds nothing"),
        ({"hold": {"0.f.1.2": 1}}, "holds nothing"),
        ({"hold": {"0.f.99": 1}}, "no unit 99"),
        ({"hold": {"0.q.1": 1}}, "no signal 'q'"),
        ({"model": "runs/gpt-1"}, "no model 'runs/gpt-1' here that fits"),
        ({"code": "mistake", "fault": "other"}, "has no mistake"),
    ],
)
def test_what_does_not_fit_is_said(observatory, fields, said):
    with pytest.raises(InputError, match=said):
        ask(observatory, **fields)


# --- the page -------------------------------------------------------------------------------------------------------

ADDRESS = f"/gates#model={LSTM}&text={TEXT.replace(chr(10), '%0A')}"


@pytest.mark.slow
def test_the_page_asks_first_and_then_says_what_is_so(pages, used, observatory):
    page = pages.open(ADDRESS)
    assert page.locator("main .stack canvas, main .bars").count() == 0
    tokens = np.array(used.tokens(TEXT))
    signals = read_gates(used.model, tokens).signals
    falls = {gate: signals[gate][7].mean() - signals[gate].mean() for gate in "ifo"}
    best = min(falls, key=falls.__getitem__)
    said = {"i": "input gate", "f": "forget gate", "o": "output gate"}
    page.get_by_role("button", name=re.compile(f"^{said[best]}")).first.click()
    page.locator(".predict.right").wait_for()
    assert number_in(page.get_by_test_id("there").inner_text()) == pytest.approx(signals[best][7].mean(), abs=6e-4)
    for row in page.locator(".signals button").all():
        there, usual = (number_in(text) for text in row.locator(".num").inner_text().split("\n"))
        values = signals[row.locator("kbd").inner_text()]
        assert (there, usual) == (pytest.approx(values[7].mean(), abs=6e-3), pytest.approx(values.mean(), abs=6e-3))
    follows = ask(observatory, signal=best).arrays["follows"]
    for text in page.locator(".units button").all_inner_texts():
        unit, correlation = text.split("\n")
        assert number_in(correlation) == pytest.approx(follows[int(unit)], abs=6e-3)
    page.get_by_role("button", name="another place").click()
    assert page.locator("main .stack canvas").count() == 0
    assert "at=8" in state_of(page)  # the line end


@pytest.mark.slow
def test_keys_move_hold_and_write(pages, used):
    page = pages.open(f"{ADDRESS}&seen=1&i=3&unit=2&sort=number&length=9")
    for key in ("ArrowRight", "ArrowDown", "c"):
        page.keyboard.press(key)
    page.get_by_role("heading", name=re.compile("The cell c")).wait_for()
    page.get_by_role("heading", name="Unit 3, one step by hand").wait_for()
    tokens = np.array(used.tokens(TEXT))
    cell = read_gates(used.model, tokens).signals["c"][4, 3]
    shown = f"{cell:.3f}".replace("-", "\u2212")
    page.wait_for_function("(v) => document.querySelector('[data-id=cell]').innerText === v", arg=shown)
    page.keyboard.press("x")
    page.get_by_test_id("free").wait_for()
    expected = read_gates(used.model, tokens, 0, [Held(0, "c", 3, 0.0)]).losses(tokens).mean()
    assert number_in(page.get_by_test_id("loss").inner_text()) == pytest.approx(expected, abs=6e-4)
    page.keyboard.press("w")
    page.get_by_test_id("with").wait_for()
    rows = write_on(used.model, tokens, 9, np.random.default_rng(1), [Held(0, "c", 3, 0.0)], 0.7)
    assert page.get_by_test_id("with").text_content() == "".join(used.pieces(rows))
    table = page.locator(".sr table", has_text="Unit 3 of layer 0").locator("tr").nth(5).inner_text()
    assert table.split("\t")[6] == "0.000"  # the cell, held
    page.reload()
    page.get_by_test_id("with").wait_for()
    # a riddle that cannot be asked while a cell is held gives nothing away
    page.goto(f"{page.url}&code=mistake&riddle=0")
    page.get_by_text("The exercise's step holds no gate: let all go.").wait_for()
    assert page.locator(".said button").count() == 0
    page.get_by_role("button", name="let go").click()
    page.locator(".said .choice button").nth(3).wait_for()


@pytest.mark.slow
def test_a_mistake_is_seen_in_the_state_and_in_the_loss(pages):
    page = pages.open(f"{ADDRESS}&seen=1&signal=h&code=mistake&fault=no forget gate", width=420)
    page.get_by_text("Computed by the code chosen above").wait_for()
    assert number_in(page.get_by_test_id("loss-with").inner_text()) != number_in(
        page.get_by_test_id("loss").inner_text()
    )
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 420


@pytest.mark.slow
def test_everyone_can_read_it(check_access):
    check_access(f"{ADDRESS}&seen=1", lambda page: page.get_by_test_id("cell").wait_for())
