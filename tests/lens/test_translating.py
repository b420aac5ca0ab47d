"""A sequence-to-sequence model while it translates, its beam and its n-grams, against the model, search and BLEU."""

import math

import numpy as np
import pytest

import handmade
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.beams import beam_tree, searched_by
from handmade.lens.ngrams import marked_ngrams
from handmade.lens.translating import additive_part, attending_with, attention_arguments, attention_of, translate
from handmade.models.seq2seq import seq2seq, seq2seq_attention
from handmade.models.sequence_to_sequence import BOS, EOS
from handmade.text import beam_search
from handmade.workshop.exercises import exercise_named

SOURCE, TARGET = [5, 9, 4, 7, 7, EOS], [BOS, 6, 4, 8, EOS]


@pytest.fixture(scope="module", params=["additive", "concat", "dot", "general"])
def model(request):
    handmade.manual_seed(1)
    model = seq2seq_attention(11, 4, 6, attention=request.param)
    with no_grad():
        for parameter in model.parameters():
            parameter.array *= 3  # attention that is not flat
    return model.eval()


def test_forced_it_computes_what_the_model_computes(model):
    made = translate(model, SOURCE, TARGET)
    assert made.read == TARGET[:-1]
    source, target = Tensor(np.array([SOURCE])), Tensor(np.array([TARGET[:-1]]))
    np.testing.assert_allclose(made.weights, model.alignment(source, target)[0], atol=1e-6)
    expected = model(source, target)[0].log_softmax(-1).array
    np.testing.assert_allclose(made.log_probabilities, expected, atol=1e-5)
    np.testing.assert_allclose(made.losses(TARGET), -expected[range(4), TARGET[1:]], atol=1e-5)
    assert made.said == expected.argmax(-1).tolist()


def test_the_scores_are_of_what_is_compared(model):
    made = translate(model, SOURCE, TARGET)
    if made.v is None:
        scores = made.asked @ made.keys.T
    else:
        scores = np.tanh(made.asked[:, None] + made.keys) @ made.v
    np.testing.assert_allclose(made.scores, scores, rtol=1e-4, atol=1e-5)
    exponentials = np.exp(made.scores - made.scores.max(1, keepdims=True))
    np.testing.assert_allclose(made.weights, exponentials / exponentials.sum(1, keepdims=True), atol=1e-5)


def test_free_it_reads_what_it_says(model):
    made = translate(model, SOURCE, longest=7)
    assert made.read == [BOS, *made.said[:-1]]
    assert (made.said[-1] == EOS) != (len(made.said) == 7 and EOS not in made.said)
    best = beam_search(
        model.step, model.encode(Tensor(np.array([SOURCE]))), np.array([[BOS]]), eos=EOS, beam=1, max_len=7
    )
    assert made.said == best[0][0].tokens


def test_attention_is_the_exercises(model):
    made, attention = translate(model, SOURCE, TARGET), attention_of(model)
    name = "self_attention" if additive_part(attention) is None else "bahdanau"
    (attend,) = exercise_named(name).functions
    _, weights = attend(*attention_arguments(attention, made.queries, made.memory, made.keys))
    np.testing.assert_allclose(made.weights, weights, atol=1e-5)
    with attending_with(model, attend):
        same = translate(model, SOURCE, TARGET)
    np.testing.assert_allclose(same.log_probabilities, made.log_probabilities, atol=1e-4)
    with attending_with(model, lambda *given: tuple(2 * part for part in attend(*given))):
        other = translate(model, SOURCE, TARGET)
    assert not np.allclose(other.log_probabilities, made.log_probabilities, atol=1e-3)
    np.testing.assert_array_equal(translate(model, SOURCE, TARGET).weights, made.weights)  # all as before


@pytest.mark.parametrize("model", ["general"], indirect=True)
@pytest.mark.parametrize(("beam", "alpha"), [(1, 0.0), (3, 0.0), (3, 1.5)])
def test_the_tree_is_that_of_the_search(model, beam, alpha):
    tree = beam_tree(model, SOURCE, beam, alpha, longest=6)
    state, options = model.encode(Tensor(np.array([SOURCE]))), {"eos": EOS, "beam": beam, "max_len": 6, "alpha": alpha}
    (found,) = beam_search(model.step, state, np.array([[BOS]]), **options)
    assert [tree.tokens(number) for number in tree.ended[:beam]] == [one.tokens for one in found]
    np.testing.assert_allclose([tree.nodes[n].score for n in tree.ended[:beam]], [one.score for one in found])
    (search,) = exercise_named("beam_search").functions
    others = searched_by(search, model, SOURCE, beam, alpha, 6)
    assert others[0].tokens == found[0].tokens
    assert others[0].score == pytest.approx(found[0].score, rel=1e-5)
    for place in range(tree.nodes[-1].step + 1):
        here = [node for node in tree.nodes if node.step == place]
        assert sum(node.state != "dropped" for node in here) <= beam
        assert [node.log_p for node in here] == sorted((node.log_p for node in here), reverse=True)
        assert all(tree.nodes[node.parent].state == "open" for node in here if node.parent >= 0)
    number = len(tree.nodes) - 1
    forced = translate(model, SOURCE, [BOS, *tree.tokens(number)])
    assert tree.nodes[number].log_p == pytest.approx(-forced.losses([BOS, *tree.tokens(number)]).sum(), rel=1e-4)


def test_ngrams_are_matched_as_often_as_the_reference_has_them():
    marked = marked_ngrams(["the", "the", "cat", "the"], ["the", "cat", "is", "the", "one"])
    assert marked.orders[0].matched == [True, True, True, False]
    assert marked.orders[1].matched == [False, True, False]
    assert [order.precision for order in marked.orders] == pytest.approx([3 / 4, 1 / 3, 0, 0])
    assert (marked.score, marked.brevity_penalty) == (0, pytest.approx(math.exp(1 - 5 / 4)))


def test_bleu_is_the_exercises(rng):
    (bleu,) = exercise_named("bleu").functions
    for _ in range(20):
        hypothesis, reference = (["ab"[k] for k in rng.integers(0, 2, rng.integers(1, 9))] for _ in range(2))
        marked = marked_ngrams(hypothesis, reference)
        assert marked.score == pytest.approx(bleu(hypothesis, [reference]), abs=1e-9)
        for order in marked.orders:
            assert order.precision == pytest.approx(sum(order.matched) / max(len(order.matched), 1))


def test_what_cannot_be_shown_is_said(model):
    with pytest.raises(InputError, match="no attention"):
        translate(seq2seq(11, 4, 6), SOURCE)
    with pytest.raises(InputError, match="no tokens"):
        translate(model, [])
    with pytest.raises(InputError, match="empty"):
        marked_ngrams([], ["a"])
    with pytest.raises(InputError, match="blank"):
        marked_ngrams(["a b"], ["a"])
