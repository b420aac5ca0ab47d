"""Text in batches: streams that go on from batch to batch, and padded lines."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from handmade.errors import InputError
from handmade.models.char_lm import IGNORED
from handmade.tasks.language.sequences import PaddedLines, Streams


def test_streams_as_in_the_docstring():
    text = "To be, or not to be: that"
    streams = Streams(np.array([ord(character) for character in text]), 2, 4)
    batches = [["".join(map(chr, row)) for row in inputs] for inputs, _ in streams.batches(0, 0)]
    assert batches == [["To b", "t to"], ["e, o", " be:"], ["r no", " tha"]]
    assert len(streams) == 3


@pytest.mark.parametrize("length", [7, 30, 31, 32, 100])
def test_each_row_goes_on_and_targets_are_one_further(length):
    streams = Streams(np.arange(length), 3, 4)
    batches = list(streams.batches(0, 0))
    assert len(batches) == len(streams)
    inputs = np.concatenate([batch[0] for batch in batches], axis=1)
    targets = np.concatenate([batch[1] for batch in batches], axis=1)
    assert_array_equal(np.diff(inputs, axis=1), 1)
    assert_array_equal(targets, inputs + 1)
    assert targets.max() < length
    assert length - 1 - inputs.size < 3  # what is left out at the end


def test_streams_go_on_from_a_later_batch():
    streams = Streams(np.arange(50), 2, 5)
    later = list(streams.batches(4, 2))
    for (inputs, _), (expected, _) in zip(later, list(streams.batches(4, 0))[2:], strict=True):
        assert_array_equal(inputs, expected)


def test_a_text_too_short_for_its_streams():
    Streams(np.arange(5), 4, 64)
    with pytest.raises(InputError, match=r"the text has 4 characters; 4 streams side by side \(batch_size\) take 5"):
        Streams(np.arange(4), 4, 64)


LINES = [[5, 6, 7], [8], [], [9, 10]]


def test_lines_are_padded_and_the_padding_does_not_count():
    ((inputs, targets),) = PaddedLines(LINES, 4, 0, None).batches(0, 0)
    assert_array_equal(inputs, [[0, 5, 6, 7], [0, 8, 0, 0], [0, 0, 0, 0], [0, 9, 10, 0]])
    X = IGNORED
    assert_array_equal(targets, [[5, 6, 7, 0], [8, 0, X, X], [0, X, X, X], [9, 10, 0, X]])


def firsts(lines, epoch, start=0):
    return [row[1] for inputs, _ in lines.batches(epoch, start) for row in inputs]


def test_the_order_of_lines_comes_from_seed_and_epoch():
    given = [[number] for number in range(1, 21)]
    lines = PaddedLines(given, 3, 0, seed=4)
    assert len(lines) == 7
    assert sorted(firsts(lines, 0)) == list(range(1, 21))
    assert firsts(lines, 0) == firsts(PaddedLines(given, 3, 0, seed=4), 0)
    assert firsts(lines, 0) != firsts(lines, 1)
    assert firsts(lines, 0) != firsts(PaddedLines(given, 3, 0, seed=5), 0)
    assert firsts(lines, 1, start=2) == firsts(lines, 1)[6:]
    assert firsts(PaddedLines(given, 3, 0, None), 1) == list(range(1, 21))


def test_no_lines():
    with pytest.raises(InputError, match="there are no lines to learn from"):
        PaddedLines([], 3, 0, None)
