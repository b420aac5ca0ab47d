"""Each channel's mean over the whole image: (N, C, H, W) becomes (N, C). Put before the classifier, it takes the place
of a layer with millions of weights, and lets the network take images of any size.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def global_avg_pool(x):
    """x (N, C, H, W) -> (N, C)."""
    axes = (2, 3)
    if wrong("channels last"):
        axes = (1, 2)
    if wrong("rows only"):
        axes = (2,)
    if wrong("columns only"):
        axes = (3,)
    if wrong("over the batch too"):
        axes = (0, *axes)
    if wrong("over the channels too"):
        axes = (1, *axes)
    pooled = x.mean(axes)
    if wrong("maximum"):
        pooled = x.max(axes)
    if wrong("sum"):
        pooled = x.sum(axes)
    if wrong("divided by the height squared"):
        pooled = pooled * x.shape[3] / x.shape[2]
    if wrong("batch and channels exchanged"):
        pooled = pooled.T
    return pooled[..., None, None] if wrong("axes kept") else pooled


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Sizes that differ, means that are not 0."""
    for label, shape in [
        ("H < W", (2, 3, 4, 5)),
        ("H > W", (3, 2, 5, 4)),
        ("N > C", (6, 4, 2, 3)),
        ("one image", (1, 3, 2, 3)),
        ("one pixel", (2, 3, 1, 1)),
        ("7x7", (2, 4, 7, 7)),
    ]:
        yield Case(label, (0.5 + rng.standard_normal(shape),))


EXERCISE = Exercise(
    title="Global average pooling",
    paper="Lin, Chen and Yan 2014, Network in Network, section 3.2",
    minutes=3,
    functions=(global_avg_pool,),
    outputs=("out",),
    cases=cases,
    faults={
        "channels last": Fault(
            "The mean runs over axes 1 and 2, as for images whose channels come last.",
            "Channels and rows are averaged together: what the channels found is lost.",
            "Height and width are axes 2 and 3 here.",
        ),
        "rows only": Fault(
            "The mean runs over the rows only, axis 2.",
            "One value for each column remains: the result has an axis too many.",
            "Average over axes 2 and 3 at once.",
        ),
        "columns only": Fault(
            "The mean runs over the columns only, axis 3.",
            "One value for each row remains: the result has an axis too many.",
            "Average over axes 2 and 3 at once.",
        ),
        "over the batch too": Fault(
            "The mean runs over the batch too.",
            "All images get one and the same answer.",
            "Average over axes 2 and 3 only.",
        ),
        "over the channels too": Fault(
            "The mean runs over the channels too.",
            "One number for each image remains: the classifier has nothing to tell classes by.",
            "Average over axes 2 and 3 only.",
        ),
        "maximum": Fault(
            "The maximum of each channel is taken.",
            "Published weights expect means: values come out several times too large.",
            "Take the mean.",
        ),
        "sum": Fault(
            "The sum of each channel is taken.",
            "Values grow with the image: the network works for one size only.",
            "Divide by H * W.",
        ),
        "divided by the height squared": Fault(
            "The sum is divided by H * H.",
            "Right for square images, wrong for all others.",
            "Divide by H * W.",
        ),
        "batch and channels exchanged": Fault(
            "The result is (C, N).",
            "The classifier fails, or, where N = C, mixes images and channels.",
            "Keep the order of the axes: (N, C).",
        ),
        "axes kept": Fault(
            "The result is (N, C, 1, 1).",
            "A linear layer after it fails, or works on the wrong axis.",
            "Drop both axes: x.mean((2, 3)).",
        ),
    },
    hints=(
        "One line.",
        "Which of the axes (N, C, H, W) are gone in (N, C)?",
        "x.mean((2, 3))",
    ),
    forbidden=("torch.nn.functional.adaptive_avg_pool2d", "torch.nn.AdaptiveAvgPool2d"),
)
