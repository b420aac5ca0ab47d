"""What a solution draws with np.random, followed through the scaling of it: `rng.standard_normal(shape) * 0.02`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

NAMES = ("randn", "rand", "normal", "standard_normal", "uniform", "random", "random_sample")


class Drawn(np.ndarray):
    """An array that was drawn. place: the list in which it is kept as scaled so far, and its number there.

    Multiplied or divided by a number it is still the same weights, and is kept anew. Whatever else is done to it gives
    an array that has no place.
    """

    place: tuple[list[Any], int] | None = None

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        plain = [_plain(value) for value in inputs]
        if out is not None:
            options["out"] = tuple(map(_plain, out))
        result = getattr(ufunc, method)(*plain, **options)
        place = _place(ufunc, method, inputs)
        if place is None:
            return result if out is None else out[0]
        kept = result.view(Drawn) if out is None else out[0]
        drawn, number = kept.place = place
        drawn[number] = np.array(result)
        return kept


@contextmanager
def keeping(gains: Sequence[float] = ()) -> Iterator[list[Any]]:
    """Keep what np.random draws, in order. gains: what the first draws are multiplied by before they are given out."""
    drawn: list[Any] = []

    def kept(draw: Any) -> Any:
        def keep(*args: Any, **options: Any) -> Any:
            array, number = draw(*args, **options), len(drawn)
            if not (isinstance(array, np.ndarray) and array.dtype.kind == "f"):
                drawn.append(np.array(array))
                return array
            array = array * gains[number] if number < len(gains) else array
            drawn.append(np.array(array))
            given = array.view(Drawn)
            given.place = drawn, number
            return given

        return keep

    class Keeping:
        """A generator whose draws are kept."""

        def __init__(self, *args: Any, **options: Any) -> None:
            self.generator = made(*args, **options)

        def __getattr__(self, name: str) -> Any:
            return kept(getattr(self.generator, name))

    made = np.random.default_rng
    before = {name: getattr(np.random, name) for name in NAMES}
    try:
        np.random.default_rng = Keeping
        for name, draw in before.items():
            setattr(np.random, name, kept(draw))
        yield drawn
    finally:
        np.random.default_rng = made
        for name, draw in before.items():
            setattr(np.random, name, draw)


def gain(weights: np.ndarray) -> float:
    """What brings weights to a mean square of 1; 1 for what has no size."""
    size = float(np.sqrt(np.mean(np.square(weights)))) if weights.dtype.kind == "f" and weights.size else 0.0
    return 1 / size if 0 < size < np.inf else 1.0


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Drawn) else value


def _place(ufunc: np.ufunc, method: str, inputs: Sequence[Any]) -> tuple[list[Any], int] | None:
    """The place of the array that this multiplies or divides by a number."""
    if method != "__call__" or ufunc not in (np.multiply, np.divide):
        return None
    pairs = [inputs, inputs[::-1]] if ufunc is np.multiply else [inputs]
    for array, factor in pairs:
        if isinstance(array, Drawn) and np.ndim(factor) == 0:
            return array.place
    return None
