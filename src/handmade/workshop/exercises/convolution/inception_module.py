"""GoogLeNet's module does not choose a kernel's size: it looks with several at once, and puts what they find side by
side. 1x1 convolutions before the large kernels reduce the channels, which keeps it cheap.

    branch 1: b1 1x1          branch 3: b3a 1x1, then b3b 5x5
    branch 2: b2a 1x1, b2b 3x3    branch 4: 3x3 max pooling, then b4 1x1

Every convolution has a bias and stride 1, is padded so that the image keeps its size, and is followed by ReLU. The
pooling has stride 1 and keeps the size too; what it is padded with is never the largest. The four results are
concatenated along the channels, in this order. x is (N, C, H, W); params has `b1.weight` (K1, C, 1, 1), `b1.bias`
(K1,), and likewise b2a, b2b, b3a, b3b and b4. The result is (N, K1 + K2 + K3 + K4, H, W).
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.faults import KERNEL_TURNED
from handmade.workshop.switches import wrong


def inception_module(x, params):
    """x (N, C, H, W) -> the branches' channels (N, K1 + K2 + K3 + K4, H, W)."""
    one = convolve(x, params, "b1")
    three = convolve(convolve(x, params, "b2a"), params, "b2b")
    five = convolve(convolve(x, params, "b3a"), params, "b3b")
    if wrong("pooled after the 1x1"):
        pooled = max_pool(convolve(x, params, "b4"))
    else:
        pooled = convolve(x if wrong("not pooled") else max_pool(x), params, "b4")
    if wrong("5x5 before 3x3"):
        three, five = five, three
    if wrong("pooling branch before the others"):
        return np.concatenate([pooled, one, three, five], axis=1)
    return np.concatenate([one, three, five, pooled], axis=1)


def convolve(x, params, name):
    """Convolution and ReLU: x (N, C, H, W), weights (K, C, R, R) with R odd -> (N, K, H, W)."""
    w, b = params[f"{name}.weight"], params[f"{name}.bias"]
    if wrong("kernel turned round"):
        w = w[:, :, ::-1, ::-1]
    half = w.shape[2] // 2
    sides = (0, 2 * half) if wrong("pads below and right only") else (half, half)
    x = np.pad(x, ((0, 0), (0, 0), sides, sides), mode="edge" if wrong("padded with the border") else "constant")
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    out = np.einsum("nchwrs,kcrs->nkhw", windows, w)
    if not wrong("no bias"):
        out = out + b[:, None, None]
    if wrong("no ReLU"):
        return out
    if wrong("no ReLU after the reductions") and name in ("b2a", "b3a"):
        return out
    if wrong("no ReLU after the pooling branch") and name == "b4":
        return out
    return np.maximum(out, 0)


def max_pool(x):
    """The largest value around each pixel: (N, C, H, W) -> the same shape."""
    around = -np.inf
    if wrong("padding wins") or wrong("mean pooling"):
        around = 0
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=around)
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    return windows.mean((4, 5)) if wrong("mean pooling") else windows.max((4, 5))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Different numbers of channels in every branch, then equal ones; images smaller than the largest kernel; inputs
    below 0, where padding with zeros would win."""
    for label, shape, channels, shift in [
        ("different branches", (2, 3, 4, 5), (1, 2, 2, 1, 2, 4), 0),
        ("equal branches", (1, 2, 5, 3), (2, 2, 2, 2, 2, 2), 0),
        ("values below 0", (2, 2, 3, 4), (2, 3, 1, 2, 3, 4), -3),
    ]:
        K1, M2, K2, M3, K3, K4 = channels
        C = shape[1]
        kernels = {
            "b1": (K1, C, 1, 1),
            "b2a": (M2, C, 1, 1),
            "b2b": (K2, M2, 3, 3),
            "b3a": (M3, C, 1, 1),
            "b3b": (K3, M3, 5, 5),
            "b4": (K4, C, 1, 1),
        }
        params = {}
        for name, size in kernels.items():
            params[f"{name}.weight"] = rng.standard_normal(size) / np.prod(size[1:]) ** 0.5
            params[f"{name}.bias"] = rng.uniform(-1, 1, size[0])
        yield Case(label, (rng.standard_normal(shape) + shift, params))


EXERCISE = Exercise(
    title="Inception module",
    paper="Szegedy et al. 2015, Going Deeper with Convolutions, section 4",
    minutes=20,
    functions=(inception_module,),
    outputs=("out",),
    cases=cases,
    faults={
        "pooled after the 1x1": Fault(
            "The fourth branch convolves first and pools afterwards.",
            "Shapes are right, but published weights were trained the other way round.",
            "convolve(max_pool(x)).",
        ),
        "not pooled": Fault(
            "The fourth branch does not pool.",
            "It is a second branch 1, and no branch reports the strongest answer nearby.",
            "convolve(max_pool(x)).",
        ),
        "pooling branch before the others": Fault(
            "The pooling branch's channels come first.",
            "The next layer's weights meet other channels than they were trained with.",
            "Concatenate b1, b2, b3, b4 in this order.",
        ),
        "5x5 before 3x3": Fault(
            "The 5x5 branch's channels come before those of the 3x3 branch.",
            "The next layer's weights meet other channels than they were trained with.",
            "Concatenate b1, b2, b3, b4 in this order.",
        ),
        "kernel turned round": KERNEL_TURNED,
        "pads below and right only": Fault(
            "All padding is put below and to the right.",
            "Each branch is shifted by another amount: what stands side by side belongs to different pixels.",
            "Pad R // 2 on all four sides.",
        ),
        "padded with the border": Fault(
            "The convolutions' padding repeats the border, instead of being 0.",
            "Published weights were trained with zeros around the image: results differ along the border.",
            "np.pad(x, ...) with its default, constant zeros.",
        ),
        "no bias": Fault(
            "The biases are not added.",
            "Each channel's ReLU cuts at 0, not where it was learned.",
            "Add b[k] to all of channel k: b[:, None, None].",
        ),
        "no ReLU": Fault(
            "There is no ReLU anywhere.",
            "All but the pooling is linear: kernels and 1x1 reductions collapse into one.",
            "np.maximum(out, 0) after every convolution.",
        ),
        "no ReLU after the reductions": Fault(
            "The 1x1 convolutions before the large kernels are not followed by ReLU.",
            "Reduction and kernel are one linear map, so the reduction only loses information.",
            "np.maximum(out, 0) after every convolution, not only after the concatenation.",
        ),
        "no ReLU after the pooling branch": Fault(
            "b4 is not followed by ReLU.",
            "Its channels have negative values, which the next layer was not trained for.",
            "np.maximum(out, 0) after every convolution.",
        ),
        "padding wins": Fault(
            "The pooling pads with zeros, and where all neighbours are negative a zero is the largest.",
            "Along the border negative values are lost.",
            "Pad with -np.inf.",
        ),
        "mean pooling": Fault(
            "The pooling takes the mean.",
            "Strong answers are evened out; published weights were trained with the largest.",
            "The maximum of each 3x3 window.",
        ),
    },
    hints=(
        "Write one function for convolution, bias and ReLU that pads by half of its kernel, and one for the pooling.",
        "The pooling pads by 1 with -np.inf: then no padding is ever the largest.",
        "np.concatenate([b1(x), b2b(b2a(x)), b3b(b3a(x)), b4(max_pool(x))], axis=1)",
    ),
    forbidden=("torchvision",),
)
