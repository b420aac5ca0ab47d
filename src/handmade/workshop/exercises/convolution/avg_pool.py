"""The mean of each window, channel by channel. Windows are kernel x kernel and move by `stride`, over x (N, C, H, W)
with `padding` rows and columns of zeros on all sides. What is a window's mean at the border, where part of it is
padding? count_include_pad=True divides every sum by kernel^2, so that borders get darker; False divides by the number
of real pixels in the window. Windows that would reach beyond the padded end are left out.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def avg_pool(x, kernel, stride, padding=0, count_include_pad=True):
    """x (N, C, H, W) -> (N, C, OH, OW)."""
    if wrong("stride ignored"):
        stride = kernel
    if wrong("padding ignored"):
        padding = 0
    sides = (0, 2 * padding) if wrong("pads below and right only") else (padding, padding)
    real = np.pad(np.ones(x.shape[2:]), (sides, sides))
    x = np.pad(x, ((0, 0), (0, 0), sides, sides), mode="edge" if wrong("padded with the border") else "constant")
    N, C, H, W = x.shape
    OH, OW = (H - kernel) // stride + 1, (W - kernel) // stride + 1
    if wrong("incomplete windows kept"):
        OH, OW = -((kernel - H) // stride) + 1, -((kernel - W) // stride) + 1
    if wrong("last windows lost"):
        OH, OW = OH - 1, OW - 1
    out = np.zeros((N, C, OH, OW))
    for i in range(OH):
        for j in range(OW):
            rows = slice(i * stride, i * stride + kernel)
            columns = slice(j * stride, j * stride + kernel)
            area = kernel if wrong("divided by the kernel once") else kernel**2
            part = real[rows, columns].sum()
            if count_include_pad:
                count = part if wrong("padding never counted") else area
            else:
                count = area if wrong("padding always counted") else part
            if wrong("sum"):
                count = 1
            out[:, :, i, j] = x[:, :, rows, columns].sum((2, 3)) / count
            if wrong("maximum"):
                out[:, :, i, j] = x[:, :, rows, columns].max((2, 3))
    return out


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Windows that touch, overlap and leave gaps, a rest at the end, and padding with both ways to count."""
    for label, shape, kernel, stride, options in [
        ("windows side by side", (2, 3, 4, 6), 2, 2, {}),
        ("windows overlap", (2, 2, 5, 6), 3, 1, {}),
        ("windows with gaps", (2, 1, 5, 8), 2, 3, {}),
        ("a rest at the end", (1, 2, 6, 7), 3, 2, {}),
        ("padding", (2, 2, 4, 6), 3, 1, {"padding": 1}),
        ("padding, stride 2", (1, 3, 5, 6), 3, 2, {"padding": 1, "count_include_pad": True}),
        ("padding not counted", (2, 2, 4, 5), 3, 1, {"padding": 1, "count_include_pad": False}),
        ("padding not counted, stride 2", (1, 2, 7, 6), 4, 2, {"padding": 2, "count_include_pad": False}),
        ("padding not counted, a rest", (1, 2, 6, 5), 2, 3, {"padding": 1, "count_include_pad": False}),
    ]:
        yield Case(label, (1 + rng.standard_normal(shape), kernel, stride), options)


EXERCISE = Exercise(
    title="Average pooling",
    paper="LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition, section II.B",
    minutes=15,
    functions=(avg_pool,),
    outputs=("out",),
    cases=cases,
    faults={
        "stride ignored": Fault(
            "Windows lie side by side, whatever the stride is.",
            "Overlapping windows become another layer with another output size.",
            "The window of output (i, j) begins at (stride * i, stride * j).",
        ),
        "padding ignored": Fault(
            "The image is not padded.",
            "The output is smaller than the next layer expects.",
            "Pad height and width of x with `padding` zeros on both sides first.",
        ),
        "padding always counted": Fault(
            "Every sum is divided by kernel^2, also with count_include_pad=False.",
            "Borders get darker: networks trained without that, such as Inception, see another image there.",
            "With False, divide by the number of the window's pixels that are not padding.",
        ),
        "padding never counted": Fault(
            "Sums are divided by the number of real pixels, also with count_include_pad=True.",
            "Published weights trained with the default see brighter borders than in training.",
            "With True, divide by kernel^2 everywhere.",
        ),
        "pads below and right only": Fault(
            "All padding is put below and to the right.",
            "Sizes are right, but every layer shifts the image up and to the left.",
            "Pad as much above as below, as much left as right.",
        ),
        "padded with the border": Fault(
            "The padding repeats the border, instead of being 0.",
            "Border pixels count several times.",
            "np.pad(x, ...) with its default, constant zeros.",
        ),
        "incomplete windows kept": Fault(
            "Windows that reach beyond the end are kept, cut short.",
            "The output is one larger wherever the sizes do not divide, and the next layer does not fit.",
            "Round down: (H + 2 padding - kernel) // stride + 1.",
        ),
        "last windows lost": Fault(
            "The last row and the last column of windows are missing: the + 1 of the output's size.",
            "The lower and right border is never seen.",
            "(H + 2 padding - kernel) // stride + 1: the first window stands before the first step.",
        ),
        "divided by the kernel once": Fault(
            "Sums are divided by the kernel's width, not by its area.",
            "Values grow by the factor `kernel` at each such layer.",
            "A window has kernel^2 values.",
        ),
        "sum": Fault(
            "The sums are not divided.",
            "Values grow by the factor kernel^2 at each such layer.",
            "Divide by the number of values.",
        ),
        "maximum": Fault(
            "The maximum of each window is taken.",
            "That is max pooling: it keeps the strongest value and its noise, where a mean smooths.",
            "Take the mean of each window.",
        ),
    },
    hints=(
        "Pad, loop over windows, sum, divide. By what?",
        "To count real pixels, pad an image of ones in the same way and sum its windows.",
        "real = np.pad(np.ones((H, W)), padding); divide by kernel**2 or by real[rows, columns].sum()",
    ),
    forbidden=(
        "torch.nn.functional.avg_pool2d",
        "torch.nn.functional.adaptive_avg_pool2d",
        "torch.nn.functional.avg_pool3d",
        "torch.nn.AvgPool2d",
        "torch.nn.AvgPool3d",
    ),
)
