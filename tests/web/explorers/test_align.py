"""The attention of a translator: the arrays are the lens's, and the page asks first, steps, searches and compares."""

import json

import numpy as np
import pytest

import handmade
from handmade.engine import no_grad
from handmade.errors import InputError
from handmade.lens.beams import beam_tree
from handmade.lens.ngrams import marked_ngrams
from handmade.lens.translating import translate
from handmade.models.seq2seq import seq2seq_attention
from handmade.models.sequence_to_sequence import EOS
from handmade.tasks import Translator
from handmade.tasks.translation.pairs import PairTokenizer
from handmade.web.bench import Bench
from handmade.web.explorers.align import Question, answer
from handmade.web.models import Given, Models, Source
from handmade.web.observatory import Observatory
from handmade.web.questions import asked
from handmade.workshop.exercises import exercise_named
from tests.web.conftest import Pages, number_in, running, state_of

SOURCE, TARGET = "3/4/56", "1425-36"  # near what the untrained network happens to write, 1425365


@pytest.fixture(scope="module")
def used():
    """Bahdanau's network, small and untrained, which by its seed writes seven letters, and looks here and there."""
    handmade.manual_seed(83)
    tokenizer = PairTokenizer.of_characters(["0123456789/-"])
    model = seq2seq_attention(len(tokenizer), 4, 6, attention="additive")
    with no_grad():
        for parameter in model.parameters():
            parameter.array *= 6
        model.out.bias.array[EOS] = 1
    return Translator("seq2seq-attention", model, tokenizer)


@pytest.fixture(scope="module")
def translator(used, tmp_path_factory):
    """An observatory over that object, as notebooks give one."""
    given = Given(Source("mine", "seq2seq-attention", "mine"), used, 0)
    return Observatory(Models(tmp_path_factory.mktemp("none"), [given]), Bench(None))


def ask(observatory, **fields):
    return answer(asked(Question, json.dumps({"source": SOURCE, **fields}).encode()), observatory)


@pytest.mark.parametrize("forced", [0, 1])
def test_the_arrays_are_the_lenss(translator, used, forced):
    given = ask(translator, target=TARGET, forced=forced)
    source, target = used.tokenizer.source(SOURCE), used.tokenizer.target(TARGET)
    made = translate(used.model, source, target if forced else None, 2 * len(source) + 10)
    for name in ("weights", "scores", "asked", "keys", "v"):
        np.testing.assert_array_equal(given.arrays[name], getattr(made, name))
    assert given.meta["text"] == used.tokenizer.text(made.said)
    assert given.meta["tokens"] == [*SOURCE, "■"]
    assert given.meta["next"][2][0][1] == pytest.approx(np.exp(made.log_probabilities[2].max()))
    assert given.meta["loss"] == (pytest.approx(made.losses(target).mean()) if forced else None)
    given.frame()


def test_the_tree_and_the_ngrams_are_the_lenss(translator, used):
    source = used.tokenizer.source(SOURCE)
    tree = beam_tree(used.model, source, 2, 1.0, 2 * len(source) + 10)
    told = ask(translator, part="beam", beam=2, alpha=1)
    assert [(node["parent"], node["log_p"]) for node in told.meta["tree"]["nodes"]] == [
        (node.parent, node.log_p) for node in tree.nodes
    ]
    assert told.meta["tree"]["ended"][0]["text"] == used.tokenizer.text(tree.tokens(tree.ended[0]))
    told.frame()
    given = ask(translator, part="bleu", target=TARGET).meta
    marked = marked_ngrams(list(given["text"]), list(TARGET))
    assert given["bleu"]["score"] == marked.score
    assert [order["matched"] for order in given["bleu"]["orders"]] == [order.matched for order in marked.orders]


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        (part, fault)
        for part, name in (("align", "bahdanau"), ("bleu", "bleu"))
        for fault in exercise_named(name).faults
    ],
)
def test_every_mistake_has_its_picture_or_says_why_not(translator, part, fault):
    given = ask(translator, part=part, target=TARGET, code="mistake", fault=fault)
    shown = "their_weights" in given.arrays if part == "align" else "their_score" in given.meta
    assert shown != bool(given.meta["problem"])
    if fault in given.meta["visible"]:
        assert max(np.inf if apart == "nan" else apart for apart in given.meta["difference"].values()) > 1e-5
    given.frame()


@pytest.mark.parametrize("fault", ["greedy", "step does not see bos"])
def test_a_search_with_a_mistake_is_shown(translator, fault):
    given = ask(translator, part="beam", beam=2, code="mistake", fault=fault)
    assert given.meta["problem"].startswith("It raises ValueError" if fault.startswith("step") else "It gives other")
    if fault == "greedy":
        assert [one["text"] for one in given.meta["found"]] == [given.meta["text"]]
    given.frame()


