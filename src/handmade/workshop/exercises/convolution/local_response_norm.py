"""AlexNet's normalisation, before there was any other: each value is divided by how loud the neighbouring channels are
at the same pixel, so that strong answers silence weak ones beside them.

    out[n, c, i, j] = x[n, c, i, j] / (k + alpha * sum over c' of x[n, c', i, j]^2) ^ beta

c' runs over the `size` channels around c (size is odd, c in the middle); where there is no channel, beyond the first or
the last, there is nothing to add. x is (N, C, H, W), and so is the result.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import convention, wrong


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """x (N, C, H, W) -> the same shape."""
    if wrong("size ignored"):
        size = 5
    if wrong("beta ignored"):
        beta = 0.75
    if wrong("k ignored"):
        k = 1.0
    if wrong("over pixels"):
        x = x.swapaxes(1, 3)
    C = x.shape[1]
    around = size if wrong("size to each side") else size // 2
    squares = x if wrong("not squared") else x * x
    total = np.zeros(x.shape)
    for c in range(C):
        first, end = max(c - around, 0), c + around + 1
        if wrong("last channel of the window lost"):
            end -= 1
        if wrong("only channels before"):
            first, end = max(c - size + 1, 0), c + 1
        channels = np.arange(first, min(end, C))
        if wrong("wraps round"):
            channels = np.unique(np.arange(c - around, c + around + 1) % C)
        if wrong("own channel left out"):
            channels = channels[channels != c]
        total[:, c] = squares[:, channels].sum(1)
        if wrong("mean over the channels there are"):
            total[:, c] /= max(len(channels), 1)
    if convention("alpha / size"):
        alpha = alpha / size
    base = k + alpha * total
    if wrong("k outside the power"):
        divisor = k + (alpha * total) ** beta
    else:
        divisor = base**beta
    out = x * divisor if wrong("multiplied") else x / divisor
    return out.swapaxes(1, 3) if wrong("over pixels") else out


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Values so large that the sum counts beside k; fewer channels than the window has; windows of one channel."""
    for label, shape, scale, options in [
        ("defaults", (2, 7, 2, 3), 60, {}),
        ("size 3", (2, 6, 3, 2), 1, {"size": 3, "alpha": 0.3}),
        ("beta 0.5, k 1.5", (1, 8, 2, 4), 1, {"alpha": 0.5, "beta": 0.5, "k": 1.5}),
        ("more window than channels", (3, 2, 1, 4), 2, {"size": 7, "alpha": 0.2, "beta": 1.25}),
        ("size 1", (1, 3, 3, 2), 2, {"size": 1, "alpha": 0.4, "k": 0.7}),
        ("size 7", (1, 11, 2, 1), 1, {"size": 7, "alpha": 0.1}),
    ]:
        yield Case(label, (scale * rng.standard_normal(shape),), options)


EXERCISE = Exercise(
    title="Local response normalisation",
    paper="Krizhevsky et al. 2012, ImageNet Classification with Deep Convolutional Neural Networks, section 3.3",
    minutes=10,
    functions=(local_response_norm,),
    outputs=("out",),
    cases=cases,
    conventions={"alpha / size": "alpha is divided by size, as in torch.nn.LocalResponseNorm; the paper does not."},
    faults={
        "size ignored": Fault(
            "The window always has 5 channels.",
            "It is right in AlexNet, and nowhere else.",
            "size // 2 channels on each side of c.",
        ),
        "beta ignored": Fault(
            "The exponent is always 0.75.",
            "Another beta changes nothing, and a search over it finds nothing.",
            "Raise to the power of beta.",
        ),
        "k ignored": Fault(
            "k is 1, whatever was given.",
            "Small values are divided by 1 in place of 2 ** 0.75: a layer with published weights gets inputs that "
            "are too large.",
            "k + alpha * total.",
        ),
        "over pixels": Fault(
            "The window runs over neighbouring pixels, not over neighbouring channels.",
            "It evens out contrast within a map in place of making the maps compete.",
            "Sum over axis 1, at each pixel by itself.",
        ),
        "size to each side": Fault(
            "The window has `size` channels on each side of c.",
            "About twice as many channels compete, and values come out too small.",
            "size // 2 channels on each side, `size` together.",
        ),
        "not squared": Fault(
            "The values are summed, not their squares.",
            "Positive and negative neighbours cancel, and the base may become negative: nan.",
            "Sum x * x.",
        ),
        "last channel of the window lost": Fault(
            "The window ends one channel early.",
            "It is not symmetric: each channel is silenced from one side more than from the other.",
            "range(c - size // 2, c + size // 2 + 1): a range's end is not in it.",
        ),
        "only channels before": Fault(
            "The window ends at c, in place of having c in the middle.",
            "The first channels compete with hardly any, the last with the wrong ones.",
            "From c - size // 2 to c + size // 2, both included.",
        ),
        "wraps round": Fault(
            "At the first and last channels the window wraps round to the other end (np.roll, negative indices).",
            "The first channels compete with the last, which are not their neighbours.",
            "Cut the window off: max(0, c - size // 2), min(C - 1, c + size // 2).",
        ),
        "own channel left out": Fault(
            "A channel's own square is not in its sum.",
            "A strong answer alone is not damped at all.",
            "The window has c in it.",
        ),
        "mean over the channels there are": Fault(
            "The sum is divided by the number of channels in the window, fewer at the ends.",
            "The first and last channels are silenced more than the others.",
            "Take the sum: alpha already sets its weight.",
        ),
        "k outside the power": Fault(
            "k is added after the power: k + (alpha * total) ** beta.",
            "Small values are divided by k itself, so the scale differs from that of published weights.",
            "(k + alpha * total) ** beta.",
        ),
        "multiplied": Fault(
            "x is multiplied by the power, not divided by it.",
            "Loud channels become louder: the opposite of a normalisation.",
            "x / (k + alpha * total) ** beta, or x times the power of -beta.",
        ),
    },
    hints=(
        "Square x. For each channel, sum the squares of the channels around it; pixels stay apart.",
        "The window of channel c is max(0, c - size // 2) to min(C, c + size // 2 + 1), as a slice.",
        "total[:, c] = squares[:, first:end].sum(1); x / (k + alpha * total) ** beta",
    ),
    forbidden=("torch.nn.functional.local_response_norm", "torch.nn.LocalResponseNorm"),
)
