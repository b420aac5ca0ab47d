"""The reference is Hugging Face's `tokenizers`, given the same files or the same text to train on."""

import json
import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import ByteLevelBPETokenizer, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Reference

from handmade.errors import InputError
from handmade.text import EOS, PAD, BPETokenizer
from handmade.text.bpe import BYTE_TO_CHARACTER, word_pattern

SYLLABLES = [
    *["ka", "lo", "mi", "ter", "ung", "sch", "ein", "the", "re", "ßen", "äu", "é"],
    *["ção", "ки", "но", "猫", "で", "す", "안", "녕", "ش", "\u0627", "נ", "ा"],
    *["🙂", "'", "'s", "'ve", "12", "7", "²", "Ⅷ", ",", ".", "--", "…"],
]


def some_text(seed: int, words: int) -> str:
    """Words of a few syllables, the first ones of the list most often; all kinds of spaces between."""
    rng = random.Random(seed)
    weights = [1 / (n + 1) for n in range(len(SYLLABLES))]
    pieces = []
    for _ in range(words):
        pieces += rng.choices(SYLLABLES, weights, k=rng.randint(1, 4))
        pieces.append(rng.choice([" "] * 9 + ["\n", "  ", " \t ", "\r\n", "\u00a0", "\u3000\n ", "\x85"]))
    return "".join(pieces)


