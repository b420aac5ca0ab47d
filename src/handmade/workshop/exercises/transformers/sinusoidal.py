"""Attention does not know the order of its input; adding this table to the embeddings tells it.

    PE[pos, 2i]     = sin(pos / 10000^(2i / d_model))
    PE[pos, 2i + 1] = cos(pos / 10000^(2i / d_model))

pos counts from 0. Return the table, (length, d_model). d_model may be odd: the last column is then a sine.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def positional_encoding(length, d_model):
    """-> (length, d_model), sines in the even columns, cosines in the odd ones."""
    position = np.arange(length)[:, None]
    if wrong("positions from 1"):
        position = position + 1
    column = np.arange(d_model)
    even = column - column % 2  # 2i, for the sine and for its cosine
    if wrong("each column its own frequency"):
        even = column
    if wrong("i in place of 2i"):
        even = even / 2
    elif wrong("2i doubled"):
        even = even * 2
    width = d_model + d_model % 2 if wrong("odd width rounded up") else d_model
    if wrong("last frequency 1 / 10000"):
        width = max(d_model - 2, 1)
    base = 1000.0 if wrong("base 1000") else np.e if wrong("no logarithm of 10000") else 10000.0
    exponent = -even / width if wrong("multiplies by the power") else even / width
    angle = position / base**exponent  # length d_model
    is_sine = column % 2 == (1 if wrong("sine and cosine exchanged") else 0)
    if wrong("only sines"):
        is_sine[:] = True
    table = np.where(is_sine, np.sin(angle), np.cos(angle))
    if wrong("halves side by side"):
        table = np.concatenate([table[:, 0::2], table[:, 1::2]], axis=1)
    return table.T if wrong("positions along the columns") else table


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Even and odd widths, square in one, positions large enough for the slow frequencies to show."""
    for label, length, d_model in [
        ("one position", 1, 6),
        ("even width", 7, 8),
        ("odd width", 6, 5),
        ("as long as wide", 4, 4),
        ("narrow", 5, 2),
        ("long", 60, 12),
        ("long, odd width", 50, 7),
    ]:
        yield Case(label, (length, d_model))


EXERCISE = Exercise(
    title="Sinusoidal positions",
    paper="Vaswani et al. 2017, Attention Is All You Need, section 3.5",
    minutes=8,
    functions=(positional_encoding,),
    outputs=("encoding",),
    cases=cases,
    rtol=1e-4,  # PyTorch's default float32 is good enough
    atol=1e-4,
    faults={
        "each column its own frequency": Fault(
            "The exponent uses the column's own number, so a cosine has another frequency than its sine.",
            "Sine and cosine no longer form a pair that rotates: a shift in position is no longer a rotation.",
            "Columns 2i and 2i + 1 share the exponent 2i / d_model.",
        ),
        "i in place of 2i": Fault(
            "The exponent is i / d_model, where it should be 2i / d_model.",
            "Wavelengths end at 2 pi 100 instead of 2 pi 10000: far positions look alike.",
            "For pair i the exponent is 2i / d_model; np.arange(0, d_model, 2) already counts 2i.",
        ),
        "2i doubled": Fault(
            "The exponent is 4i / d_model: the factor 2 is applied to column numbers that already go in steps of 2.",
            "Half of the columns hardly move over any sequence.",
            "np.arange(0, d_model, 2) is 2i already: divide it by d_model as it is.",
        ),
        "halves side by side": Fault(
            "All sines come first and all cosines after them; they should be interleaved.",
            "A model trained from scratch does not mind; published weights do.",
            "table[:, 0::2] = sin(angle), table[:, 1::2] = cos(angle).",
        ),
        "sine and cosine exchanged": Fault(
            "Cosines stand in the even columns and sines in the odd ones.",
            "A model trained from scratch does not mind; published weights do.",
            "Even columns are sines: position 0 is 0, 1, 0, 1, ...",
        ),
        "only sines": Fault(
            "Every column is a sine.",
            "Each pair of columns is the same, and position p and its mirror on the wave cannot be told apart.",
            "The odd columns are cosines.",
        ),
        "positions from 1": Fault(
            "Positions are counted from 1.",
            "The table is shifted by one row against every published model.",
            "np.arange(length): position 0 is 0, 1, 0, 1, ...",
        ),
        "multiplies by the power": Fault(
            "The position is multiplied by 10000^(2i / d_model), where it should be divided.",
            "Frequencies grow without bound, and the columns look like noise.",
            "Divide, or use a negative exponent.",
        ),
        "base 1000": Fault(
            "The base is 1000, not 10000.",
            "The slowest waves are ten times too fast.",
            "10000 has four zeros.",
        ),
        "no logarithm of 10000": Fault(
            "The frequencies are exp(-2i / d_model): the logarithm of 10000 is missing.",
            "All columns have nearly the same frequency, and positions a few wavelengths apart look alike.",
            "exp(-2i / d_model * log(10000)) is 10000^(-2i / d_model).",
        ),
        "odd width rounded up": Fault(
            "For an odd d_model the exponent is divided by d_model + 1.",
            "Only odd widths differ from the formula.",
            "Divide by d_model itself, and leave out the last cosine.",
        ),
        "last frequency 1 / 10000": Fault(
            "The exponents are spread so that the last pair has frequency 1 / 10000 exactly: 2i / (d_model - 2).",
            "Some libraries do this; the paper does not, and published weights differ.",
            "Divide 2i by d_model.",
        ),
        "positions along the columns": Fault(
            "The table is transposed: (d_model, length).",
            "It cannot be added to the embeddings, or, where length and width agree, tells positions nothing.",
            "Rows are positions: np.arange(length)[:, None] / 10000 ** (...)[None, :].",
        ),
    },
    hints=(
        "One angle for each position and each pair of columns; a sine and a cosine of it.",
        "np.arange(0, d_model, 2) is 2i for every pair. An odd d_model has one sine more than cosines.",
        "angle = np.arange(length)[:, None] / 10000 ** (np.arange(0, d_model, 2) / d_model); "
        "table[:, 0::2] = sin(angle); table[:, 1::2] = cos(angle[:, : d_model // 2])",
    ),
)
