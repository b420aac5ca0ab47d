"""What the tests of compiled kernels share: a compiled form against the plain one in float64."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from handmade.kernels import choice, threads


@contextmanager
def using(form: str, count: int = 1) -> Iterator[None]:
    """Kernels in this form, on so many threads; as before afterwards."""
    asked, before = choice._asked(), threads.get_num_threads()
    choice.use_kernels(form)
    threads.set_num_threads(count)
    try:
        yield
    finally:
        choice.use_kernels(asked)
        threads.set_num_threads(before)


def assert_same(kernel, *arguments, tolerance=2e-5, terms=0.0, **options):
    """The compiled form of `kernel` computes what its plain form computes in float64, on any number of threads.

    `tolerance` is a part of the exact result's root mean square: a sum of n float32 products loses about sqrt(n) of
    their 6e-8, whatever the order. `terms` is the size of terms that may cancel in the result: a few roundings of
    those, 1e-6, are allowed as well.
    """
    with using("compiled"):
        value = kernel(*arguments, **options)
    with using("compiled", 3):
        again = kernel(*arguments, **options)
    exact = kernel.plain(*[_wider(argument) for argument in arguments], **options)
    for one, other, right in zip(*map(_as_tuple, (value, again, exact)), strict=True):
        np.testing.assert_array_equal(one, other, err_msg="another number of threads, another result")
        assert one.shape == right.shape
        assert one.dtype == np.float32 or one.dtype == right.dtype
        scale = np.sqrt(np.mean(np.square(right))) if right.size else 0
        np.testing.assert_allclose(one, right, rtol=0, atol=tolerance * scale + 1e-6 * terms + 1e-30)


def _wider(argument):
    return argument.astype(np.float64) if getattr(argument, "dtype", None) == np.float32 else argument


def _as_tuple(value):
    return value if isinstance(value, tuple) else (value,)
