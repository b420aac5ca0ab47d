"""Positions as rotations: query and key are rotated by an angle that grows with their position, so that their product
depends only on how far apart they stand.

    a  = (offset + s) * base^(-2i / d)              s: row, from 0;  i: pair, from 0
    x' = x cos a - y sin a,   y' = x sin a + y cos a

Pair i is columns 2i and 2i + 1 of x, (S, d); d is even. offset is the position of the first row, as when text is
continued from a cache. Return an array of the same shape.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import convention, wrong


def rotary(x, base=10000.0, offset=0):
    """x (S, d), d even -> (S, d), each pair of columns rotated by its angle."""
    S, d = x.shape
    if wrong("ignores the base"):
        base = 10000.0
    if wrong("ignores the offset"):
        offset = 0
    position = offset + np.arange(S)
    if wrong("positions from 1"):
        position = position + 1
    twice_i = np.arange(0, d, 2)
    if wrong("i in place of 2i"):
        twice_i = twice_i / 2
    elif wrong("2i doubled"):
        twice_i = twice_i * 2
    frequency = base ** ((twice_i if wrong("exponent not negative") else -twice_i) / d)
    angle = position[:, None] * frequency  # S d/2
    first, second = np.arange(0, d, 2), np.arange(1, d, 2)
    if convention("halves"):
        first, second = np.arange(d // 2), np.arange(d // 2, d)
    angles = np.empty((S, d))
    angles[:, first] = angles[:, second] = angle
    if wrong("angles of the other layout"):
        angles = np.repeat(angle, 2, axis=1) if convention("halves") else np.tile(angle, 2)
    if wrong("each column its own angle"):
        angles = position[:, None] * base ** (-np.arange(d) / d)
    cos, sin = np.cos(angles), np.sin(angles)
    if wrong("sine and cosine exchanged"):
        cos, sin = sin, cos
    if wrong("turns the other way"):
        sin = -sin
    quarter = np.empty_like(x)  # x turned by 90 degrees
    quarter[:, first], quarter[:, second] = -x[:, second], x[:, first]
    if wrong("minus forgotten"):
        quarter[:, first] = x[:, second]
    turned = x * cos + quarter * sin
    if wrong("second from the turned first"):
        turned[:, second] = turned[:, first] * sin[:, second] + x[:, second] * cos[:, second]
    if wrong("put back in another order"):
        turned = np.concatenate([turned[:, 0::2], turned[:, 1::2]], axis=1)
    return turned


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Several pairs, offsets and bases; S = d in one."""
    for label, S, d, options in [
        ("one pair", 4, 2, {}),
        ("three pairs", 5, 6, {}),
        ("four pairs", 3, 8, {}),
        ("S = d", 4, 4, {}),
        ("another base", 5, 6, {"base": 100.0}),
        ("an offset", 3, 6, {"offset": 7}),
        ("one row with an offset", 1, 8, {"offset": 3, "base": 500.0}),
    ]:
        yield Case(label, (rng.standard_normal((S, d)),), options)


EXERCISE = Exercise(
    title="Rotary positions",
    paper="Su et al. 2021, RoFormer, section 3.2.2 and equation 34",
    minutes=12,
    functions=(rotary,),
    outputs=("turned",),
    cases=cases,
    rtol=1e-4,  # angles in PyTorch's default float32 are good enough
    atol=1e-5,
    conventions={
        "halves": "Pair i is columns i and i + d/2, as in GPT-NeoX and most code for LLaMA; the paper has 2i, 2i + 1."
    },
    faults={
        "turns the other way": Fault(
            "The pairs are rotated by -a: x cos a + y sin a.",
            "Products of queries and keys still depend on the distance alone, but published weights do not fit.",
            "x' = x cos a - y sin a, y' = x sin a + y cos a.",
        ),
        "minus forgotten": Fault(
            "x' is x cos a + y sin a while y' is x sin a + y cos a: the minus is missing.",
            "It is not a rotation: lengths change, and products no longer depend on the distance alone.",
            "x' = x cos a - y sin a.",
        ),
        "second from the turned first": Fault(
            "y' is computed from x', which has been overwritten already.",
            "It is not a rotation: lengths change with the position.",
            "Keep the old x until y' has been computed.",
        ),
        "sine and cosine exchanged": Fault(
            "Sine and cosine are exchanged.",
            "Position 0 is rotated by 90 degrees instead of not at all, and the others the wrong way.",
            "At angle 0 nothing moves: cos multiplies x in x'.",
        ),
        "angles of the other layout": Fault(
            "Angles and pairs are laid out differently: neighbours are paired but angles repeat by halves, or "
            "the reverse.",
            "The two members of a pair turn by different angles, so products depend on absolute positions.",
            "Neighbouring pairs want np.repeat(angle, 2, axis=-1), halves want np.tile(angle, 2).",
        ),
        "each column its own angle": Fault(
            "The exponent uses the column's own number, so the two members of a pair turn by different angles.",
            "It is not a rotation: lengths change with the position.",
            "Columns 2i and 2i + 1 share the angle of pair i.",
        ),
        "put back in another order": Fault(
            "Neighbours are paired, but the results are put side by side in halves.",
            "Columns change places; it shows as soon as something is compared with other weights, or with what "
            "was not turned.",
            "out[:, 0::2] and out[:, 1::2], or stack on a last axis of 2 and reshape.",
        ),
        "i in place of 2i": Fault(
            "The exponent is -i / d, where it should be -2i / d.",
            "The slowest pair turns 100 times too fast: far positions look alike.",
            "np.arange(0, d, 2) / d.",
        ),
        "2i doubled": Fault(
            "The exponent is -4i / d: the factor 2 is applied to numbers that already go in steps of 2.",
            "Half of the pairs hardly turn over any sequence.",
            "np.arange(0, d, 2) is 2i already: divide it by d as it is.",
        ),
        "exponent not negative": Fault(
            "The frequencies are base^(2i / d): the minus in the exponent is missing.",
            "Pairs turn thousands of times from one position to the next, which looks like noise.",
            "base ** (-2i / d), or 1 / base ** (2i / d).",
        ),
        "positions from 1": Fault(
            "Positions are counted from 1.",
            "Within one sequence nothing changes, but tokens added from a cache are off by one against the others.",
            "offset + np.arange(S): row 0 at offset 0 is not rotated.",
        ),
        "ignores the offset": Fault(
            "The offset is not used.",
            "When text is continued from a cache, each new token believes that it is the first.",
            "Positions are offset + np.arange(S).",
        ),
        "ignores the base": Fault(
            "The base is always 10000.",
            "Models trained for long contexts use another base, and come out wrong.",
            "Use the argument.",
        ),
    },
    hints=(
        "One angle for each row and pair; each pair is a point in the plane that is rotated by it.",
        "x[:, 0::2] and x[:, 1::2] are the pairs' members, and both need the same angle, (S, d/2).",
        "a = (offset + np.arange(S))[:, None] * base ** (-np.arange(0, d, 2) / d); "
        "out[:, 0::2] = x0 * cos - x1 * sin; out[:, 1::2] = x0 * sin + x1 * cos",
    ),
)
