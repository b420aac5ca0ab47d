"""The largest value of each window, channel by channel: what was found matters, not exactly where. Backward passes each
window's gradient to the pixel that was largest, and nothing to the others.

Windows are kernel x kernel, move by `stride`, and may overlap: a pixel that wins several gets the sum. Where a window
has equal maxima, the first, row by row, takes the gradient. Windows that would reach beyond the end are left out. x is
(N, C, H, W); max_pool_forward returns `out` and a cache of what backward will need.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import AUTOGRAD, Exercise, Fault
from handmade.workshop.switches import wrong


def max_pool_forward(x, kernel, stride):
    """x (N, C, H, W) -> out (N, C, OH, OW), cache."""
    size = x.shape
    if wrong("stride ignored"):
        stride = kernel
    if wrong("incomplete windows kept"):
        rest = [(0, (kernel - length) % stride) for length in size[2:]]
        x = np.pad(x, ((0, 0), (0, 0), *rest), constant_values=-np.inf)
    N, C, H, W = x.shape
    OH, OW = (H - kernel) // stride + 1, (W - kernel) // stride + 1
    if wrong("last windows lost"):
        OH, OW = (H - kernel) // stride, (W - kernel) // stride
    out = np.zeros((N, C, OH, OW))
    for i in range(OH):
        for j in range(OW):
            window = x[:, :, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
            out[:, :, i, j] = window.mean((2, 3)) if wrong("mean") else window.max((2, 3))
    if wrong("never below 0"):
        out = np.maximum(out, 0)
    return out, (x, size, kernel, stride)


def max_pool_backward(dout, cache):
    """dout (N, C, OH, OW) -> dx (N, C, H, W)."""
    x, (N, C, H, W), kernel, stride = cache
    dx = np.zeros(x.shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows = slice(i * stride, i * stride + kernel)
            columns = slice(j * stride, j * stride + kernel)
            window = x[:, :, rows, columns]
            if wrong("first down the columns"):
                window = window.swapaxes(2, 3)
            if wrong("last maximum"):
                window = window[:, :, ::-1, ::-1]
            place = window.reshape(N, C, -1).argmax(-1)
            share = np.eye(kernel * kernel)[place].reshape(window.shape)  # 1 at the first maximum
            if wrong("all equal maxima"):
                share = 1.0 * (window == window.max((2, 3), keepdims=True))
            if wrong("shared by equal maxima"):
                equal = window == window.max((2, 3), keepdims=True)
                share = equal / equal.sum((2, 3), keepdims=True)
            if wrong("spread over the window"):
                share = np.full(window.shape, 1 / kernel**2)
            if wrong("last maximum"):
                share = share[:, :, ::-1, ::-1]
            if wrong("first down the columns"):
                share = share.swapaxes(2, 3)
            if wrong("dx overwritten"):
                dx[:, :, rows, columns] *= share == 0
            dx[:, :, rows, columns] += share * dout[:, :, i, j, None, None]
    return dx[:, :, :H, :W] if wrong("incomplete windows kept") else dx


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Windows that touch, overlap and leave gaps; a rest at the end; values all below 0; whole numbers with ties."""
    for label, shape, kernel, stride, shift in [
        ("windows side by side", (2, 3, 4, 6), 2, 2, 0),
        ("windows overlap", (2, 2, 4, 5), 3, 1, 0),
        ("overlap, stride 2", (1, 2, 7, 5), 3, 2, 0),
        ("windows with gaps", (2, 1, 5, 8), 2, 3, 0),
        ("a rest at the end", (1, 2, 6, 7), 3, 2, 0),
        ("all values below 0", (1, 2, 3, 4), 2, 1, -6),
    ]:
        yield _case(label, rng, rng.standard_normal(shape) + shift, kernel, stride)
    yield _case("equal maxima", rng, rng.integers(0, 2, (2, 3, 4, 6)).astype(float), 2, 2)
    yield _case("equal maxima, windows overlap", rng, rng.integers(-2, 0, (1, 3, 4, 5)).astype(float), 3, 1)


