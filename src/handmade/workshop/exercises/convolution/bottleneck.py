"""The block of ResNet-50 and deeper ones: a 1x1 convolution reduces the channels, the 3x3 works on the few that are
left, and another 1x1 expands them again. So a wide network stays cheap: what is added to its input comes through a
bottleneck.

    relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x))))))) + shortcut)

conv1 and conv3 are 1x1 without padding, conv2 is 3x3 with padding 1 and has the stride; none has a bias. The shortcut
is x, or where params has one, its projection: a 1x1 convolution with the stride, then a norm. Norms are batch norms at
evaluation, each channel by its given statistics, with eps 1e-5:

    (x - running_mean) / sqrt(running_var + eps) * weight + bias

x is (N, C, H, W). params are named as torchvision's Bottleneck: conv1.weight (M, C, 1, 1), bn1.weight, bn1.bias,
bn1.running_mean, bn1.running_var (M,), conv2.weight (M, M, 3, 3), bn2 as bn1, conv3.weight (K, M, 1, 1), bn3 (K,), and
where there is a projection, downsample.0.weight (K, C, 1, 1) and downsample.1 (K,). bn1.num_batches_tracked and its
like may be there too.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.faults import (
    ALWAYS_PROJECTS,
    BATCH_STATISTICS,
    BLOCK_STRIDE_IGNORED,
    DIVIDES_BY_THE_VARIANCE,
    KERNEL_TURNED,
    NEVER_PROJECTS,
    NO_RELU_AFTER_THE_SUM,
    NO_RESIDUAL,
    NORM_EPS_OUTSIDE,
    NORM_WITHOUT_EPS,
    NORM_WITHOUT_SCALE,
    NORM_WITHOUT_SHIFT,
    ONE_NORM_FOR_ALL,
    PROJECTION_WITHOUT_NORM,
    PROJECTS_WHERE_SIZES_DIFFER,
    RELU_BEFORE_THE_SUM,
    RELU_ON_THE_PROJECTION,
)
from handmade.workshop.switches import wrong


def bottleneck(x, params, stride=1):
    """x (N, C, H, W) -> (N, K, OH, OW)."""
    if wrong("stride ignored"):
        stride = 1
    first, second = (stride, 1) if wrong("stride in the first convolution") else (1, stride)
    out = norm(convolve(x, params["conv1.weight"], first, padding=0), params, "bn1")
    if not wrong("no ReLU after the first"):
        out = relu(out)
    out = convolve(out, params["conv2.weight"], second, padding=1)
    out = norm(out, params, "bn1" if wrong("one norm for both") else "bn2")
    if not wrong("no ReLU after the second"):
        out = relu(out)
    out = norm(convolve(out, params["conv3.weight"], 1, padding=0), params, "bn3")
    if wrong("ReLU before the sum"):
        out = relu(out)
    if not wrong("no residual"):
        out = out + shortcut_of(x, params, stride)
    return out if wrong("no ReLU after the sum") else relu(out)


def shortcut_of(x, params, stride):
    """x, or its projection where params has one."""
    if wrong("never projects"):
        return x
    if wrong("projects only where sizes differ") and stride == 1 and len(params["bn3.bias"]) == x.shape[1]:
        return x
    if wrong("always projects") or "downsample.0.weight" in params:
        x = convolve(x, params["downsample.0.weight"], stride, padding=0)
        if not wrong("projection without norm"):
            x = norm(x, params, "downsample.1")
        if wrong("ReLU on the projection"):
            x = relu(x)
    return x


def convolve(x, w, stride, padding):
    """x (N, C, H, W), w (K, C, R, S) -> (N, K, OH, OW)."""
    if wrong("kernel turned round"):
        w = w[:, :, ::-1, ::-1]
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("nchwrs,kcrs->nkhw", windows[:, :, ::stride, ::stride], w)


def norm(x, params, name):
    """Batch norm at evaluation: x (N, C, H, W) -> the same shape."""
    names = ("weight", "bias", "running_mean", "running_var")
    weight, bias, mean, var = (params[f"{name}.{part}"][:, None, None] for part in names)
    if wrong("batch statistics"):
        mean, var = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
    eps = 0 if wrong("no eps") else 1e-5
    deviation = np.sqrt(var) + eps if wrong("eps outside the root") else np.sqrt(var + eps)
    if wrong("divides by the variance"):
        deviation = var + eps
    out = (x - mean) / deviation
    if not wrong("norms without scale"):
        out = out * weight
    return out if wrong("norms without shift") else out + bias


def relu(x):
    return np.maximum(x, 0)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Odd and even sizes under a stride, a projection where none is needed, variances beside which eps counts."""
    for label, N, C, M, K, size, stride, projects, var in [
        ("same size", 2, 3, 2, 3, (3, 4), 1, False, 1),
        ("stride 2", 2, 3, 2, 4, (7, 6), 2, True, 1),
        ("projection though sizes agree", 1, 3, 2, 3, (4, 3), 1, True, 1),
        ("small variances", 2, 4, 2, 4, (4, 3), 1, False, 1e-3),
    ]:
        kernels = {"conv1": (M, C, 1, 1), "conv2": (M, M, 3, 3), "conv3": (K, M, 1, 1)}
        channels = {"bn1": M, "bn2": M, "bn3": K}
        if projects:
            kernels["downsample.0"], channels["downsample.1"] = (K, C, 1, 1), K
        params = {}
        for name, shape in kernels.items():
            params[f"{name}.weight"] = (var / np.prod(shape[1:])) ** 0.5 * rng.standard_normal(shape)
        for name, n in channels.items():
            params[f"{name}.weight"], params[f"{name}.bias"] = rng.uniform(0.5, 2, n), rng.standard_normal(n)
            params[f"{name}.running_mean"] = var**0.5 * rng.standard_normal(n)
            params[f"{name}.running_var"] = var * rng.uniform(0.3, 3, n)
            if var < 1 or projects:
                params[f"{name}.num_batches_tracked"] = np.array(100)
        yield Case(label, (rng.standard_normal((N, C, *size)), params), {} if stride == 1 else {"stride": stride})


