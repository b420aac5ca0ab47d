import pytest

from handmade.errors import InputError
from handmade.text import EOS, PAD, UNK, Vocabulary


def test_numbers_and_tokens():
    vocabulary = Vocabulary([PAD, "cat", "dog"], special=[PAD])
    assert [vocabulary[token] for token in ("dog", "cat", PAD)] == [2, 1, 0]
    assert vocabulary.tokens[2] == "dog"
    assert len(vocabulary) == 3
    assert "cat" in vocabulary
    assert "cow" not in vocabulary


def test_decoding_leaves_special_tokens_out_on_request():
    vocabulary = Vocabulary([PAD, "cat", EOS, UNK], special=[PAD, EOS], unk=UNK)
    assert vocabulary.decode([1, 3, 2, 0]) == ["cat", UNK]
    assert vocabulary.decode([1, 2, 0], skip_special_tokens=False) == ["cat", EOS, PAD]


def test_unknown_token_stands_for_what_is_unknown():
    assert Vocabulary(["a", UNK], unk=UNK)["b"] == 1


def test_unknown_without_unknown_token():
    with pytest.raises(InputError, match="token 'b' is not in the vocabulary of 1 tokens"):
        Vocabulary(["a"])["b"]


def test_token_twice():
    with pytest.raises(InputError, match="'a' occurs twice"):
        Vocabulary(["a", "b", "a"])


def test_special_token_that_is_no_token():
    with pytest.raises(InputError, match="special token '<pad>' is not among the 1 tokens"):
        Vocabulary(["a"], special=[PAD])


@pytest.mark.parametrize("number", [-1, 2])
def test_number_of_another_vocabulary(number):
    with pytest.raises(InputError, match=rf"ids\[1\] is {number}, expected 0 to 1"):
        Vocabulary(["a", "b"]).decode([0, number])


def test_equality():
    assert Vocabulary(["a", "b"]) == Vocabulary(["a", "b"])
    assert Vocabulary(["a", "b"]) != Vocabulary(["b", "a"])
    assert Vocabulary(["a", UNK], unk=UNK) != Vocabulary(["a", UNK])


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["a", "b", "c"], "expected 2 tokens, got 3; 'c' unexpected"),
        (["a", "c"], "expected 2 tokens, got 2; 'b' missing; 'c' unexpected"),
        (["b", "a"], "the order differs: number 0 is 'a' here, 'b' there"),
        (["a", "b", *"cdefghi"], "'c', 'd', 'e', 'f', 'g' and 2 more unexpected"),
    ],
)
def test_mismatch_names_what_differs(tokens, message):
    with pytest.raises(InputError, match=message):
        Vocabulary(["a", "b"]).require_same(Vocabulary(tokens))


def test_same_vocabularies_pass():
    Vocabulary(["a", "b"]).require_same(Vocabulary(["a", "b"]))
