"""How wrong numbers relate to the right ones: a factor, sign, order or place. Each finding is a few words or None.

All look at several pairs of arrays at once, one per case: what is said is true of every one.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations

import numpy as np

Pairs = Sequence[tuple[np.ndarray, np.ndarray]]
"""(got, expected), of one shape each, which differ."""


def relation(pairs: Pairs, sizes: Sequence[dict[str, int]]) -> str | None:
    """What was got, said in terms of what was expected. `sizes`: of each case, the arguments' axes by name."""
    if all(not got.any() for got, _ in pairs):
        return "is all zeros"
    for found in (_factor(pairs, sizes), _offset(pairs), _order(pairs), _function(pairs), _own_factors(pairs)):
        if found:
            return found
    worst = max(_relative(got, expected) for got, expected in pairs)
    if worst < 1e-2:
        return f"is nearly right, to {worst:.0e} of its size: an epsilon, a lower precision or an approximation"
    return None


def place(pairs: Pairs) -> str | None:
    """Where the wrong numbers are, if not everywhere."""
    wrong = [~_near(got, expected) for got, expected in pairs]
    if all(mask.all() for mask in wrong):
        return None
    shared = min(mask.ndim for mask in wrong)
    if shared >= 2:
        for words, region in _IN_THE_PLANE.items():
            regions = [np.broadcast_to(region(*mask.shape[-2:]), mask.shape) for mask in wrong]
            if all(np.array_equal(mask, inside) for mask, inside in zip(wrong, regions, strict=True)):
                return f"only {words}"
    for axis in range(-1, -shared - 1, -1):
        touched = [_touched(mask, axis) for mask in wrong]
        for words, expected in _ALONG_AN_AXIS.items():
            if max(map(len, touched)) > 2 and all(np.array_equal(np.flatnonzero(t), expected(len(t))) for t in touched):
                return f"only {words} along axis {axis}"
    number = sum(int(mask.sum()) for mask in wrong)
    return f"in {number} of {sum(mask.size for mask in wrong)} numbers"


