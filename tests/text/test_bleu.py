"""The reference is sacrebleu."""

import random

import numpy as np
import pytest
import sacrebleu
from hypothesis import example, given
from hypothesis import strategies as st

from handmade.errors import InputError
from handmade.text import corpus_bleu, sentence_bleu
from handmade.text.bleu import tokenize_13a

WORDS = [
    *["The", "the", "cat", "sat", "on", "a", "mat", ",", ".", "3.14", "1,000", "end."],
    *["don't", "(so)", "well-known", "1990-95", "&quot;x&quot;", "A&amp;B", "½", "Füße", "%"],
]


def sentences(rng: random.Random, count: int, longest: int) -> list[str]:
    return [" ".join(rng.choices(WORDS, k=rng.randint(0, longest))) for _ in range(count)]


def noisy(rng: random.Random, sentence: str) -> str:
    return " ".join(
        word if rng.random() < 0.8 else rng.choice(WORDS) for word in sentence.split() if rng.random() < 0.9
    )


def corpus(seed: int, count: int, num_references: int, longest: int):
    rng = random.Random(seed)
    truth = sentences(rng, count, longest)
    references = [[noisy(rng, sentence) for _ in range(num_references)] for sentence in truth]
    return [noisy(rng, sentence) for sentence in truth], references


def assert_equal(ours, theirs):
    np.testing.assert_allclose(ours.score, theirs.score, rtol=1e-12)
    np.testing.assert_allclose(ours.precisions, theirs.precisions, rtol=1e-12)
    np.testing.assert_allclose(ours.brevity_penalty, theirs.bp, rtol=1e-12)
    assert (ours.hypothesis_length, ours.reference_length) == (theirs.sys_len, theirs.ref_len)


@pytest.mark.parametrize("smoothing", ["exp", "floor", "add-k", "none"])
@pytest.mark.parametrize("tokenize", ["13a", "none"])
@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("num_references", [1, 3])
def test_corpus_bleu(smoothing, tokenize, lowercase, num_references):
    for seed, (count, longest) in enumerate([(40, 20), (5, 4), (1, 30), (3, 2)]):
        hypotheses, references = corpus(seed, count, num_references, longest)
        streams = [list(stream) for stream in zip(*references, strict=True)]
        theirs = sacrebleu.corpus_bleu(
            hypotheses, streams, smooth_method=smoothing, tokenize=tokenize, lowercase=lowercase, force=True
        )
        ours = corpus_bleu(hypotheses, references, smoothing=smoothing, tokenize=tokenize, lowercase=lowercase)
        assert_equal(ours, theirs)


@pytest.mark.parametrize("smoothing", ["exp", "floor", "add-k", "none"])
def test_sentence_bleu(smoothing):
    for seed in range(100):
        [hypothesis], [references] = corpus(seed, 1, 2, 8)
        theirs = sacrebleu.sentence_bleu(hypothesis, references, smooth_method=smoothing)
        assert_equal(sentence_bleu(hypothesis, references, smoothing=smoothing), theirs)


@given(st.text(st.sampled_from("aB1 .,-'\"&;<>()!?/\n\t{~`é½;quotampl")))
@example("a-\n")
@example(" a <skipped> -\nb\nc &lt;&gt;")
def test_tokenize_13a(text):
    expected = sacrebleu.metrics.bleu._get_tokenizer("13a")()(text.rstrip())
    assert " ".join(tokenize_13a(text)) == expected


def test_by_hand():
    """Two of the three bigrams, one of the two trigrams; the reference is one word longer."""
    bleu = corpus_bleu(["a b c d"], [["a b c e f"]], tokenize="none", smoothing="none")
    assert bleu.precisions == pytest.approx([75, 200 / 3, 50, 0])
    assert bleu.brevity_penalty == pytest.approx(np.exp(-1 / 4))
    assert bleu.score == 0
    assert corpus_bleu(["a b c d e"], [["a b c d e"]]).score == pytest.approx(100)


def test_references_of_different_number():
    bleu = corpus_bleu(["a b c d", "e f g h"], [["x", "a b c d"], ["e f g h"]])
    assert bleu.score == pytest.approx(100)


def test_closest_reference_of_two_is_the_shorter():
    assert corpus_bleu(["a b c d"], [["a b c d e", "a b c"]]).reference_length == 3


@pytest.mark.parametrize(
    ("hypotheses", "references"),
    [([], []), (["a"], []), (["a"], [["a"], ["b"]]), ("a", [["a"]])],
)
def test_hypotheses_and_references_that_do_not_pair(hypotheses, references):
    with pytest.raises(InputError, match="expected a list of strings and as many lists of references"):
        corpus_bleu(hypotheses, references)


@pytest.mark.parametrize("references", [["a b"], [[]]])
def test_references_that_are_no_lists(references):
    with pytest.raises(InputError, match=r"references\[0\]: got .*, expected a list of one or more strings"):
        corpus_bleu(["a b"], references)


def test_unknown_tokenizer_or_smoothing_is_refused():
    with pytest.raises(InputError, match="tokenize: got 'intl', expected one of"):
        corpus_bleu(["a"], [["a"]], tokenize="intl")
    with pytest.raises(InputError, match="smoothing: got 'laplace', expected one of"):
        corpus_bleu(["a"], [["a"]], smoothing="laplace")
