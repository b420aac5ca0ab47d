import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.ops.embedding import embedding
from tests.support.against_torch import agrees_with_torch, run

few = settings(max_examples=30, deadline=None, derandomize=True)
F = torch.nn.functional
SIZE = st.integers(0, 6)


@few
@given(shape=st.lists(SIZE, max_size=3), rows=st.integers(1, 9), features=st.integers(1, 4), seed=st.integers(0, 99))
def test_rows_used_often_once_and_never(shape, rows, features, seed):
    rng = np.random.default_rng(seed)
    weight, indices = rng.normal(size=(rows, features)), rng.integers(0, rows, shape)
    agrees_with_torch(embedding, lambda w: F.embedding(torch.tensor(indices), w), weight, indices=indices)


@pytest.mark.parametrize("uses", [1, 2, 3, 7, 64, 1000])
def test_many_uses_of_one_row(rng, uses):
    weight, indices = rng.normal(size=(5, 3)), np.array([2] * uses + [4, 0, 4])
    rng.shuffle(indices)
    agrees_with_torch(embedding, lambda w: F.embedding(torch.tensor(indices), w), weight, indices=indices)


@pytest.mark.parametrize("padding_idx", [0, 2])
def test_the_padding_row_gets_no_gradient(rng, padding_idx):
    weight, indices = rng.normal(size=(4, 3)), np.array([[2, 0, 2], [1, 1, 0]])
    options = {"indices": indices, "padding_idx": padding_idx}
    theirs = lambda w: F.embedding(torch.tensor(indices), w, padding_idx)
    agrees_with_torch(embedding, theirs, weight, **options)
    _, (gradient,), _ = run(embedding, [weight], options)
    assert not gradient[padding_idx].any()


@pytest.mark.parametrize("index", [4, -1])
def test_index_outside_the_table(index):
    with pytest.raises(IndexError, match=f"index {index} is outside the table, which has 4 rows"):
        embedding(np.ones((4, 3)), indices=np.array([[0, 1], [index, 7]]))


def test_indices_that_are_no_integers():
    with pytest.raises(TypeError, match="indices are float64, expected integers"):
        embedding(np.ones((4, 3)), indices=np.array([0.0, 1.0]))