_ALONG_AN_AXIS: dict[str, Callable[[int], np.ndarray]] = {
    "at the first position": lambda n: np.array([0]),
    "at the last position": lambda n: np.array([n - 1]),
    "at both ends": lambda n: np.array([0, n - 1]),
    "after the first position": lambda n: np.arange(1, n),
    "before the last position": lambda n: np.arange(n - 1),
    "at odd positions": lambda n: np.arange(1, n, 2),
    "at even positions": lambda n: np.arange(0, n, 2),
    "in the first half": lambda n: np.arange(n // 2),
    "in the second half": lambda n: np.arange(n // 2, n),
}

_IN_THE_PLANE: dict[str, Callable[[int, int], np.ndarray]] = {
    "on the diagonal": lambda h, w: np.eye(h, w, dtype=bool),
    "above the diagonal": lambda h, w: ~np.tri(h, w, dtype=bool),
    "below the diagonal": lambda h, w: np.tri(h, w, -1, dtype=bool),
    "at the border of the last two axes": lambda h, w: _border(h, w),
}


def _factor(pairs: Pairs, sizes: Sequence[dict[str, int]]) -> str | None:
    found = [_constant_factor(got, expected) for got, expected in pairs]
    factors = [factor for factor in found if factor is not None]
    if len(factors) < len(found):
        return None
    first = factors[0]
    count = sum(expected.size for _, expected in pairs)
    if np.allclose(factors, first, rtol=1e-6) and count > 1:
        if np.isclose(first, -1, rtol=1e-6):
            return "has the wrong sign"
        return f"is exactly {_size(first)}"
    for power, words in () if count == 1 else ((1, "{}"), (-1, "1 / {}"), (0.5, "sqrt({})"), (-0.5, "1 / sqrt({})")):
        for name in sizes[0]:
            if all(name in s for s in sizes) and np.allclose(factors, [s[name] ** power for s in sizes], rtol=1e-6):
                return f"is {words.format(name)} times what is right"
    if min(expected.size for _, expected in pairs) == 1:
        return None
    return (
        f"is what is right times a number that differs from case to case: {', '.join(f'{f:.4g}' for f in factors[:4])}"
    )


def _size(factor: float) -> str:
    sign = "and has the wrong sign" if factor < 0 else ""
    size = abs(factor)
    words = f"{size:.6g} times too large" if size > 1 else f"{1 / size:.6g} times too small"
    return f"{words} {sign}".strip()


def _constant_factor(got: np.ndarray, expected: np.ndarray) -> float | None:
    scale = float((expected * expected).sum())
    if scale == 0:
        return None
    factor = float((got * expected).sum()) / scale
    return factor if factor != 0 and _near(got, factor * expected).all() else None


def _offset(pairs: Pairs) -> str | None:
    offsets = [float((got - expected).mean()) for got, expected in pairs]
    if not all(_near(g, e + offset).all() for (g, e), offset in zip(pairs, offsets, strict=True)):
        return None
    if np.allclose(offsets, offsets[0], rtol=1e-6) and sum(expected.size for _, expected in pairs) > 1:
        return f"is off by {offsets[0]:+.6g} everywhere"
    if min(expected.size for _, expected in pairs) == 1:
        return None
    return "is off by one number in each case, the same everywhere in it"


def _order(pairs: Pairs) -> str | None:
    """The right numbers, in the wrong places."""
    if min(expected.size for _, expected in pairs) == 1:
        return None
    if not all(_near(np.sort(g, axis=None), np.sort(e, axis=None)).all() for g, e in pairs):
        return None
    axes = min(expected.ndim for _, expected in pairs)
    if axes >= 2 and _all(pairs, lambda e: e.swapaxes(-1, -2)):
        return "has its last two axes swapped"
    for axis in range(-1, -axes - 1, -1):
        for words, moved in (
            ("is reversed", lambda e, axis=axis: np.flip(e, axis)),
            ("is sorted", lambda e, axis=axis: np.sort(e, axis)),
            ("is shifted by one position", lambda e, axis=axis: np.roll(e, 1, axis)),
            ("is shifted back by one position", lambda e, axis=axis: np.roll(e, -1, axis)),
            ("has even and odd positions swapped", lambda e, axis=axis: _swapped_neighbours(e, axis)),
        ):
            if _all(pairs, moved):
                return f"{words} along axis {axis}"
        if all(_permuted(got, expected, axis) for got, expected in pairs):
            return f"has the right slices in the wrong order along axis {axis}"
    return "holds the right numbers in the wrong places: a reshape where a transposition was meant?"


def _function(pairs: Pairs) -> str | None:
    """One plain function of the right result."""
    for words, function in (
        ("is the absolute value of what is right", np.abs),
        ("is the square of what is right", np.square),
        ("is the square root of what is right", lambda e: np.sqrt(np.abs(e))),
        ("is one minus what is right", lambda e: 1 - e),
        ("is one divided by what is right", lambda e: 1 / e),
        ("is the logarithm of what is right", lambda e: np.log(np.abs(e))),
        ("is the exponential of what is right", np.exp),
        ("is what is right, with negative numbers set to zero", lambda e: np.maximum(e, 0)),
        ("is what is right, rounded to whole numbers", np.round),
        ("is what is right, cut to whole numbers", np.trunc),
    ):
        with np.errstate(all="ignore"):
            if _all(pairs, function):
                return words
    return None


def _own_factors(pairs: Pairs) -> str | None:
    """Each slice along an axis times a factor of its own: normalised over the wrong numbers, or not at all."""
    axes = min(expected.ndim for _, expected in pairs)
    for axis in range(-1, -axes - 1, -1):
        if all(_factor_per_slice(got, expected, axis) for got, expected in pairs):
            return f"is right but for a factor of its own for each slice along axis {axis}: is a sum or a mean wrong?"
    return None


def _factor_per_slice(got: np.ndarray, expected: np.ndarray, axis: int) -> bool:
    got, expected = (np.moveaxis(a, axis, 0).reshape(a.shape[axis], -1) for a in (got, expected))
    if got.shape[1] < 3:
        return False
    squares = (expected * expected).sum(1)
    if (squares == 0).any():
        return False
    factors = (got * expected).sum(1) / squares
    return bool(_near(got, factors[:, None] * expected).all())


def _all(pairs: Pairs, function: Callable[[np.ndarray], np.ndarray]) -> bool:
    """Whether the function makes of each expected array what was got."""
    made = ((got, function(expected)) for got, expected in pairs)
    return all(got.shape == wanted.shape and _near(got, wanted).all() for got, wanted in made)


def _permuted(got: np.ndarray, expected: np.ndarray, axis: int) -> bool:
    n = expected.shape[axis]
    orders: Iterator[tuple[int, ...]] = permutations(range(n)) if n <= 6 else iter(())
    return any(_near(got, np.take(expected, order, axis)).all() for order in orders)


def _swapped_neighbours(array: np.ndarray, axis: int) -> np.ndarray:
    order = np.arange(array.shape[axis]) ^ 1
    return np.take(array, np.minimum(order, len(order) - 1), axis)


def _touched(mask: np.ndarray, axis: int) -> np.ndarray:
    """Which positions along an axis have a wrong number anywhere."""
    return np.asarray(np.moveaxis(mask, axis, 0).reshape(mask.shape[axis], -1).any(1))


def _border(height: int, width: int) -> np.ndarray:
    inside = np.zeros((height, width), bool)
    inside[1:-1, 1:-1] = True
    return ~inside


def _near(got: np.ndarray, expected: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(np.isclose(got, expected, rtol=1e-5, atol=1e-8, equal_nan=True))


def _relative(got: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-300))
