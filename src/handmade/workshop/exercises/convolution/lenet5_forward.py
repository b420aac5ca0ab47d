"""The network that read cheques: two convolutions with tanh, each followed by 2x2 average pooling, then a convolution
that sees the whole of what is left, and two linear layers.

    x (N, 1, 32, 32)  c1 (N, 6, 28, 28)  pooled to 14x14  c3 (N, 16, 10, 10)  pooled to 5x5  c5 (N, 120, 1, 1)
    f6 (N, 84)  out (N, 10)

tanh follows c1, c3, c5 and f6; `out` returns raw scores. Convolutions are cross-correlations without padding, and every
map of c3 sees all 6 of c1. params has `c1.weight` (6, 1, 5, 5), `c3.weight` (16, 6, 5, 5), `c5.weight` (120, 16, 5, 5),
`f6.weight` (84, 120), `out.weight` (10, 84), and a `.bias` for each. Return the scores, (N, 10).
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def lenet5_forward(x, params):
    """x (N, 1, 32, 32) -> scores (N, 10)."""
    x = stage(x, params, "c1")
    x = stage(x, params, "c3")
    if wrong("flattened channels last"):
        x = x.transpose(0, 2, 3, 1).reshape(x.shape)
    x = convolve(x, params, "c5")[:, :, 0, 0]
    if not wrong("no tanh after c5"):
        x = activation(x)
    x = linear(x, params, "f6")
    if not wrong("no tanh after f6"):
        x = activation(x)
    scores = linear(x, params, "out")
    if wrong("tanh on the scores"):
        scores = activation(scores)
    if wrong("softmax on the scores"):
        exponentials = np.exp(scores - scores.max(1, keepdims=True))
        scores = exponentials / exponentials.sum(1, keepdims=True)
    return scores


def stage(x, params, name):
    """Convolution, tanh, pooling: (N, C, H, W) -> (N, K, (H - 4) / 2, (W - 4) / 2)."""
    x = convolve(x, params, name)
    if not (wrong("tanh after the pooling") or wrong("no tanh after the convolutions")):
        x = activation(x)
    x = pool(x)
    if wrong("tanh after the pooling") or wrong("tanh after the pooling too"):
        x = activation(x)
    return x


def activation(x):
    if wrong("ReLU in place of tanh"):
        return np.maximum(x, 0)
    if wrong("sigmoid in place of tanh"):
        return 1 / (1 + np.exp(-x))
    return 1.7159 * np.tanh(2 / 3 * x) if wrong("the paper's scaled tanh") else np.tanh(x)


def convolve(x, params, name):
    """x (N, C, H, W), weights (K, C, 5, 5) -> (N, K, H - 4, W - 4)."""
    w, b = params[f"{name}.weight"], params[f"{name}.bias"]
    if wrong("kernel turned round"):
        w = w[:, :, ::-1, ::-1]
    if wrong("kernel transposed"):
        w = w.swapaxes(2, 3)
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))  # N C OH OW R S
    out = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # N OH OW K
    if not wrong("no bias in the convolutions"):
        out = out + b
    return out.transpose(0, 3, 1, 2)


def pool(x):
    """The mean of each 2x2 window: (N, C, H, W) -> (N, C, H / 2, W / 2)."""
    N, C, H, W = x.shape
    windows = x.reshape(N, C, H // 2, 2, W // 2, 2)
    if wrong("max pooling"):
        return windows.max((3, 5))
    if wrong("sum in place of mean"):
        return windows.sum((3, 5))
    return windows[:, :, :, 0, :, 0] if wrong("every second pixel") else windows.mean((3, 5))


def linear(x, params, name):
    """x (N, D), weights (M, D) -> (N, M)."""
    out = x @ params[f"{name}.weight"].T
    return out if wrong("no bias in the linear layers") else out + params[f"{name}.bias"]


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Weights that keep tanh between its straight part and its ends, biases that count."""
    shapes = {"c1": (6, 1, 5, 5), "c3": (16, 6, 5, 5), "c5": (120, 16, 5, 5), "f6": (84, 120), "out": (10, 84)}
    for label, N in [("one image", 1), ("two images", 2)]:
        params = {}
        for name, shape in shapes.items():
            fan_in = np.prod(shape[1:])
            params[f"{name}.weight"] = 1.5 * rng.standard_normal(shape) / np.sqrt(fan_in)
            params[f"{name}.bias"] = rng.uniform(-0.5, 0.5, shape[0])
        yield Case(label, (rng.standard_normal((N, 1, 32, 32)), params))


