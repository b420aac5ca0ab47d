"""The reference is Hugging Face's BertWordPieceTokenizer with the same vocabulary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import BertWordPieceTokenizer

from handmade.errors import InputError
from handmade.text import Vocabulary, WordPieceTokenizer
from tests.support.wordpiece_strings import TOKENS, varied_strings


@pytest.fixture(scope="module")
def vocab_txt(tmp_path_factory):
    path = tmp_path_factory.mktemp("bert") / "vocab.txt"
    path.write_text("".join(f"{token}\n" for token in dict.fromkeys(TOKENS)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ours(vocab_txt):
    return WordPieceTokenizer.from_file(vocab_txt)


@pytest.fixture(scope="module")
def reference(vocab_txt):
    return BertWordPieceTokenizer(str(vocab_txt))


@pytest.mark.slow
@pytest.mark.parametrize("lowercase", [True, False])
def test_a_thousand_varied_strings_as_the_reference(vocab_txt, lowercase):
    ours = WordPieceTokenizer.from_file(vocab_txt, lowercase=lowercase)
    reference = BertWordPieceTokenizer(str(vocab_txt), lowercase=lowercase)
    for text in varied_strings(1000):
        assert ours.encode(text) == reference.encode(text).ids, ascii(text)


@given(st.text(st.characters(max_codepoint=0x5FF)))
def test_any_text_as_the_reference(ours, reference, text):
    assert ours.encode(text) == reference.encode(text).ids


def test_by_hand(ours):
    assert ours.tokenize("Héllo, unaffable 猫猫! The [MASK] sat") == [
        *["hello", ",", "un", "##aff", "##able", "猫", "猫", "!", "the", "[MASK]", "s", "##a", "##t"]
    ]


@pytest.mark.parametrize("max_length", [2, 3, 5, 100])
def test_truncation_as_the_reference(ours, vocab_txt, max_length):
    reference = BertWordPieceTokenizer(str(vocab_txt))
    reference.enable_truncation(max_length)
    text = "hello unaffable cat"
    assert ours.encode(text, max_length=max_length) == reference.encode(text).ids


def test_without_special_tokens(ours, reference):
    assert (
        ours.encode("hello cat", add_special_tokens=False)
        == reference.encode("hello cat", add_special_tokens=False).ids
    )
    assert ours.encode("hello cat the", max_length=2, add_special_tokens=False) == ours.encode("hello cat")[1:-1]


def test_empty_text_is_begin_and_end(ours):
    assert ours.encode("") == [ours.vocabulary["[CLS]"], ours.vocabulary["[SEP]"]]


def test_decoding_joins_pieces(ours, reference):
    ids = ours.encode("hello unaffable cats")
    assert ours.decode(ids) == "hello unaffable cats" == reference.decode(ids)
    assert ours.decode(ids, skip_special_tokens=False) == "[CLS] hello unaffable cats [SEP]"


def test_a_word_with_an_unknown_end_is_unknown(ours):
    assert ours.tokenize("unж cat") == ["[UNK]", "cat"]


def test_max_length_too_short_for_begin_and_end(ours):
    with pytest.raises(InputError, match="max_length: got 1, expected at least 2"):
        ours.encode("hello", max_length=1)


@pytest.mark.parametrize("absent", ["[UNK]", "[CLS]", "[SEP]"])
def test_a_vocabulary_that_is_not_berts(absent):
    tokens = [token for token in ("[UNK]", "[CLS]", "[SEP]", "a") if token != absent]
    with pytest.raises(InputError, match=rf"\{absent} is missing"):
        WordPieceTokenizer(Vocabulary(tokens))


def test_no_file(tmp_path):
    with pytest.raises(InputError, match=r"vocab\.txt: cannot be read"):
        WordPieceTokenizer.from_file(tmp_path / "vocab.txt")
