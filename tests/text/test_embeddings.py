"""Word vectors: nearest words, analogies, and GloVe's files."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from handmade.errors import InputError
from handmade.text import Vocabulary, WordVectors, read_glove

WORDS = {
    "man": [1.0, 0.0, 0.1],
    "woman": [1.0, 2.0, 0.1],
    "king": [1.0, 0.0, 3.0],
    "queen": [1.0, 2.0, 3.0],
    "bread": [-5.0, 0.3, 0.2],
    "nothing": [0.0, 0.0, 0.0],
}


@pytest.fixture
def vectors():
    return WordVectors(Vocabulary(WORDS), np.array(list(WORDS.values())))


def test_similarity_is_the_cosine(vectors):
    assert vectors.similarity("man", "man") == pytest.approx(1)
    a, b = np.array(WORDS["king"]), np.array(WORDS["bread"])
    assert vectors.similarity("king", "bread") == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    assert vectors.similarity("king", "nothing") == 0
    assert_array_equal(vectors["queen"], WORDS["queen"])


def test_nearest_words_in_order_without_the_word_itself(vectors):
    found = vectors.nearest("king", 3)
    assert [word for word, _ in found] == ["queen", "man", "woman"]
    assert found[0][1] == pytest.approx(vectors.similarity("king", "queen"))
    assert len(vectors.nearest("king", 100)) == 5


def test_analogy_leaves_its_three_words_out(vectors):
    assert vectors.analogy("man", "king", "woman")[0][0] == "queen"
    assert [word for word, _ in vectors.analogy("man", "king", "woman", 9)] == ["queen", "bread", "nothing"]
    assert len(vectors.analogy("man", "man", "king", 9)) == 4


def test_an_unknown_word_and_the_one_that_was_meant(vectors):
    with pytest.raises(InputError, match="no vector is known for the word 'quen', of 6 words; did you mean 'queen'"):
        vectors.nearest("quen")
    with pytest.raises(InputError, match=r"no vector is known for the word 'xyzzy', of 6 words\.$"):
        vectors.analogy("man", "king", "xyzzy")


def test_a_count_of_none(vectors):
    with pytest.raises(InputError, match="count is 0, expected at least 1"):
        vectors.nearest("king", 0)


def test_as_many_vectors_as_words():
    with pytest.raises(InputError, match="the vocabulary has 2 words, and there are 3 vectors"):
        WordVectors(Vocabulary(["a", "b"]), np.zeros((3, 4)))


@pytest.fixture
def glove(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "glove.txt"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_a_glove_file(glove):
    vectors = read_glove(glove("the 0.5 -1e-2 3\n. . . 1 2 3\nété 4 5 6.25\n"))
    assert vectors.vocabulary.tokens == ["the", ". . .", "été"]
    assert vectors.vectors.dtype == np.float32
    assert_allclose(vectors.vectors, [[0.5, -0.01, 3], [1, 2, 3], [4, 5, 6.25]])


def test_the_first_words_alone(glove):
    vectors = read_glove(glove("a 1 2\nb 3 4\nc broken\n"), max_words=2)
    assert vectors.vocabulary.tokens == ["a", "b"]
    with pytest.raises(InputError, match="max_words is 0"):
        read_glove(glove("a 1 2\n"), max_words=0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 1 2 3\nb 1 2\n", "line 2: expected a word and 3 numbers, separated by spaces, got 2 numbers"),
        ("a 1 2 3\n\n", "line 2: expected a word and 3 numbers, .* got 0"),
        ("a 1 2\nb 1 2 x\n", "line 2: not all that follows 'b 1' is a number"),
        ("a 1 two 3\n", "line 1: not all that follows 'a' is a number .*two"),
        ("a 1 nan\n", "line 1: the vector of 'a' holds a number that is not finite"),
        ("a 1 1e999\n", "line 1: the vector of 'a' holds a number that is not finite"),
        ("a 1 2\nb 2 inf\n", "line 2: the vector of 'b' holds a number that is not finite"),
        ("a 1 2\na 3 4\n", "line 2: 'a' stands in line 1 already"),
        ("alone\n", "line 1: expected a word and its numbers"),
        ("", "is empty; expected a word and its numbers in each line"),
    ],
)
def test_lines_that_are_no_vectors(glove, text, message):
    with pytest.raises(InputError, match=message):
        read_glove(glove(text))


def test_a_file_that_is_no_text(glove, tmp_path):
    with pytest.raises(InputError, match=r"glove.txt: cannot be read as UTF-8 text"):
        read_glove(glove("é 1 2\n", encoding="latin-1"))
    with pytest.raises(InputError, match=r"absent.txt: cannot be read"):
        read_glove(tmp_path / "absent.txt")
