"""Classes of characters by Unicode category, for the standard library's `re`, which has no \\p{L}."""

import unicodedata
from functools import cache

LAST_ASSIGNED_PLANE = 0x40000
"""No letter and no number is beyond: only tags, variation selectors and private use."""

WHITESPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
r"""Unicode's property White_Space. Python's \s has U+001C to U+001F besides."""


@cache
def category_class(initial: str) -> str:
    """The inside of a `[...]` that matches the categories beginning with `initial`: "L" letters, "N" numbers.

    Categories are those of Python's own `unicodedata`, so of the Unicode version that this Python knows.
    """
    ranges: list[list[int]] = []
    for code in range(LAST_ASSIGNED_PLANE):
        if unicodedata.category(chr(code))[0] == initial:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
