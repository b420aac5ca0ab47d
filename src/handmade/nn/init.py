"""Initial values of parameters: PyTorch's initialisers. Each fills a tensor in place, off the tape, and returns it.

A layer's output should vary as much as its input, or signals (forward) and gradients (backward) shrink or grow from
layer to layer. An output is a sum over `fan_in` inputs, so its variance is fan_in times that of the weights times that
of the input; for gradients, `fan_out` takes the place of fan_in. Glorot & Bengio (2010) use the mean of the two; He et
al. (2015) use one of them, and a gain that makes up for what the activation loses (ReLU: half of the variance).
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from handmade.engine import Tensor, no_grad, random

GAINS = {"linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The recommended gain of weights that feed an activation; `param` is leaky ReLU's slope, 0.01 if not given."""
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in GAINS:
        raise ValueError(f"nonlinearity is {nonlinearity!r}; expected one of {', '.join([*GAINS, 'leaky_relu'])}")
    return GAINS[nonlinearity]


class _State:
    drawing = True


@contextmanager
def drawing(wanted: bool) -> Iterator[None]:
    """Whether initialisers draw in a `with` block; if not, what would be random is zero.

    A model whose weights are loaded next, or only counted, needs no random ones: those of VGG-16 take two seconds.
    """
    before, _State.drawing = _State.drawing, wanted
    try:
        yield
    finally:
        _State.drawing = before


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Uniform in [a, b)."""
    if not _State.drawing:
        return zeros_(tensor)
    return _fill(tensor, _stretched(random.generator().random(tensor.shape, tensor.dtype), b - a, a))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Normal, with this mean and standard deviation."""
    if not _State.drawing:
        return zeros_(tensor)
    return _fill(tensor, _stretched(random.generator().standard_normal(tensor.shape, tensor.dtype), std, mean))


def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0) -> Tensor:
    """Normal, truncated to [a, b]: values outside are drawn again."""
    if not (a < b and a - 2 * std <= mean <= b + 2 * std):
        raise ValueError(
            f"trunc_normal_: a normal with mean {mean} and std {std} hardly ever falls in [{a}, {b}]; "
            "the mean must be within 2 std of the interval"
        )
    if not _State.drawing:
        return zeros_(tensor)
    rng = random.generator()
    values = np.asarray(rng.normal(mean, std, tensor.shape))
    while (outside := (values < a) | (values > b)).any():
        values[outside] = rng.normal(mean, std, outside.sum())
    return _fill(tensor, values)


def constant_(tensor: Tensor, val: float) -> Tensor:
    return _fill(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    return _fill(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    return _fill(tensor, 1)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Uniform in ±gain sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, equation 16)."""
    bound = gain * math.sqrt(6 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Normal with std = gain sqrt(2 / (fan_in + fan_out)) (Glorot & Bengio 2010, equation 12)."""
    return normal_(tensor, 0, gain * math.sqrt(2 / sum(_fans(tensor))))


def kaiming_uniform_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> Tensor:
    """Uniform in ±gain sqrt(3 / fan), which has the variance of `kaiming_normal_`."""
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> Tensor:
    """Normal with std = gain / sqrt(fan) (He et al. 2015, equations 10 and 14); `a` is leaky ReLU's slope, 0 for ReLU.

    mode "fan_in" preserves the variance of signals in the forward pass, "fan_out" that of gradients in the backward.
    """
    return normal_(tensor, 0, _kaiming_std(tensor, a, mode, nonlinearity))


def orthogonal_(tensor: Tensor, gain: float = 1) -> Tensor:
    """A random matrix (first axis, all others) with orthonormal rows, or columns if those are fewer, times gain.

    Signals keep their length exactly (Saxe et al. 2014). It is the Q of a QR decomposition of normal numbers;
    multiplying by the signs of R's diagonal makes it uniform over all such matrices.
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: the tensor has shape {tensor.shape}; expected at least two axes")
    if not _State.drawing:
        return zeros_(tensor)
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    drawn = random.generator().standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q *= np.sign(np.diag(r))
    return _fill(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def layer_(weight: Tensor, bias: Tensor | None) -> None:
    """Initialise as PyTorch's linear and convolutional layers do: all uniform in ±1 / sqrt(fan_in)."""
    kaiming_uniform_(weight, a=math.sqrt(5))  # gain sqrt(1/3): this leaves 1 / sqrt(fan_in)
    if bias is not None:
        bound = 1 / math.sqrt(_fans(weight)[0])
        uniform_(bias, -bound, bound)


def _fill(tensor: Tensor, values: np.ndarray | float) -> Tensor:
    with no_grad():
        return tensor.copy_(values)


def _stretched(values: np.ndarray, factor: float, shift: float) -> np.ndarray:
    """values * factor + shift, in place: one layer of VGG takes 400 MB."""
    values *= factor
    values += shift
    return values


def _fans(tensor: Tensor) -> tuple[int, int]:
    """(inputs of one output, outputs of one input) of a weight (out, in, ...kernel)."""
    if tensor.ndim < 2:
        raise ValueError(
            f"a tensor of shape {tensor.shape} has no fan in and fan out; expected at least two axes (out, in)"
        )
    taps = math.prod(tensor.shape[2:])
    return tensor.shape[1] * taps, tensor.shape[0] * taps


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode is {mode!r}; expected 'fan_in' or 'fan_out'")
    return calculate_gain(nonlinearity, a) / math.sqrt(_fans(tensor)[mode == "fan_out"])
