"""Pictures of what language models do with tokens: what they say."""

import numpy as np
import pytest

from handmade import draw
from handmade.draw.palette import LIGHT
from handmade.draw.tokens import MOST
from tests.support.pictures import assert_readable, bar_label, bars, images, lines, written


def weights(rng, layers, heads, rows, columns):
    drawn = rng.random((layers, heads, rows, columns)) ** 6
    return list(drawn / drawn.sum(axis=-1, keepdims=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layers", "heads", "rows", "columns"),
    [(1, 1, 3, 9), (2, 3, 9, 4), (12, 12, 7, 7), (2, 2, 300, 300), (1, 1, 1, 2), (1, 1, 1, 1)],
)
def test_attention_can_be_read(rng, tmp_path, layers, heads, rows, columns):
    names = [["a", "word", "[SEP]"][place % 3] for place in range(300)]
    picture = draw.attention_maps(
        weights(rng, layers, heads, rows, columns), names[:rows], names[:columns], "a model: where each head looks"
    )
    assert_readable(picture, tmp_path)
    assert len(images(picture)) == layers * heads
    assert ("layer 0" in written(picture)) == (layers * heads > 1)


def test_equal_weights_have_equal_colours_in_all_maps_and_the_bar_says_by_the_root(rng):
    picture = draw.attention_maps(weights(rng, 2, 2, 3, 3), list("abc"), list("abc"), "a model")
    assert {image.get_clim() for image in images(picture)} == {(0, 1)}
    assert {float(image.norm(0.25)) for image in images(picture)} == {0.5}
    (bar,) = bars(picture)
    assert bar_label(bar) == "attention weight\n(colour by the square root)"


def test_attention_names_its_axes_and_the_sharpest_head():
    even, sharp = np.full((3, 4), 0.25), np.tile([0.0, 0.9, 0.1, 0.0], (3, 1))
    picture = draw.attention_maps(
        [np.stack([even, even]), np.stack([even, sharp])], ["x", "\n", " "], list("abcd"), "m"
    )
    axes = picture.figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["x", "⏎", "␣"] * 2
    assert [label.get_text() for label in axes.get_xticklabels()] == list("abcd") * 2
    assert axes.get_ylabel().startswith("q:")
    assert axes.yaxis.label.get_color() == LIGHT.query
    assert axes.get_xlabel().startswith("k:")
    assert axes.xaxis.label.get_color() == LIGHT.key
    assert picture.caption == "Sharpest is layer 1, head 1: a token's largest weight is 0.90 on average."


def test_tokens_too_many_to_be_read_stand_in_the_caption(rng):
    names = [f"token{place}" for place in range(200)]
    picture = draw.attention_maps(weights(rng, 1, 2, 200, 200), names, names, "a model")
    assert "Tokens: 0 token0, 1 token1, 2 token2," in picture.caption
    assert "token1" not in written(picture)
    assert "0" in written(picture)


@pytest.mark.slow
def test_guesses_are_written_framed_and_counted(tmp_path):
    names = [["a", "b", "c"], ["b", "c", "猫"]]
    probabilities = np.array([[0.25, 0.5, 1.0], [0.1, 0.2, 0.3]])
    picture = draw.guesses(names, probabilities, list("abc"), ["b", "c", None], "a model")
    assert_readable(picture, tmp_path)
    assert np.array_equal(images(picture)[0].get_array(), probabilities)
    assert "\\u732b" in written(picture)
    assert "�" not in "".join(written(picture))
    assert len(picture.figure.axes[0].patches) == 2  # b and c after layer 0
    assert "Of 2 known tokens, the number guessed right is 0 after the embeddings, 2 after layer 0" in (picture.caption)
    assert bar_label(bars(picture)[0]) == "probability\n(colour by the square root)"


@pytest.mark.slow
def test_of_a_long_text_the_end_is_drawn(tmp_path):
    picture = draw.guesses([["word"] * 300] * 2, np.full((2, 300), 0.5), ["x"] * 300, [None] * 300, "a model")
    assert_readable(picture, tmp_path)
    assert "of 300 tokens)" in picture.title


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    ["x", "猫🙂\x10\ufffd", "To be,\nor not to be", ["Ro", "meo", ":", " what", "\n", " is"] * 70, ["word" * 40]],
)
def test_surprise_can_be_read(rng, tmp_path, text):
    nats = rng.exponential(2, len(text))
    nats[len(nats) // 2 + 1 :][:1] = np.nan  # not asked
    picture = draw.surprise(text, nats, "token", "a model")
    assert_readable(picture, tmp_path)
    assert f"{np.nanmean(nats):.2f} nats per token on average" in picture.title


def test_every_field_of_surprise_has_a_mark_and_the_bar_says_where_it_stops():
    nats = np.array([0.5, 9.0, 2.0, 1.0])
    picture = draw.surprise("a b\n", nats, "character", "a model")
    assert [text.get_text() for text in picture.figure.axes[0].texts] == ["a", "␣", "b", "⏎"]
    (image,) = images(picture)
    assert image.get_array()[0].tolist() == nats.tolist()
    assert image.get_clim() == (0, MOST)
    (bar,) = bars(picture)
    assert bar_label(bar) == "nats"
    assert bar._colorbar.extend == "max"
    assert picture.caption == "Least expected: ␣, number 2 of 4, with 9.0 nats, a probability of 0.00012."
    assert draw.surprise("ab", nats[2:], "character", "a").figure.axes[1]._colorbar.extend == "neither"


def test_what_has_no_shape_of_its_own_is_escaped():
    assert draw.legible("a b\n\tü→") == "a␣b⏎→ü→"
    assert draw.legible("猫\x10\x85\U000200d0") == "\\u732b\\x10\\x85\\U000200d0"
    assert draw.all_legible([" a", ""]) == ["␣a", ""]


def test_lines_have_labels_only_where_they_mean_something():
    assert not lines(draw.surprise(["ab", "c"], np.array([1.0, 2.0]), "token", "a model"))