EXERCISE = Exercise(
    title="Bottleneck block",
    paper="He et al. 2016, Deep Residual Learning for Image Recognition, section 4.1; the stride's place: torchvision",
    minutes=20,
    functions=(bottleneck,),
    outputs=("out",),
    cases=cases,
    faults={
        "no residual": NO_RESIDUAL,
        "no ReLU after the sum": NO_RELU_AFTER_THE_SUM,
        "ReLU before the sum": RELU_BEFORE_THE_SUM,
        "no ReLU after the first": Fault(
            "There is no ReLU between the first 1x1 and the 3x3 convolution.",
            "The two are one linear map: narrowing first then costs what it was meant to save.",
            "relu(bn1(conv1(x))), then conv2.",
        ),
        "no ReLU after the second": Fault(
            "There is no ReLU between the 3x3 and the last 1x1 convolution.",
            "The two are one linear map: the last convolution adds nothing.",
            "relu(bn2(conv2(out))), then conv3.",
        ),
        "never projects": NEVER_PROJECTS,
        "always projects": ALWAYS_PROJECTS,
        "projects only where sizes differ": PROJECTS_WHERE_SIZES_DIFFER,
        "projection without norm": PROJECTION_WITHOUT_NORM,
        "ReLU on the projection": RELU_ON_THE_PROJECTION,
        "stride ignored": BLOCK_STRIDE_IGNORED,
        "stride in the first convolution": Fault(
            "The first 1x1 convolution has the stride, as in the paper, not the 3x3.",
            "Three quarters of the pixels are never looked at; weights of torchvision's ResNet-50 lose accuracy.",
            "conv2 and the projection have the stride, conv1 has stride 1.",
        ),
        "one norm for both": ONE_NORM_FOR_ALL,
        "batch statistics": BATCH_STATISTICS,
        "divides by the variance": DIVIDES_BY_THE_VARIANCE,
        "no eps": NORM_WITHOUT_EPS,
        "eps outside the root": NORM_EPS_OUTSIDE,
        "norms without scale": NORM_WITHOUT_SCALE,
        "norms without shift": NORM_WITHOUT_SHIFT,
        "kernel turned round": KERNEL_TURNED,
    },
    hints=(
        "Three functions make it short: a convolution with stride and padding, a norm by the params' names, relu.",
        "1x1, 3x3, 1x1, each followed by its norm; ReLU after the first two. The 3x3 has the stride, and padding 1.",
        'out = bn3(conv3(out)); the shortcut is x, unless "downsample.0.weight" is in params; relu(out + shortcut)',
    ),
    forbidden=("torchvision",),
)
