"""The rule by which tokens are hidden, and the tokenizer that knows masks."""

import numpy as np
import pytest

from handmade.tasks.masked.masking import CLS, MASK, SEP, SPECIAL, MaskTokenizer, masked

VOCABULARY = 1000


def texts(rng, rows, columns):
    """Random words between [CLS] and [SEP]."""
    words = rng.integers(len(SPECIAL), VOCABULARY, (rows, columns - 2))
    return np.pad(words, ((0, 0), (1, 1)), constant_values=((0, 0), (CLS, SEP)))


def test_fifteen_percent_of_each_text_are_guessed(rng):
    tokens = texts(rng, 400, 62)
    batch = masked(tokens, VOCABULARY, rng)
    assert batch.places.shape == batch.targets.shape == (400, 9)
    assert all(len(set(row)) == 9 for row in batch.places.tolist())
    rows = np.arange(400)[:, None]
    assert np.array_equal(batch.targets, tokens[rows, batch.places])
    counts = np.bincount(batch.places.reshape(-1), minlength=62)
    assert counts[[0, 61]].tolist() == [0, 0], "[CLS] and [SEP] are never hidden"
    assert counts[1:61].min() > 30, "every other place is hidden now and then"


def test_of_these_80_10_10_percent_are_masks_others_and_themselves(rng):
    tokens = texts(rng, 2000, 42)
    batch = masked(tokens, VOCABULARY, rng)
    rows = np.arange(2000)[:, None]
    seen = batch.tokens[rows, batch.places]
    assert (seen == MASK).mean() == pytest.approx(0.8, abs=0.015)
    assert (seen == batch.targets).mean() == pytest.approx(0.1, abs=0.01)
    others = seen[(seen != MASK) & (seen != batch.targets)]
    assert len(others) / seen.size == pytest.approx(0.1, abs=0.01)
    assert others.min() >= len(SPECIAL), "a random token is a word"
    assert others.max() == VOCABULARY - 1
    rest = np.ones(tokens.shape, bool)
    rest[rows, batch.places] = False
    assert np.array_equal(batch.tokens[rest], tokens[rest]), "all else stays"


def test_at_least_one_of_a_short_text(rng):
    assert masked(texts(rng, 3, 3), VOCABULARY, rng).places.tolist() == [[1], [1], [1]]


def test_the_tokens_given_are_left_as_they_are(rng):
    tokens = texts(rng, 5, 20)
    before = tokens.copy()
    masked(tokens, VOCABULARY, rng)
    assert np.array_equal(tokens, before)


# ---- the tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return MaskTokenizer.learned("the cat sat on the mat, the hat of the cat\n" * 5, 30)


def test_a_mask_takes_the_space_before_it(tokenizer):
    tokens = tokenizer.around("the [MASK] sat")
    assert tokenizer.pieces(tokens) == ["[CLS]", *tokenizer.pieces(tokenizer.encode("the")), "[MASK]", " sat", "[SEP]"]
    assert tokenizer.pieces(tokenizer.encode("[MASK][MASK] the")) == ["[MASK]", "[MASK]", " the"]
    assert tokenizer.encode("") == []


def test_texts_come_back(tokenizer):
    text = "the cat sat on Ünïcode 🙂\n  and blanks "
    assert tokenizer.decode(tokenizer.around(text)) == text


def test_facts_make_the_same_tokenizer(tokenizer):
    again = MaskTokenizer(**tokenizer.facts)
    assert again.tokenizer.vocabulary == tokenizer.tokenizer.vocabulary
    assert again.encode("the cat") == tokenizer.encode("the cat")
    assert len(tokenizer) == len(SPECIAL) + 256 + len(tokenizer.facts["merges"])