def _case(label: str, rng: np.random.Generator, x: np.ndarray, kernel: int, stride: int) -> Case:
    size = [(length - kernel) // stride + 1 for length in x.shape[2:]]
    return Case(label, (x, kernel, stride), extra={"gradients": (rng.standard_normal((*x.shape[:2], *size)),)})


EXERCISE = Exercise(
    title="Max pooling, forward and backward",
    paper="Ranzato et al. 2007, Unsupervised Learning of Invariant Feature Hierarchies, section 2; "
    "overlapping windows: Krizhevsky et al. 2012, section 3.4",
    minutes=20,
    functions=(max_pool_forward, max_pool_backward),
    outputs=("out", "dx"),
    cases=cases,
    faults={
        "stride ignored": Fault(
            "Windows lie side by side, whatever the stride is.",
            "Overlapping windows, as AlexNet's, become another layer with another output size.",
            "The window of output (i, j) begins at (stride * i, stride * j).",
        ),
        "incomplete windows kept": Fault(
            "Windows that reach beyond the end are kept, cut short.",
            "The output is one larger wherever the sizes do not divide, and the next layer does not fit.",
            "Round down: (H - kernel) // stride + 1.",
        ),
        "last windows lost": Fault(
            "The last row and the last column of windows are missing: the + 1 of the output's size.",
            "The lower and right border is never seen.",
            "(H - kernel) // stride + 1: the first window stands before the first step.",
        ),
        "mean": Fault(
            "The mean of each window is taken.",
            "That is average pooling: one strong response drowns among weak ones.",
            "Take the maximum of each window.",
        ),
        "never below 0": Fault(
            "The search for the maximum starts from 0.",
            "A window with nothing above 0 gives a value that was not in it.",
            "Start from the window's first value, or from -inf.",
        ),
        "first down the columns": Fault(
            "Of equal maxima, the first column by column takes the gradient.",
            "Results differ from those of other implementations wherever values repeat, as after a ReLU.",
            "Lay the window flat row by row; argmax gives the first.",
        ),
        "last maximum": Fault(
            "Of equal maxima, the last takes the gradient.",
            "Results differ from those of other implementations wherever values repeat, as after a ReLU.",
            "Let a later value win only if it is larger, not if it is equal; argmax gives the first.",
        ),
        "all equal maxima": Fault(
            "All equal maxima take the whole gradient.",
            "A flat window, such as zeros after a ReLU, passes on kernel^2 times the gradient it got.",
            "Only the first takes it: argmax, not window == maximum.",
        ),
        "shared by equal maxima": Fault(
            "Equal maxima share the gradient.",
            "That too is a subgradient, but not the one asked for, nor that of PyTorch's max pooling.",
            "The first takes all of it: argmax.",
        ),
        "spread over the window": Fault(
            "The gradient is spread over the whole window: average pooling's backward.",
            "Pixels that had no influence are pushed as much as the one that had.",
            "All of it goes to the pixel that was largest.",
        ),
        "dx overwritten": Fault(
            "Where a pixel wins several windows, it keeps the gradient of the last.",
            "With overlapping windows gradients are lost.",
            "Add: dx[...] += ....",
        ),
    },
    hints=(
        "Loop over windows. Forward: the maximum. Backward: where was it? Keep x, or the places, in the cache.",
        "argmax over the window laid flat gives the first maximum; divmod by the kernel gives its row and column.",
        "row, column = divmod(window.argmax(), kernel); dx[n, c, i * stride + row, j * stride + column] += its dout",
    ),
    driver="forward_backward",
    forbidden=(
        "torch.max_pool2d",
        "torch.nn.functional.max_pool2d",
        "torch.nn.functional.max_unpool2d",
        "torch.nn.functional.adaptive_max_pool2d",
        "torch.nn.MaxPool2d",
        "torch.nn.MaxUnpool2d",
        *AUTOGRAD,
    ),
)
