"""What is swept: the values that are listed for a setting, or drawn from a range; and the trials they make.

learning_rate=1e-3,3e-4     each of them
learning_rate=1e-4..1e-2    drawn at random
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from handmade.errors import InputError
from handmade.tasks.recipe import Recipe, setting

MOST = 10_000
"""Trials of a sweep: more were hardly meant."""

DRAWS = 10
"""How many trials ranges make where nothing is said."""

ATTEMPTS = 100
"""Draws for each trial that is to be new: a range of three whole numbers has no fourth."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both possible: evenly, or where they span a factor of ten, evenly by logarithm."""

    low: float
    high: float

    def draw(self, generator: np.random.Generator) -> float:
        """One of them: whole if both ends are, otherwise with three digits."""
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        low, high = (self.low - 0.5, self.high + 0.5) if whole else (self.low, self.high)
        if self.low > 0 and self.high / self.low >= 10:
            drawn = math.exp(generator.uniform(math.log(low), math.log(high)))
        else:
            drawn = generator.uniform(low, high)
        rounded = round(drawn) if whole else float(f"{drawn:.3g}")
        return min(max(rounded, self.low), self.high)


Axis = list[Any] | Range

Values = dict[str, Any]
"""The values of a trial, by setting."""


def read_axes(recipe: Recipe, over: Sequence[str]) -> dict[str, Axis]:
    """What each `key=...` of `over` stands for; a key that comes twice adds its values.

    Values are read as those of --set, with the same errors; whether the recipe allows them is seen when they are all
    together. InputError also for what is no list or range.
    """
    if not over:
        raise InputError("nothing to sweep: name a setting and its values, for example learning_rate=1e-3,3e-4.")
    axes: dict[str, Axis] = {}
    for one in over:
        key, equals, text = one.partition("=")
        if not equals or not text:
            raise InputError(f"{one}: expected key=value,value or key=low..high, for example learning_rate=1e-3,3e-4.")
        low, dots, high = text.partition("..")
        if dots:
            axis: Axis = _range(one, _value(recipe, key, low), _value(recipe, key, high))
        else:
            axis = [_value(recipe, key, value) for value in text.split(",")]
        known = axes.get(key, [] if isinstance(axis, list) else None)
        if isinstance(axis, Range) and known is None:
            axes[key] = axis
        elif isinstance(axis, list) and isinstance(known, list):
            axes[key] = list(dict.fromkeys([*known, *axis]))
        else:
            raise InputError(f"{key} is swept twice: over a range it can be only once.")
    return axes


def _value(recipe: Recipe, key: str, text: str) -> Any:
    return setting(recipe, f"{key}={text.strip()}")[1]


def _range(one: str, low: Any, high: Any) -> Range:
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high)):
        raise InputError(f"{one}: a range has a number at each end; list other values, separated by commas.")
    if not low < high:
        raise InputError(f"{one}: a range begins with its lower end.")
    return Range(low, high)


def trials_of(axes: Mapping[str, Axis], draws: int | None, seed: int) -> list[Values]:
    """The values of each trial, all different.

    Of lists alone, every combination. With ranges, `draws` trials, which the combinations of the lists take turns in;
    the same seed gives the same, and more draws begin with the fewer. InputError for a number of draws without a range.
    """
    ranges = {key: axis for key, axis in axes.items() if isinstance(axis, Range)}
    lists = {key: axis for key, axis in axes.items() if isinstance(axis, list)}
    if math.prod(map(len, lists.values())) > MOST:
        raise InputError(f"that is more than {MOST:,} combinations: list fewer values, or give ranges.")
    grid = [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]
    if not ranges:
        if draws is not None:
            raise InputError("trials is for ranges, as learning_rate=1e-4..1e-2; of lists, all combinations are run.")
        return grid
    count = DRAWS if draws is None else draws
    if not 1 <= count <= MOST:
        raise InputError(f"trials is {count}, expected 1 to {MOST:,}.")
    return list(itertools.islice(_new(grid, ranges, list(axes), seed, ATTEMPTS * count), count))


def _new(
    grid: list[Values], ranges: Mapping[str, Range], keys: list[str], seed: int, attempts: int
) -> Iterator[Values]:
    generator, seen = np.random.default_rng(seed), set[tuple[Any, ...]]()
    for attempt in range(attempts):
        values = grid[attempt % len(grid)] | {key: one.draw(generator) for key, one in ranges.items()}
        ordered = {key: values[key] for key in keys}
        if tuple(ordered.values()) not in seen:
            seen.add(tuple(ordered.values()))
            yield ordered
