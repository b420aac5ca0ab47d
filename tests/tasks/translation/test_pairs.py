"""Pairs as tokens and in batches."""

import json

import numpy as np
import pytest

from handmade.errors import InputError
from handmade.models.sequence_to_sequence import BOS, EOS, PAD, UNKNOWN
from handmade.tasks.translation.pairs import PairBatches, PairTokenizer, padded

TEXTS = ["Ein Haus.", "ein grünes Haus", "zwei Häuser am See"]


@pytest.fixture(params=["characters", "byte pairs"])
def tokenizer(request):
    if request.param == "characters":
        return PairTokenizer.of_characters(TEXTS)
    return PairTokenizer.of_byte_pairs(TEXTS, 20)


def test_texts_come_back(tokenizer):
    for text in TEXTS:
        assert tokenizer.text(tokenizer.target(text)) == text
        assert tokenizer.target(text) == [BOS, *tokenizer.source(text)]
        assert tokenizer.source(text)[-1] == EOS
        assert not {PAD, BOS, UNKNOWN} & set(tokenizer.source(text))
        assert max(tokenizer.source(text)) < len(tokenizer)


def test_the_facts_make_the_same_tokenizer(tokenizer):
    again = PairTokenizer(**json.loads(json.dumps(tokenizer.facts)))
    assert again.tokenizer.vocabulary == tokenizer.tokenizer.vocabulary
    assert [again.source(text) for text in TEXTS] == [tokenizer.source(text) for text in TEXTS]
    assert tokenizer.tokenizer.vocabulary.tokens[:4] == ["<pad>", "<bos>", "<eos>", "<unk>"]


def test_what_is_not_known():
    letters, pairs = PairTokenizer.of_characters(TEXTS), PairTokenizer.of_byte_pairs(TEXTS, 20)
    assert letters.unknown("Ein Boot, ω") == [",", "B", "o", "t", "ω"]
    assert letters.source("EωE") == [letters.source("E")[0], UNKNOWN, letters.source("E")[0], EOS]
    assert pairs.unknown("Ein Boot, ω") == []
    assert pairs.text(pairs.source("Ein Boot, ω")) == "Ein Boot, ω"


def test_a_word_is_the_same_at_the_beginning_and_within():
    tokenizer = PairTokenizer.of_byte_pairs(["Haus am Haus am Haus"], 20)
    (haus, am, *_), said = tokenizer.source("Haus am Haus"), tokenizer.pieces(tokenizer.source("Haus am Haus"))
    assert tokenizer.source("Haus am Haus") == [haus, am, haus, EOS]
    assert said == [" Haus", " am", " Haus", "■"]
    letters = PairTokenizer.of_characters(["am Haus"])
    assert letters.pieces(letters.source("am x")) == ["a", "m", "␣", "<unk>", "■"]


def random_pairs(rng, count=200):
    return tuple(
        [rng.integers(4, 50, length).tolist() for length in rng.integers(low, high, count)]
        for low, high in ((1, 30), (2, 20))
    )


@pytest.mark.parametrize("seed", [None, 0])
def test_each_pair_once_in_batches_of_so_many_tokens(rng, seed):
    sources, targets = random_pairs(rng)
    batches = PairBatches(sources, targets, 150, seed)
    made = list(batches.batches(0, 0))
    assert len(made) == len(batches)
    seen = []
    for source, target in made:
        assert source.size <= 150
        assert target.size <= 150
        seen += [
            ([t for t in s if t != PAD], [t for t in y if t != PAD])
            for s, y in zip(source.tolist(), target.tolist(), strict=True)
        ]
    assert sorted(seen) == sorted(zip(sources, targets, strict=True))
    assert np.mean([(source != PAD).mean() for source, _ in made]) > 0.7  # unsorted: about a half
    sizes = [max(source.shape[1], target.shape[1]) for source, target in made]
    assert (sizes == sorted(sizes)) == (seed is None)


def test_epochs_differ_and_can_be_entered_anywhere(rng):
    batches = PairBatches(*random_pairs(rng), 150, 0)
    first, second = (list(batches.batches(epoch, 0)) for epoch in (0, 1))
    assert len(first) == len(second)
    assert not all(np.array_equal(one[0], other[0]) for one, other in zip(first, second, strict=True))
    for one, other in zip(first[3:], batches.batches(0, 3), strict=True):
        assert np.array_equal(one[0], other[0])
        assert np.array_equal(one[1], other[1])


def test_a_long_pair_is_a_batch_of_its_own():
    batches = PairBatches([[5] * 40, [5, 6], [7, 8]], [[1, 2]] * 3, 10, None)
    assert [source.shape for source, _ in batches.batches(0, 0)] == [(2, 2), (1, 40)]


def test_padding_is_on_the_right():
    assert padded([[5], [6, 7, 8]]).tolist() == [[5, PAD, PAD], [6, 7, 8]]


def test_no_pairs():
    with pytest.raises(InputError, match="there are no pairs to learn from"):
        PairBatches([], [], 100, 0)
