"""The gradient of a convolution with respect to its input, its kernels and its biases. Forward was

    out[n, k, i, j] = b[k] + sum over c, r, s of x[n, c, stride i + r, stride j + s] * w[k, c, r, s]

with x padded by `padding` zeros on all sides. Every pixel and every weight was used many times; its gradient is the sum
over its uses. dout is (N, K, OH, OW); return dx of x's shape (pixels that no window reached have gradient 0), dw of
w's, and db (K,).
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import AUTOGRAD, Exercise, Fault
from handmade.workshop.switches import wrong


def conv2d_backward(dout, x, w, stride=1, padding=0):
    """dout (N, K, OH, OW), x (N, C, H, W), w (K, C, R, S) -> dx, dw, db."""
    (N, _, H, W), (R, S), (OH, OW) = x.shape, w.shape[2:], dout.shape[2:]
    if wrong("kernel turned round in dx"):
        w = w[:, :, ::-1, ::-1]
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for r in range(R):
        for s in range(S):
            rows, columns = slice(r, r + stride * OH, stride), slice(s, s + stride * OW, stride)
            under = x[:, :, r : r + OH, s : s + OW] if wrong("stride ignored in dw") else x[:, :, rows, columns]
            dw[:, :, r, s] = np.einsum("nkhw,nchw->kc", dout, under)
            if wrong("stride ignored in dx"):
                rows, columns = slice(r, r + OH), slice(s, s + OW)
            if wrong("dx overwritten"):
                dx[:, :, rows, columns] = 0
            dx[:, :, rows, columns] += np.einsum("nkhw,kc->nchw", dout, w[:, :, r, s])
    if wrong("kernel turned round in dw"):
        dw = dw[:, :, ::-1, ::-1]
    if wrong("padding cut off at the far end"):
        dx = dx[:, :, :H, :W]
    elif not wrong("padding not cut off"):
        dx = dx[:, :, padding : padding + H, padding : padding + W]
    if wrong("dw averaged"):
        dw = dw / N
    db = dout.sum(0) if wrong("db over the batch only") else dout.sum((0, 2, 3))
    if wrong("db averaged"):
        db = db / N
    if wrong("no db"):
        db = np.zeros_like(db)
    return dx, dw, db


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """All sizes differ; strides that leave a rest; windows that overlap and that do not."""
    for label, shape, k, kernel, options in [
        ("one channel", (1, 1, 4, 5), 1, (2, 3), {}),
        ("several channels", (2, 3, 5, 4), 2, (3, 3), {}),
        ("padding", (2, 2, 3, 5), 3, (3, 3), {"padding": 1}),
        ("stride 2", (3, 2, 5, 7), 3, (3, 3), {"stride": 2}),
        ("stride with a rest", (2, 2, 6, 8), 2, (3, 2), {"stride": 2}),
        ("stride larger than kernel", (2, 2, 7, 8), 2, (2, 1), {"stride": 3}),
        ("stride and padding", (2, 3, 7, 6), 2, (3, 2), {"stride": 3, "padding": 2}),
    ]:
        x, w = rng.standard_normal(shape), rng.standard_normal((k, shape[1], *kernel))
        stride, padding = options.get("stride", 1), options.get("padding", 0)
        size = [(n + 2 * padding - r) // stride + 1 for n, r in zip(shape[2:], kernel, strict=True)]
        yield Case(label, (rng.standard_normal((shape[0], k, *size)), x, w), options)


EXERCISE = Exercise(
    title="Convolution, backward",
    paper="LeCun et al. 1989, Backpropagation Applied to Handwritten Zip Code Recognition, section 3",
    minutes=25,
    functions=(conv2d_backward,),
    outputs=("dx", "dw", "db"),
    cases=cases,
    faults={
        "stride ignored in dw": Fault(
            "For dw the windows are taken one pixel apart, whatever the stride is.",
            "Kernels learn from pixels they never saw.",
            "Take the same pixels as forward: x[..., r : r + stride * OH : stride, ...].",
        ),
        "kernel turned round in dw": Fault(
            "dw comes out flipped (rotated by 180 degrees).",
            "Each weight gets the gradient of the one opposite: training does not converge.",
            "w[r, s] met x[stride i + r, stride j + s]: that product goes into dw[r, s].",
        ),
        "kernel turned round in dx": Fault(
            "For dx the kernel is flipped once too often.",
            "The layers below get a mirrored gradient.",
            "dout[i, j] w[r, s] goes to dx[stride i + r, stride j + s]. Only a full correlation needs the flip.",
        ),
        "stride ignored in dx": Fault(
            "For dx the windows are put back one pixel apart, whatever the stride is.",
            "The gradient gathers in the upper left corner of the image.",
            "dout[i, j] belongs to the window that begins at (stride * i, stride * j).",
        ),
        "dx overwritten": Fault(
            "Where windows overlap, the last one's gradient replaces the others'.",
            "Pixels get the gradient of one use instead of all.",
            "Add: dx[...] += ....",
        ),
        "padding cut off at the far end": Fault(
            "The padding is cut off dx below and to the right only.",
            "The gradient is shifted by `padding` pixels against the image.",
            "Cut it off on all sides: dx[:, :, padding : padding + H, padding : padding + W].",
        ),
        "padding not cut off": Fault(
            "dx still has the padding.",
            "It does not have x's shape: the layer below cannot use it.",
            "dx[:, :, padding : padding + H, padding : padding + W].",
        ),
        "dw averaged": Fault(
            "dw is divided by the batch size.",
            "A loss that is a mean has divided already: the kernels learn N times too slowly.",
            "Sum over the batch.",
        ),
        "db over the batch only": Fault(
            "db is summed over the batch, not over the positions.",
            "It does not have the bias's shape: a step on it turns the bias into an image.",
            "The bias was added at every position: dout.sum((0, 2, 3)).",
        ),
        "db averaged": Fault(
            "db is divided by the batch size.",
            "A loss that is a mean has divided already: the biases learn N times too slowly.",
            "dout.sum((0, 2, 3)).",
        ),
        "no db": Fault(
            "The biases get no gradient.",
            "They keep their initial values for ever.",
            "dout.sum((0, 2, 3)).",
        ),
    },
    hints=(
        "Write forward as loops. In the innermost line, x and w are multiplied: each gets dout times the other, added.",
        "Vectorise over all but the kernel's places (r, s): under one place, forward took a slice of x with a step.",
        'For each (r, s): dw[:, :, r, s] = np.einsum("nkhw,nchw->kc", dout, under); the same slice of dx += '
        'np.einsum("nkhw,kc->nchw", dout, w[:, :, r, s]); finally cut the padding off',
    ),
    forbidden=("torch.nn.grad.conv2d_input", "torch.nn.grad.conv2d_weight", *AUTOGRAD),
)
