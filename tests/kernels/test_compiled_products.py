"""Products of matrices, cut into blocks by rows, by columns or by batch."""

import numpy as np
import pytest

from handmade.kernels import products
from tests.support.compiled_forms import assert_same

pytest.importorskip("numba")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((1, 1), (1, 1)),
        ((300, 65), (65, 70)),
        ((17, 130), (130, 900)),
        ((4, 3, 50, 16), (4, 3, 16, 50)),
        ((5, 60, 33), (33, 40)),
        ((60, 33), (5, 33, 40)),
        ((1, 40, 33), (7, 33, 5)),
        ((2, 1, 40, 33), (6, 33, 50)),
    ],
)
def test_products(a, b, rng):
    x, y = rng.normal(size=a).astype("f4"), rng.normal(size=b).astype("f4")
    assert_same(products.matmul, x, y)
    wide = rng.normal(size=(*a[:-1], 2 * a[-1])).astype("f4")
    x = np.asfortranarray(wide)[..., ::2]
    x.flags.writeable = False
    assert_same(products.matmul, x, y[..., ::-1])
    assert_same(products.matmul, y.swapaxes(-1, -2), x.swapaxes(-1, -2))


def test_large_products(rng):
    x, y = rng.normal(size=(700, 300)).astype("f4"), rng.normal(size=(300, 500)).astype("f4")
    assert_same(products.matmul, x, y)
    assert_same(products.matmul, y.T, x.T)
