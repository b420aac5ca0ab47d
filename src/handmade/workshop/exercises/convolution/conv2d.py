"""The layer that looks at images: a small kernel is laid over every window, products are summed over the window and all
channels, and each of the K kernels gives one channel of the result:

    out[n, k, i, j] = b[k] + sum over c, r, s of x[n, c, stride i + r, stride j + s] * w[k, c, r, s]

with x padded by `padding` zeros on all four sides. The kernel is not flipped: what networks call convolution is
cross-correlation. x is (N, C, H, W), w (K, C, R, S), b (K,); windows that would reach beyond the end are left out.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def conv2d(x, w, b, stride=1, padding=0):
    """x (N, C, H, W), w (K, C, R, S), b (K,) -> (N, K, OH, OW)."""
    if wrong("stride ignored"):
        stride = 1
    if wrong("padding ignored"):
        padding = 0
    if wrong("kernel turned round"):
        w = w[:, :, ::-1, ::-1]
    if wrong("kernel transposed"):
        w = w.swapaxes(2, 3)
    if wrong("first channel only"):
        x, w = x[:, :1], w[:, :1]
    if wrong("mean over the channels"):
        w = w / w.shape[1]
    sides = (0, 2 * padding) if wrong("pads below and right only") else (padding, padding)
    x = np.pad(x, ((0, 0), (0, 0), sides, sides), mode="edge" if wrong("padded with the border") else "constant")
    (N, _, H, W), (K, _, R, S) = x.shape, w.shape
    OH, OW = (H - R) // stride + 1, (W - S) // stride + 1
    if wrong("last windows lost"):
        OH, OW = (H - R) // stride, (W - S) // stride
    out = np.zeros((N, K, OH, OW))
    for r in range(R):
        for s in range(S):
            under = x[:, :, r : r + stride * OH : stride, s : s + stride * OW : stride]
            out += np.einsum("nchw,kc->nkhw", under, w[:, :, r, s])
    return out if wrong("no bias") else out + b[:, None, None]


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """All sizes differ, but for square ones where a turned kernel keeps its shape; strides that leave a rest."""
    for label, shape, k, kernel, options in [
        ("one channel", (1, 1, 4, 5), 1, (2, 3), {}),
        ("square kernel", (2, 3, 5, 4), 2, (3, 3), {}),
        ("1x1 kernel", (2, 3, 3, 4), 4, (1, 1), {}),
        ("padding", (2, 2, 3, 5), 3, (3, 3), {"padding": 1}),
        ("stride 2", (1, 2, 5, 7), 3, (3, 3), {"stride": 2}),
        ("stride with a rest", (1, 2, 6, 8), 2, (3, 2), {"stride": 2}),
        ("stride and padding", (2, 3, 7, 6), 2, (3, 2), {"stride": 3, "padding": 2}),
        ("kernel as large as the image", (3, 2, 3, 4), 2, (3, 4), {}),
    ]:
        x, w = rng.standard_normal(shape), rng.standard_normal((k, shape[1], *kernel))
        yield Case(label, (x, w, rng.standard_normal(k)), options)


EXERCISE = Exercise(
    title="Convolution",
    paper="LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition, section II.A",
    minutes=20,
    functions=(conv2d,),
    outputs=("out",),
    cases=cases,
    faults={
        "stride ignored": Fault(
            "The kernel moves by 1, whatever the stride is.",
            "The image does not shrink, and the layers after it get sizes they were not made for.",
            "The window of output (i, j) begins at (stride * i, stride * j).",
        ),
        "padding ignored": Fault(
            "The image is not padded.",
            "It shrinks with each layer: a deep network runs out of image.",
            "Pad height and width of x with `padding` zeros on both sides first.",
        ),
        "kernel turned round": Fault(
            "The kernel is flipped (rotated by 180 degrees): true convolution.",
            "A network trained from scratch does not mind, but published weights give garbage.",
            "x[stride i + r, stride j + s] meets w[r, s].",
        ),
        "kernel transposed": Fault(
            "The kernel's rows and columns are exchanged.",
            "Published weights find vertical edges where they should find horizontal ones.",
            "w is (K, C, R, S): R goes down the image, S along its rows.",
        ),
        "first channel only": Fault(
            "Only the first channel of the input is used.",
            "All that the layer before found in its other channels is lost.",
            "Sum over the channels too.",
        ),
        "mean over the channels": Fault(
            "The products are averaged over the channels, not summed.",
            "The signal shrinks by the number of channels at each layer.",
            "Sum over c, r and s.",
        ),
        "pads below and right only": Fault(
            "All padding is put below and to the right.",
            "Sizes are right, but every layer shifts the image up and to the left.",
            "Pad as much above as below, as much left as right.",
        ),
        "padded with the border": Fault(
            "The padding repeats the border, instead of being 0.",
            "Published weights were trained with zeros around the image: results differ along the border.",
            "np.pad(x, ...) with its default, constant zeros.",
        ),
        "last windows lost": Fault(
            "The last row and the last column of windows are missing: the + 1 of the output's size.",
            "The lower and right border is never seen, and sizes do not fit.",
            "OH = (H + 2 padding - R) // stride + 1: the first window stands before the first step.",
        ),
        "no bias": Fault(
            "The bias is not added.",
            "The layer cannot shift its threshold; published weights give wrong results.",
            "Add b[k] to all of channel k: b[:, None, None].",
        ),
    },
    hints=(
        "Pad, compute the output's height and width, then sum. First write the formula as loops.",
        "Loop over the kernel's R x S places only: for one place, the pixels under it are a slice of x with a step.",
        "under = x[:, :, r : r + stride * OH : stride, s : s + stride * OW : stride]; "
        'out += np.einsum("nchw,kc->nkhw", under, w[:, :, r, s])',
    ),
    forbidden=(
        "torch.conv2d",
        "torch.convolution",
        "torch.nn.functional.conv2d",
        "torch.nn.functional.conv3d",
        "torch.nn.Conv2d",
    ),
)
