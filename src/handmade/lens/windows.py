"""Convolution window by window: where each window stands, what is multiplied there, and what a layer of it costs.

    Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (2016), relationships 6 and 15.

H, W of the image, R, S of the kernel, OH, OW of the output; C channels in, K kernels
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from handmade.errors import InputError


class Windows(NamedTuple):
    """padded: the image with its border of zeros. output: the sum of each window's products."""

    padded: Float[np.ndarray, "_ _"]
    output: Float[np.ndarray, "OH OW"]


class Counts(NamedTuple):
    """parameters: weights and biases of a layer. multiply_adds: products that it computes for one image."""

    parameters: int
    multiply_adds: int


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """How many windows fit along one axis: floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.

    InputError where not even one does.
    """
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        reach = dilation * (kernel - 1) + 1
        raise InputError(f"the window reaches over {reach} pixels, and the padded image has {size + 2 * padding}.")
    return room // stride + 1


def slide(
    image: Float[np.ndarray, "H W"],
    kernel: Float[np.ndarray, "R S"],
    bias: float = 0.0,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Windows:
    """output[i, j] = bias + sum over r, s of padded[stride i + dilation r, stride j + dilation s] kernel[r, s]."""
    (H, W), (R, S) = image.shape, kernel.shape
    OH, OW = output_size(H, R, stride, padding, dilation), output_size(W, S, stride, padding, dilation)
    padded = np.pad(image, padding)
    output = np.full((OH, OW), float(bias))
    for r in range(R):
        for s in range(S):
            top, left = dilation * r, dilation * s
            seen = padded[top : top + stride * (OH - 1) + 1 : stride, left : left + stride * (OW - 1) + 1 : stride]
            output += kernel[r, s] * seen
    return Windows(padded, output)


def pool(image: Float[np.ndarray, "H W"], size: tuple[int, int], stride: int = 1) -> Windows:
    """output[i, j] = the largest of image[stride i + r, stride j + s] for r, s inside the size of the window."""
    OH, OW = (output_size(length, k, stride) for length, k in zip(image.shape, size, strict=True))
    windows = np.lib.stride_tricks.sliding_window_view(image, size)[::stride, ::stride][:OH, :OW]
    return Windows(image, windows.max(axis=(2, 3)))


def layer_counts(C: int, K: int, R: int, S: int, OH: int, OW: int, groups: int = 1) -> Counts:
    """Of a layer with biases: each of the K kernels sees C / groups channels, at OH x OW places.

    InputError where the groups cannot share the channels or the kernels.
    """
    if C % groups or K % groups:
        raise InputError(f"{groups} groups cannot share {C} channels and {K} kernels: both must be multiples.")
    weights = K * (C // groups) * R * S
    return Counts(weights + K, weights * OH * OW)