def trained_reference(text: str, num_merges: int) -> Reference:
    reference = Reference(models.BPE())
    reference.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=256 + num_merges, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    reference.train_from_iterator([text], trainer)
    return reference


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Our tokenizer and the reference, read from the same vocab.json and merges.txt."""
    folder = tmp_path_factory.mktemp("gpt2")
    trainer = ByteLevelBPETokenizer()
    trainer.train_from_iterator([some_text(1, 3000)], 700, 2, show_progress=False, special_tokens=["<|endoftext|>"])
    vocab_json, merges_txt = trainer.save_model(str(folder))
    return BPETokenizer.from_files(vocab_json, merges_txt), ByteLevelBPETokenizer(vocab_json, merges_txt)


def test_files_of_gpt2_tokenize_as_the_reference(pair):
    ours, reference = pair
    rng = random.Random(2)
    characters = [chr(code) for code in range(0x3000) if chr(code).isprintable()] + list(" \t\n\r\x00\x1c\x7f🙂👩‍👧")
    for seed in range(100):
        text = some_text(seed, 20) + "".join(rng.choices(characters, k=20))
        assert ours.encode(text) == reference.encode(text).ids
        assert ours.decode(ours.encode(text)) == text


@pytest.mark.slow
@given(st.text(st.characters(exclude_categories=["Cs", "Cn"])))
@example("!\x1c! a\x1fb \x1d")  # separators that Python takes for white space, and Unicode does not
@example("a \x0b\x85 \u2003 b\u200bc  d")
@example("I'll I'LL 'tis ''s x2² ½Ⅷ")
def test_any_text_is_split_as_by_the_reference(text):
    reference = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)
    assert word_pattern().findall(text) == [text[first:end] for _, (first, end) in reference]


@given(st.text(st.characters(exclude_categories=["Cs", "Cn"])))
def test_any_text_as_the_reference(pair, text):
    ours, reference = pair
    assert ours.encode(text) == reference.encode(text).ids


@given(st.lists(st.integers(1, 699)))
def test_any_tokens_decode_as_the_reference(pair, ids):
    ours, reference = pair
    expected = reference.decode(ids, skip_special_tokens=True)
    assert ours.decode(ids) == expected
    assert "".join(ours.stream(iter(ids))) == expected


def test_special_tokens_of_the_files(pair):
    ours, _ = pair
    assert ours.vocabulary.special == ("<|endoftext|>",)
    end = ours.vocabulary["<|endoftext|>"]
    assert ours.decode([end]) == ""
    assert ours.decode([end], skip_special_tokens=False) == "<|endoftext|>"
    assert end not in ours.encode("<|endoftext|>")
    assert ours.decode(ours.encode("<|endoftext|>")) == "<|endoftext|>"


@pytest.mark.parametrize("seed", range(8))
def test_training_finds_the_reference_merges(seed):
    """Small texts, so that most steps have ties."""
    text = some_text(seed, 10 + 20 * seed)
    ours = BPETokenizer.train(text, num_merges=60)
    vocabulary = trained_reference(text, 60).get_vocab()
    expected = sorted(vocabulary, key=lambda token: vocabulary[token])
    assert ours.vocabulary.tokens[: len(expected)] == expected


def test_training_equals_counting_anew_each_time():
    text = some_text(3, 60)
    words = [list(word.encode()) for word in word_pattern().findall(text)]
    expected = []
    names = BPETokenizer.train("", num_merges=0).vocabulary
    spelled = [[names[BYTE_TO_CHARACTER[byte]] for byte in word] for word in words]
    tokens = list(names.tokens)
    for _ in range(80):
        counts = Counter(pair for word in spelled for pair in pairwise(word))
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        expected.append((tokens[best[0]], tokens[best[1]]))
        merged = tokens[best[0]] + tokens[best[1]]
        tokens.append(merged)
        for word in spelled:
            for position in range(len(word) - 1):
                if tuple(word[position : position + 2]) == best:
                    word[position : position + 2] = [len(tokens) - 1]
    assert BPETokenizer.train(text, num_merges=80).merges == expected


def test_merges_by_hand():
    """l+o (4 times, as o+w; the lower numbers first), lo+w, Ġ+low (3), then e+r of one word."""
    tokenizer = BPETokenizer.train("low low lower low", num_merges=4)
    assert tokenizer.merges == [("l", "o"), ("lo", "w"), ("Ġ", "low"), ("e", "r")]
    assert [tokenizer.vocabulary.tokens[number] for number in tokenizer.encode("lower low")] == ["low", "er", "Ġlow"]


def test_overlapping_pairs():
    tokenizer = BPETokenizer.train("aaaaa", num_merges=9)
    assert tokenizer.merges == [("a", "a"), ("aa", "a"), ("aa", "aaa")]
    assert tokenizer.vocabulary.tokens[256:] == ["aa", "aaa", "aaaaa"]


def test_training_ends_when_no_pair_is_left():
    assert BPETokenizer.train("ab ab", num_merges=10).merges == [("a", "b"), ("Ġ", "ab")]
    assert BPETokenizer.train([], num_merges=10).merges == []


def test_training_on_several_texts_does_not_merge_across_them():
    assert BPETokenizer.train(["ab", "cd"], num_merges=9).merges == [("a", "b"), ("c", "d")]


@pytest.mark.slow
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_comes_back(text):
    tokenizer = BPETokenizer.train(text, num_merges=20, special=[PAD, EOS])
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.decode(tokenizer.encode(text[::-1])) == text[::-1]


def test_a_word_of_twenty_thousand_letters():
    tokenizer = BPETokenizer.train("a" * 1000 + "ab" * 1000, num_merges=30)
    text = "ab" * 10_000
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_streaming_holds_a_character_back_until_it_is_whole():
    tokenizer = BPETokenizer.train("", num_merges=0)
    assert list(tokenizer.stream(tokenizer.encode("é!"))) == ["", "é", "!", ""]
    assert list(tokenizer.stream(tokenizer.encode("é")[:1])) == ["", "\ufffd"]


def test_half_a_surrogate_pair():
    with pytest.raises(InputError, match="half a surrogate pair"):
        BPETokenizer.train("", num_merges=0).encode("a\ud83d")


def test_negative_number_of_merges():
    with pytest.raises(InputError, match="num_merges: got -1"):
        BPETokenizer.train("text", num_merges=-1)


def test_number_outside_the_vocabulary():
    with pytest.raises(InputError, match=r"ids\[1\] is 256, expected 0 to 255"):
        BPETokenizer.train("text", num_merges=0).decode([0, 256])


@pytest.fixture
def files(tmp_path):
    tokenizer = BPETokenizer.train("low low", num_merges=2)
    vocab_json, merges_txt = tmp_path / "vocab.json", tmp_path / "merges.txt"
    vocab_json.write_text(json.dumps({token: number for number, token in enumerate(tokenizer.vocabulary.tokens)}))
    merges_txt.write_text("#version: 0.2\r\nl o\r\nlo w\r\n")
    return vocab_json, merges_txt


def test_line_ends_of_windows(files):
    assert BPETokenizer.from_files(*files).merges == [("l", "o"), ("lo", "w")]


def test_vocabulary_with_gaps(files):
    files[0].write_text('{"a": 0, "b": 2}')
    with pytest.raises(InputError, match=r"vocab\.json: expected a JSON object from tokens to the numbers 0, 1, 2"):
        BPETokenizer.from_files(*files)


def test_vocabulary_without_all_bytes(files):
    files[0].write_text('{"!": 0}')
    with pytest.raises(InputError, match="is missing"):
        BPETokenizer.from_files(*files)


def test_merges_of_another_vocabulary(files):
    files[1].write_text("l o\nl w\n")
    with pytest.raises(InputError, match="token 'lw' of the bytes or merges is missing"):
        BPETokenizer.from_files(*files)


def test_merge_of_three(files):
    files[1].write_text("l o w\n")
    with pytest.raises(InputError, match="expected two tokens and one space in each merge, got 'l o w'"):
        BPETokenizer.from_files(*files)


def test_a_special_token_of_half_a_pair(files):
    ids = json.loads(files[0].read_text())
    files[0].write_text(json.dumps({**ids, "\ud800": len(ids)}))
    with pytest.raises(InputError, match="half a surrogate pair"):
        BPETokenizer.from_files(*files)