def test_a_mistake_in_every_step_changes_what_it_writes(translator, used):
    given = ask(translator, code="mistake", fault="no tanh")
    assert given.meta["writes"] not in (None, given.meta["text"])
    source = used.tokenizer.source(SOURCE)
    assert ask(translator).meta["text"] == used.tokenizer.text(translate(used.model, source, longest=24).said)


def test_products_are_self_attentions(observatory):
    """A run of the default attends by Luong's "general" score."""
    given = ask(observatory, code="mistake", fault="no scale")
    scores = given.arrays["scores"] * np.sqrt(given.arrays["keys"].shape[1])
    exponentials = np.exp(scores - scores.max(1, keepdims=True))
    expected = exponentials / exponentials.sum(1, keepdims=True)
    np.testing.assert_allclose(given.arrays["their_weights"], expected, atol=1e-4)
    assert "v" not in given.arrays
    assert isinstance(given.meta["writes"], str)


def test_where_no_other_code_computes_it_is_said(translator):
    assert "apart from the model" in ask(translator, part="beam", code="mine").meta["problem"]
    assert "give one" in ask(translator, part="bleu", target="", code="mistake", fault="smoothed").meta["problem"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"source": "  "}, "the source is empty"),
        ({"forced": 1, "target": ""}, "teacher forcing reads the right translation"),
        ({"source": "1" * 100}, "the source has 101 tokens, expected 100 at most"),
        ({"target": "1" * 64}, "the target has 66 tokens"),
        ({"model": "other"}, "no model 'other'"),
        ({"code": "mistake", "fault": "other"}, "has no mistake"),
    ],
)
def test_what_does_not_fit_is_said(translator, fields, said):
    with pytest.raises(InputError, match=said):
        ask(translator, **fields)


# --- the page -------------------------------------------------------------------------------------------------------

ADDRESS = f"/align#source={SOURCE}&target={TARGET}"


@pytest.fixture(scope="module")
def serving(translator):
    with running(translator) as server:
        yield server


@pytest.fixture
def pages(browser, serving):
    """Pages of a server over the translator."""
    pages = Pages(browser, serving)
    yield pages
    for context in pages.contexts:
        context.close()
    assert not pages.problems, pages.problems


@pytest.mark.slow
def test_each_step_is_predicted_and_then_shown(pages, used):
    made = translate(used.model, used.tokenizer.source(SOURCE), longest=24)
    page = pages.open(ADDRESS)
    assert page.get_by_test_id("weight").count() == 0
    best = int(made.weights[0].argmax())
    page.get_by_role("button", name=f"{[*SOURCE, '■'][best]}, source place {best}").click()
    page.locator(".predict.right").wait_for()
    assert number_in(page.get_by_test_id("most").inner_text()) == pytest.approx(100 * made.weights[0].max(), abs=0.6)
    assert number_in(page.get_by_test_id("score").inner_text()) == pytest.approx(made.scores[0].max(), abs=1e-3)
    assert number_in(page.get_by_test_id("weight").inner_text()) == pytest.approx(made.weights[0].max(), abs=1e-4)
    page.keyboard.press("ArrowRight")
    page.get_by_text("Predict first").wait_for()
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="Where step 1 looks").wait_for()
    rows = page.locator(".sr table tr").all_inner_texts()[1:]
    assert sum(float(row.split("\t")[2]) for row in rows) == pytest.approx(1, abs=0.01)
    assert "seen=2" in state_of(page)
    page.keyboard.press("s")
    page.wait_for_function(
        "(text) => document.querySelector('[data-id=text]').innerText === text", arg=used.tokenizer.text(made.said)
    )
    page.reload()
    page.get_by_test_id("weight").wait_for()


@pytest.mark.slow
def test_keys_lead_to_the_beam_and_to_bleu(pages, used):
    page = pages.open(f"{ADDRESS}&seen=99", width=420)
    page.keyboard.press("b")
    source = used.tokenizer.source(SOURCE)
    tree = beam_tree(used.model, source, 3, 0.6, 2 * len(source) + 10)
    row = page.locator(".hypotheses tr").nth(1)
    row.wait_for()
    best = tree.nodes[tree.ended[0]]
    assert [number_in(cell) for cell in row.locator("td").all_inner_texts()] == pytest.approx(
        [best.log_p, best.log_p / best.score, best.score], abs=6e-4
    )
    page.keyboard.press("u")
    page.get_by_test_id("bleu").wait_for()
    page.get_by_label("the right translation").fill(used.tokenizer.text(translate(used.model, source, longest=24).said))
    page.get_by_label("the right translation").press("Tab")
    page.wait_for_function("() => document.querySelector('[data-id=bleu]').innerText === '1.0000'")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 420


@pytest.mark.slow
def test_everyone_can_read_it(check_access):
    check_access(f"{ADDRESS}&seen=99&part=beam", lambda page: page.get_by_test_id("weight").wait_for())
