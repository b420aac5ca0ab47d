"""What a language model is trained on: pieces of a long text, each with the same piece shifted by one token.

    x[n] = data[starts[n] : starts[n] + block_size]
    y[n] = data[starts[n] + 1 : starts[n] + 1 + block_size]

so that y[n, t] is the token that follows x[n, : t + 1]. data is 1-D, starts are the first positions. Return x and y,
both (len(starts), block_size).
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def get_batch(data, starts, block_size):
    """data (L,), starts (N,) -> x (N, block_size), y (N, block_size)."""
    if wrong("first start for all"):
        starts = np.full_like(starts, starts[0])
    if wrong("starts taken as blocks"):
        starts = np.arange(len(starts)) * block_size
    position = starts[:, None] + np.arange(block_size)  # N block_size
    shift = 0 if wrong("not shifted") else 2 if wrong("shifted by two") else 1
    if wrong("shifted the other way"):
        shift = -shift
    if wrong("shifted by a block"):
        shift = shift * block_size
    x, y = data[position], data[position + shift]
    if wrong("the last target wraps round"):
        y[:, -1] = x[:, 0]
    if wrong("the last target is zero"):
        y[:, -1] = 0
    if wrong("the last token only"):
        y = y[:, -1]
    return (y, x) if wrong("x and y exchanged") else (x, y)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Starts in no order, at the end of the data, overlapping; a block of one token."""
    for label, length, starts, block_size in [
        ("one piece", 12, [3], 4),
        ("several pieces", 30, [17, 5, 9, 11], 6),
        ("up to the last token", 20, [14, 4, 8], 5),
        ("blocks of one token", 15, [7, 3, 13], 1),
    ]:
        yield Case(label, (rng.permutation(length) + 10, np.array(starts), block_size))


EXERCISE = Exercise(
    title="A batch for a language model",
    paper="Radford et al. 2018, Improving Language Understanding by Generative Pre-Training, section 3.1",
    minutes=5,
    functions=(get_batch,),
    outputs=("x", "y"),
    cases=cases,
    faults={
        "not shifted": Fault(
            "y is x: the targets are not shifted.",
            "The model learns to repeat the token it sees; its loss goes to 0, and it generates one token for ever.",
            "y begins at starts + 1.",
        ),
        "shifted by two": Fault(
            "y is two tokens ahead of x.",
            "The model learns to skip every other token.",
            "y begins at starts + 1.",
        ),
        "shifted the other way": Fault(
            "y is the token before x, not the one after it.",
            "The model has seen its target already: the loss goes to 0 and nothing is learned.",
            "y begins at starts + 1.",
        ),
        "shifted by a block": Fault(
            "y is the next block, block_size tokens ahead.",
            "The model is asked for a token that it cannot know, and learns how frequent tokens are.",
            "y overlaps x in all but one token: it begins at starts + 1.",
        ),
        "the last target wraps round": Fault(
            "The last target is x's first token, as np.roll makes it.",
            "One target of each row is wrong, the one with the longest context.",
            "Take the last target from data: data[start + 1 : start + 1 + block_size].",
        ),
        "the last target is zero": Fault(
            "The last target is 0: x was shifted, and the token after it not fetched.",
            "One target of each row is wrong, the one with the longest context.",
            "Take the last target from data: data[start + 1 : start + 1 + block_size].",
        ),
        "the last token only": Fault(
            "y holds only the token after each piece.",
            "Each piece teaches one prediction instead of block_size of them.",
            "Every position has a target: y has x's shape.",
        ),
        "first start for all": Fault(
            "Every row begins at the first start.",
            "A batch is one piece over and over.",
            "Row n begins at starts[n].",
        ),
        "starts taken as blocks": Fault(
            "The rows are the data's first blocks; the starts are not used.",
            "The model sees the beginning of the data only.",
            "Row n begins at starts[n], counted in tokens.",
        ),
        "x and y exchanged": Fault(
            "y is returned first and x second.",
            "The model learns to predict the past from the future.",
            "return x, y",
        ),
    },
    hints=(
        "Row n is a slice of data. Where does the row of targets begin?",
        "starts[:, None] + np.arange(block_size) are the positions of all of x at once.",
        "x = data[positions]; y = data[positions + 1]",
    ),
)