EXERCISE = Exercise(
    title="LeNet-5",
    paper="LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition, section II.B",
    minutes=25,
    functions=(lenet5_forward,),
    outputs=("scores",),
    cases=cases,
    faults={
        "flattened channels last": Fault(
            "What c5 reads is flattened with the channels last, while its weights have them first.",
            "Each weight meets another pixel's value: published weights give chance.",
            "Keep (N, 16, 5, 5) and flatten both alike: channel, row, column.",
        ),
        "no tanh after c5": Fault(
            "There is no tanh after c5.",
            "c5 and f6 are two linear layers in a row: together they are one.",
            "tanh follows c1, c3, c5 and f6.",
        ),
        "no tanh after f6": Fault(
            "There is no tanh after f6.",
            "f6 and out are two linear layers in a row: together they are one.",
            "tanh follows c1, c3, c5 and f6.",
        ),
        "tanh on the scores": Fault(
            "The scores go through a tanh.",
            "No score leaves -1 to 1, so a softmax over ten of them can never be sure.",
            "Return out's result as it is.",
        ),
        "softmax on the scores": Fault(
            "The scores go through a softmax.",
            "Cross-entropy applies one itself: twice is too flat, and learning slows down.",
            "Return out's result as it is.",
        ),
        "tanh after the pooling": Fault(
            "tanh comes after the pooling, not between convolution and pooling.",
            "The mean of tanh is not tanh of the mean: published weights do not fit.",
            "pool(tanh(convolution(x))).",
        ),
        "no tanh after the convolutions": Fault(
            "There is no tanh after c1 and c3.",
            "Convolutions and means are linear: all of them up to c5 are one linear layer.",
            "pool(tanh(convolution(x))).",
        ),
        "tanh after the pooling too": Fault(
            "There is one more tanh after each pooling.",
            "Values shrink at each stage; weights that were trained without it do not fit.",
            "tanh follows c1, c3, c5 and f6 only.",
        ),
        "ReLU in place of tanh": Fault(
            "The activation is ReLU.",
            "It trains, but it is another network: these weights expect tanh.",
            "np.tanh.",
        ),
        "sigmoid in place of tanh": Fault(
            "The activation is the logistic sigmoid.",
            "Its results are all positive and its slopes a quarter: learning is slow, and these weights do not fit.",
            "np.tanh.",
        ),
        "the paper's scaled tanh": Fault(
            "The activation is 1.7159 tanh(2/3 x), as in the paper of 1998.",
            "Weights trained with the plain tanh do not fit.",
            "Here it is np.tanh(x).",
        ),
        "kernel turned round": Fault(
            "The kernels are flipped (rotated by 180 degrees): true convolution.",
            "A network trained from scratch does not mind, but pretrained weights do not work.",
            "x[i + r, j + s] meets w[r, s].",
        ),
        "kernel transposed": Fault(
            "The kernels' rows and columns are exchanged.",
            "Horizontal strokes are looked for where vertical ones should be.",
            "Weights are (K, C, rows, columns).",
        ),
        "no bias in the convolutions": Fault(
            "The convolutions' biases are not added.",
            "No map can shift its threshold, and pretrained weights do not fit.",
            "Add b[k] to all of map k.",
        ),
        "no bias in the linear layers": Fault(
            "The biases of f6 and out are not added.",
            "Classes cannot be more frequent than others, and pretrained weights do not fit.",
            "x @ W.T + b.",
        ),
        "max pooling": Fault(
            "The pooling takes the largest value, not the mean.",
            "Later networks do so; these weights expect means.",
            "The mean of each 2x2 window.",
        ),
        "sum in place of mean": Fault(
            "The pooling sums the four values.",
            "What follows gets four times as much and its tanh saturates: gradients vanish.",
            "Divide by 4.",
        ),
        "every second pixel": Fault(
            "The pooling takes one pixel of each window, x[:, :, ::2, ::2].",
            "Three quarters of what was found are thrown away, and a shift by one pixel changes everything.",
            "The mean of all four.",
        ),
    },
    hints=(
        "Write a function for a convolution with bias, one for the pooling, one for a linear layer; then put them "
        "together and print the shapes.",
        "c5's kernel is as large as its input: it gives (N, 120, 1, 1), to be read as (N, 120).",
        "pool: x.reshape(N, C, H // 2, 2, W // 2, 2).mean((3, 5)); convolution: sliding_window_view over the last two "
        "axes, then tensordot with the weights over channel, row and column.",
    ),
)
