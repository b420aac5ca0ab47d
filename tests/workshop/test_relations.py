"""How wrong numbers relate to the right ones, and why a shape is wrong."""

import numpy as np
import pytest

from handmade.workshop.judging.relations import place, relation
from handmade.workshop.judging.shapes import shape_difference


@pytest.fixture
def right(rng) -> list[np.ndarray]:
    return [rng.standard_normal((4, 6)), rng.standard_normal((5, 8))]


SIZES = [{"axis 0 of x": 4, "axis 1 of x": 6}, {"axis 0 of x": 5, "axis 1 of x": 8}]

RELATIONS = [
    (lambda e: 0 * e, "is all zeros"),
    (lambda e: 2 * e, "is exactly 2 times too large"),
    (lambda e: e / 3, "is exactly 3 times too small"),
    (lambda e: -e, "has the wrong sign"),
    (lambda e: -2 * e, "is exactly 2 times too large and has the wrong sign"),
    (lambda e: e / e.shape[0], "is 1 / axis 0 of x times what is right"),
    (lambda e: e * np.sqrt(e.shape[1]), "is sqrt(axis 1 of x) times what is right"),
    (lambda e: e * e.sum(), "is what is right times a number that differs from case to case"),
    (lambda e: e + 0.5, "is off by +0.5 everywhere"),
    (lambda e: e - e.mean(), "is off by one number in each case"),
    (lambda e: e[::-1], "is reversed along axis -2"),
    (lambda e: np.sort(e, -1), "is sorted along axis -1"),
    (lambda e: np.roll(e, 1, -1), "is shifted by one position along axis -1"),
    (lambda e: e[[2, 0, 1, 3, *range(4, len(e))]], "has the right slices in the wrong order along axis -2"),
    (lambda e: e.T.reshape(e.shape), "holds the right numbers in the wrong places"),
    (lambda e: e * e, "is the square of what is right"),
    (lambda e: np.maximum(e, 0), "is what is right, with negative numbers set to zero"),
    (lambda e: e / e.sum(0), "is right but for a factor of its own for each slice along axis -1"),
    (lambda e: e * (1 + 1e-3 * np.cos(e)), "is nearly right, to"),
]


@pytest.mark.parametrize(("wrong", "words"), RELATIONS)
def test_relations(right, wrong, words):
    found = relation([(wrong(e), e) for e in right], SIZES)
    assert found is not None
    assert found.startswith(words)


def test_what_has_no_relation_has_none(right, rng):
    assert relation([(rng.standard_normal(e.shape), e) for e in right], SIZES) is None
    assert relation([(np.array(3.0), np.array(2.0))], [{}]) is None


def test_single_numbers_over_several_cases():
    pairs = [(np.array(2.0 * x), np.array(x)) for x in (1.0, 3.0)]
    assert relation(pairs, [{}, {}]) == "is exactly 2 times too large"


PLACES = [
    (np.s_[..., 0], "only at the first position along axis -1"),
    (np.s_[-1], "only at the last position along axis -2"),
    (np.s_[1:], "only after the first position along axis -2"),
    (np.s_[:, ::2], "only at even positions along axis -1"),
    (np.s_[:, [0, -1]], "only at both ends along axis -1"),
]


@pytest.mark.parametrize(("region", "words"), PLACES)
def test_places(right, region, words):
    pairs = []
    for expected in right:
        got = expected.copy()
        got[region] += 1
        pairs.append((got, expected))
    assert place(pairs) == words


def test_places_in_the_plane(right):
    assert place([(e + np.triu(np.ones(e.shape), 1), e) for e in right]) == "only above the diagonal"
    assert place([(e + np.eye(*e.shape), e) for e in right]) == "only on the diagonal"
    frame = [np.pad(np.zeros((e.shape[0] - 2, e.shape[1] - 2)), 1, constant_values=1) for e in right]
    pairs = [(e + f, e) for e, f in zip(right, frame, strict=True)]
    assert place(pairs) == "only at the border of the last two axes"


def test_everywhere_is_no_place(right):
    assert place([(e + 1, e) for e in right]) is None


SHAPES = [
    ((5, 3), (3, 5), "It is transposed."),
    ((2, 4, 3), (2, 3, 4), "The axes are in another order: yours are the expected axes (0, 2, 1)."),
    ((4, 3, 2), (2, 3, 4), "Its axes are in the reverse order."),
    ((), (3, 5), "It is a single number: is it summed or averaged over too many axes?"),
    ((1,), (), "It is an array of one number where a plain number is expected: index or sum it."),
    ((3, 1), (3,), "It has an axis of size 1 too many: keepdims=True, or an index kept?"),
    ((3,), (3, 1), "An axis of size 1 is missing: keepdims=True, or a squeeze too many?"),
    ((5, 6), (2, 5, 6), "The leading (batch) axis is missing, of size 2."),
    ((3, 7), (3, 7, 6), "Axis 2 is missing, of size 6."),
    ((3, 7, 6), (3, 6), "There is an axis too many: axis 1, of size 7."),
    ((3, 6), (3, 5), "Axis 1 has size 6, expected 5 (as axis 0 of K). It is one off: count the positions again."),
    (
        (3, 10),
        (3, 5),
        "Axis 1 has size 10, expected 5 (as axis 0 of K). It is 2 times as long: not split, or not reduced?",
    ),
    ((3, 3), (3, 12), "Axis 1 has size 3, expected 12. It is 4 times too short: not joined again?"),
    ((1, 2, 3, 4), (7, 5), "It has 4 axes instead of 2."),
]


@pytest.mark.parametrize(("got", "expected", "words"), SHAPES)
def test_shapes(got, expected, words):
    assert shape_difference(got, expected, {"axis 0 of K": 5}) == words
