import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handmade.errors import InputError
from handmade.text import BOS, EOS, PAD, UNK, CharacterTokenizer, Vocabulary, WordTokenizer


@pytest.mark.slow
@given(st.text(min_size=1))
def test_characters_come_back_exactly(text):
    tokenizer = CharacterTokenizer.train(text, special=[PAD, EOS])
    ids = tokenizer.encode(text)
    assert len(ids) == len(text)
    assert tokenizer.decode(ids) == text
    assert "".join(tokenizer.stream(iter(ids))) == text


def test_characters_are_numbered_by_code_point_after_special_tokens():
    tokenizer = CharacterTokenizer.train("banana", special=[PAD])
    assert tokenizer.vocabulary.tokens == [PAD, "a", "b", "n"]
    assert tokenizer.encode("nab") == [3, 1, 2]


def test_special_token_in_a_text_is_characters():
    tokenizer = CharacterTokenizer.train("<eos>", special=[EOS])
    ids = tokenizer.encode(EOS)
    assert len(ids) == 5
    assert tokenizer.decode([*ids, tokenizer.vocabulary[EOS]]) == EOS
    assert tokenizer.decode([*ids, tokenizer.vocabulary[EOS]], skip_special_tokens=False) == EOS + EOS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "cafe\u0301",
            "character '\u0301' (U+0301 COMBINING ACUTE ACCENT) at position 4 is not among the 6 characters",
        ),
        ("caf\u00e9", "character 'é' (U+00E9 LATIN SMALL LETTER E WITH ACUTE) at position 3"),
        ("caf\u00e9", "write 'e' instead"),
        ("face\u2019", 'write "\'" instead'),
        ("CAfe", "write 'a' instead"),
        ("face\u2603", "leave it out, or make the vocabulary with an unknown token"),
        ("face\x00", "(U+0000 unnamed)"),
    ],
)
def test_unknown_character_is_named_with_its_place(text, message):
    with pytest.raises(InputError, match=re.escape(message)):
        CharacterTokenizer.train("faceC'").encode(text)


def test_unknown_character_becomes_the_unknown_token_where_there_is_one():
    tokenizer = CharacterTokenizer.train("ab", unk=UNK)
    assert tokenizer.encode("axb") == [1, 0, 2]
    assert tokenizer.decode([1, 0, 2]) == "a<unk>b"


def test_words_by_frequency_then_by_appearance():
    tokenizer = WordTokenizer.train(["the cat, the dog,", "a cat"])
    assert tokenizer.vocabulary.tokens == [PAD, BOS, EOS, UNK, "the", "cat", ",", "dog", "a"]
    assert WordTokenizer.train(["the cat, the dog"], max_words=1).vocabulary.tokens[4:] == ["the"]


def test_words_and_punctuation():
    tokenizer = WordTokenizer.train(["Wie geht's? Gut_2, d\u2019accord!"])
    words = ["Wie", "geht's", "?", "Gut_2", ",", "d\u2019accord", "!"]
    assert tokenizer.vocabulary.tokens[4:] == words
    ids = tokenizer.encode(" Wie  geht's ihm?")
    assert tokenizer.decode(ids) == "Wie geht's <unk> ?"
    assert "".join(tokenizer.stream([1, *ids, 2])) == "Wie geht's <unk> ?"


def test_words_need_an_unknown_token():
    with pytest.raises(InputError, match="needs an unknown token"):
        WordTokenizer(Vocabulary(["a"]))


def test_one_text_or_several():
    assert WordTokenizer.train("the cat").vocabulary == WordTokenizer.train(["the", "cat"]).vocabulary
