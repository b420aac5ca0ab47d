"""CTC decoding against the definition: every path, read with repeats merged and blanks dropped."""

import itertools
import re

import numpy as np
import pytest

from handmade.text.ctc import ctc_beam_search, ctc_greedy


def log_softmax(logits):
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def read(path, blank):
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def every_labelling(scores, blank):
    """All labellings of one sequence with their log-probabilities, best first."""
    found = {}
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        labels = read(path, blank)
        log_prob = sum(scores[t, label] for t, label in enumerate(path))
        found[labels] = np.logaddexp(found.get(labels, -np.inf), log_prob)
    return sorted(found.items(), key=lambda item: -item[1])


@pytest.mark.parametrize("blank", [0, 1])
def test_a_wide_beam_finds_every_labelling_with_its_probability(rng, blank):
    log_probs, lengths = log_softmax(rng.normal(size=(6, 2, 3))), [6, 4]
    for n, found in enumerate(ctc_beam_search(log_probs, lengths, beam_width=1000, blank=blank)):
        expected = every_labelling(log_probs[: lengths[n], n], blank)
        assert [labelling.labels for labelling in found] == [labels for labels, _ in expected]
        np.testing.assert_allclose([labelling.log_prob for labelling in found], [p for _, p in expected], rtol=1e-12)


def test_a_narrow_beam_finds_what_the_greedy_path_misses():
    """Graves 2006, figure 2: blank is the best class twice, but `a` owns most of the paths."""
    log_probs = np.log([[[0.6, 0.4]], [[0.6, 0.4]]])
    [best_path], [found] = ctc_greedy(log_probs), ctc_beam_search(log_probs, beam_width=2)
    assert best_path.labels == ()
    assert [labelling.labels for labelling in found] == [(1,), ()]
    got = [best_path.log_prob, *(labelling.log_prob for labelling in found)]
    np.testing.assert_allclose(got, np.log([0.36, 0.64, 0.36]))


def test_greedy_reads_the_best_path(rng):
    log_probs, lengths = log_softmax(rng.normal(size=(9, 3, 4))).astype("float32"), [9, 1, 5]
    for n, found in enumerate(ctc_greedy(log_probs, lengths, blank=2)):
        scores = log_probs[: lengths[n], n]
        assert found.labels == read(scores.argmax(axis=1).tolist(), blank=2)
        assert found.log_prob == pytest.approx(scores.max(axis=1).sum())


def test_repeats_are_merged_before_blanks_are_dropped():
    path = [0, 0, 1, 1, 0, 1, 2, 2, 0]
    log_probs = np.log(np.full((len(path), 1, 3), 1e-3))
    log_probs[np.arange(len(path)), 0, path] = 0
    assert ctc_greedy(log_probs)[0].labels == (1, 1, 2)
    assert ctc_beam_search(log_probs, beam_width=1)[0][0].labels == (1, 1, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beam_width": 0}, "beam_width must be at least 1, got 0"),
        ({"input_lengths": [5, 2]}, "input_lengths must be 2 numbers from 0 to 4, got [5, 2]"),
        ({"input_lengths": [4]}, "input_lengths must be 2 numbers from 0 to 4, got [4]"),
        ({"blank": 3}, "blank must be one of the 3 classes, got 3"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ctc_beam_search(np.zeros((4, 2, 3)), **arguments)
