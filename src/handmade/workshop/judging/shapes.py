"""Why an array has the wrong shape: in words, as far as the sizes tell."""

from math import prod

Sizes = dict[str, int]
"""The axes of a case's arguments: "axis 0 of x" -> 5."""


def shape_difference(got: tuple[int, ...], expected: tuple[int, ...], sizes: Sizes) -> str:
    """What to say beside the two shapes."""
    if got == () and expected:
        return "It is a single number: is it summed or averaged over too many axes?"
    if prod(got) == 1 and expected == ():
        return "It is an array of one number where a plain number is expected: index or sum it."
    if got == expected[::-1]:
        return "It is transposed." if len(got) == 2 else "Its axes are in the reverse order."
    if sorted(got) == sorted(expected):
        return f"The axes are in another order: {_moved(got, expected)}."
    without_ones = [tuple(size for size in shape if size != 1) for shape in (got, expected)]
    if without_ones[0] == without_ones[1]:
        more = len(got) > len(expected)
        return (
            "It has an axis of size 1 too many: keepdims=True, or an index kept?"
            if more
            else ("An axis of size 1 is missing: keepdims=True, or a squeeze too many?")
        )
    if len(got) == len(expected) - 1:
        axis = next(k for k in range(len(expected)) if k == len(got) or got[k] != expected[k])
        which = "The leading (batch) axis" if axis == 0 else f"Axis {axis}"
        return f"{which} is missing, of size {expected[axis]}{_named(expected[axis], sizes)}."
    if len(got) == len(expected) + 1:
        axis = next(k for k in range(len(got)) if k == len(expected) or got[k] != expected[k])
        return f"There is an axis too many: axis {axis}, of size {got[axis]}{_named(got[axis], sizes)}."
    if len(got) == len(expected):
        wrong = [k for k in range(len(got)) if got[k] != expected[k]]
        return " ".join(_axis(k, got[k], expected[k], sizes) for k in wrong)
    return f"It has {len(got)} axes instead of {len(expected)}."


def _axis(axis: int, got: int, expected: int, sizes: Sizes) -> str:
    text = f"Axis {axis} has size {got}{_named(got, sizes)}, expected {expected}{_named(expected, sizes)}."
    if abs(got - expected) == 1:
        return f"{text} It is one off: count the positions again."
    if expected and got % expected == 0:
        return f"{text} It is {got // expected} times as long: not split, or not reduced?"
    if got and expected % got == 0:
        return f"{text} It is {expected // got} times too short: not joined again?"
    return text


def _moved(got: tuple[int, ...], expected: tuple[int, ...]) -> str:
    free = list(range(len(expected)))
    order = []
    for size in got:
        source = next(k for k in free if expected[k] == size)
        free.remove(source)
        order.append(source)
    return f"yours are the expected axes {tuple(order)}"


def _named(size: int, sizes: Sizes) -> str:
    """Which arguments' axes have this size."""
    names = [name for name, other in sizes.items() if other == size]
    return f" (as {names[0]})" if names else ""
