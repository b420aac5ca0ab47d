"""The optimizers' compiled steps against the plain ones, in any order of memory."""

import numpy as np
import pytest

from handmade.kernels import optimizers
from tests.support.compiled_forms import using

pytest.importorskip("numba")

STEPS = {
    optimizers.sgd: [(0.1, 0.0), (0.1, 0.01)],
    optimizers.sgd_momentum: [(0.1, 0.9, 0.01, True), (0.1, 0.9, 0.0, False)],
    optimizers.adam: [(0.01, 0.9, 0.99, 0.3, 1e-8, 0.01, 1.0), (0.01, 0.9, 0.999, 0.1, 0.1, 0.0, 0.99)],
}


@pytest.mark.parametrize(("step", "options"), [(step, options) for step in STEPS for options in STEPS[step]])
@pytest.mark.parametrize("shape", [(7,), (300, 401), (40, 3, 5, 65)])
@pytest.mark.parametrize("last_first", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_a_step(step, options, shape, last_first, count, rng):
    states = {optimizers.sgd: 0, optimizers.sgd_momentum: 1, optimizers.adam: 2}[step]
    arrays = [rng.normal(size=shape) for _ in range(2 + states)]
    if states == 2:
        arrays[3] = abs(arrays[3])
    if last_first:
        arrays = [array.transpose() for array in arrays]
    ours, exact = [array.astype("f4", order="K") for array in arrays], [array.copy("K") for array in arrays]
    ours[1].flags.writeable = False
    with using("compiled", count):
        step(*ours, *options)
    step.plain(*exact, *options)
    for one, right in zip(ours, exact, strict=True):
        np.testing.assert_allclose(one, right, rtol=2e-5, atol=2e-6)
