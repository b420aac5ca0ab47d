"""Convolution as one matrix product: every window of the image is copied into a column, and a kernel, laid flat, is
multiplied by all columns at once. Memory is spent for speed, as in most libraries on the CPU.

From images (N, C, H, W) make (N, C R S, OH OW), with R, S = kernel. A column lists the window channel by channel, each
row by row; the columns go through the windows row by row, from the upper left. Windows move by `stride`; `padding` rows
and columns of zeros are put around the image first, on both sides. Kernel, stride and padding are pairs (vertical,
horizontal). Windows that would reach beyond the end are left out.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def im2col(x, kernel, stride, padding):
    """x (N, C, H, W), pairs -> (N, C * R * S, OH * OW)."""
    if wrong("kernel pair exchanged"):
        kernel = kernel[::-1]
    if wrong("stride pair exchanged"):
        stride = stride[::-1]
    if wrong("stride ignored"):
        stride = (1, 1)
    if wrong("padding pair exchanged"):
        padding = padding[::-1]
    if wrong("padding ignored"):
        padding = (0, 0)
    (R, S), (down, right), (above, left) = kernel, stride, padding
    if wrong("pads below and right only"):
        x = np.pad(x, ((0, 0), (0, 0), (0, 2 * above), (0, 2 * left)))
    else:
        x = np.pad(x, ((0, 0), (0, 0), (above, above), (left, left)))
    N, C, H, W = x.shape
    OH, OW = (H - R) // down + 1, (W - S) // right + 1
    if wrong("last windows lost"):
        OH, OW = (H - R) // down, (W - S) // right
    columns = np.zeros((N, C, R, S, OH, OW))
    for r in range(R):
        for s in range(S):
            columns[:, :, r, s] = x[:, :, r : r + down * OH : down, s : s + right * OW : right]
    if wrong("windows turned round"):
        columns = columns[:, :, ::-1, ::-1]
    if wrong("windows column by column"):
        columns = columns.swapaxes(2, 3)
    if wrong("channels innermost"):
        columns = np.moveaxis(columns, 1, 3)
    if wrong("positions column by column"):
        columns = columns.swapaxes(4, 5)
    columns = columns.reshape(N, C * R * S, OH * OW)
    if wrong("windows as rows"):
        columns = columns.swapaxes(1, 2)
    if wrong("batch in the columns"):
        columns = np.concatenate(columns, -1)
    return columns


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """All sizes differ; a square case, where what is exchanged keeps its shape; strides that leave a rest."""
    for label, shape, kernel, stride, padding in [
        ("one channel, stride 1", (1, 1, 4, 5), (2, 3), (1, 1), (0, 0)),
        ("all square", (2, 2, 4, 4), (2, 2), (1, 1), (0, 0)),
        ("padding", (1, 2, 4, 3), (3, 3), (1, 1), (1, 1)),
        ("stride 2", (2, 3, 5, 7), (3, 3), (2, 2), (0, 0)),
        ("stride with a rest", (1, 2, 6, 8), (3, 3), (2, 2), (0, 0)),
        ("pairs that differ", (2, 3, 7, 6), (3, 2), (2, 3), (1, 2)),
        ("stride larger than kernel", (1, 2, 7, 7), (1, 2), (3, 3), (0, 1)),
    ]:
        yield Case(label, (rng.standard_normal(shape), kernel, stride, padding))


EXERCISE = Exercise(
    title="im2col",
    paper="Chellapilla, Puri and Simard 2006, High Performance Convolutional Neural Networks for Document Processing, "
    "section 2.1",
    minutes=20,
    functions=(im2col,),
    outputs=("columns",),
    cases=cases,
    faults={
        "kernel pair exchanged": Fault(
            "The kernel's pair was read as (horizontal, vertical).",
            "Windows are wide where they should be tall; square kernels hide it.",
            "R, S = kernel: R rows, S columns.",
        ),
        "stride pair exchanged": Fault(
            "The stride's pair was read as (horizontal, vertical).",
            "The result has the wrong height and width wherever the two strides differ.",
            "The first number moves the window down, the second to the right.",
        ),
        "stride ignored": Fault(
            "Windows move by 1, whatever the stride is.",
            "The layer does not shrink the image; the layers after it get sizes they were not made for.",
            "Take every stride-th position: x[..., r : r + down * OH : down, ...].",
        ),
        "padding pair exchanged": Fault(
            "The padding's pair was read as (horizontal, vertical).",
            "Rows are added where columns should be.",
            "The first number is for above and below, the second for left and right.",
        ),
        "padding ignored": Fault(
            "The image is not padded.",
            "It shrinks with each layer, and its border is seen less than its middle.",
            "np.pad(x, ((0, 0), (0, 0), (above, above), (left, left))).",
        ),
        "pads below and right only": Fault(
            "All padding is put below and to the right.",
            "Sizes are right, but every layer shifts the image up and to the left.",
            "Pad as much above as below, as much left as right.",
        ),
        "last windows lost": Fault(
            "The last row and the last column of windows are missing: the + 1 of the output's size.",
            "The lower and right border is never seen.",
            "OH = (H - R) // stride + 1: the first window stands before the first step.",
        ),
        "windows turned round": Fault(
            "Each window is read from its end.",
            "Multiplied by a kernel laid flat, this is convolution with the kernel flipped.",
            "Go through the window from its upper left, as through the kernel.",
        ),
        "windows column by column": Fault(
            "Each window is laid flat column by column.",
            "It no longer fits a kernel laid flat by reshape: each weight meets its mirror image's pixel.",
            "Row by row: axes (C, R, S) in this order before the reshape.",
        ),
        "channels innermost": Fault(
            "Rows go through the window first and through the channels last.",
            "It no longer fits a kernel (C, R, S) laid flat by reshape: channels are mixed up.",
            "Axes (C, R, S) in this order before the reshape.",
        ),
        "positions column by column": Fault(
            "The windows follow each other down the image, not along its rows.",
            "Reshaped to (OH, OW), the result is a transposed image, or a garbled one if it is not square.",
            "Axes (OH, OW) in this order before the reshape.",
        ),
        "windows as rows": Fault(
            "Windows are rows: (N, OH OW, C R S).",
            "The product with a kernel laid flat does not fit, or fits by accident.",
            "Windows are columns: (N, C R S, OH OW), as in torch's unfold.",
        ),
        "batch in the columns": Fault(
            "The images of the batch stand beside one another in one matrix.",
            "Their windows must be taken apart again after the product, which is easily done wrong.",
            "Keep the batch as the first axis: (N, C R S, OH OW).",
        ),
    },
    hints=(
        "Pad, compute the number of windows both ways, and copy. Loop over windows, or over the kernel's R x S places.",
        "For one place (r, s) of the kernel, the pixels under it in all windows are a slice of x with a step.",
        "columns[:, :, r, s] = x[:, :, r : r + down * OH : down, s : s + right * OW : right]; then one reshape",
    ),
    forbidden=("torch.nn.functional.unfold", "torch.nn.Unfold"),
)
