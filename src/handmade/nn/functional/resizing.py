"""Images of another size, and images as columns of patches. N images, C channels, image H x W."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.engine import Tensor
from handmade.nn.functional.arguments import Size, numbers, with_batch


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Tensor:
    """(N, C, ...) -> (N, C, *size), or sizes times scale_factor: "nearest", "nearest-exact", "linear", "bilinear".

    align_corners: whether the corner pixels' centres stay where they are, rather than the image's edges.
    """
    axes = input.ndim - 2
    if axes < 1 or (size is None) == (scale_factor is None):
        raise ValueError(f"interpolate: input {input.shape} needs (N, C, ...) and either size or scale_factor")
    if mode not in ("nearest", "nearest-exact", {1: "linear", 2: "bilinear"}.get(axes)):
        raise ValueError(
            f"interpolate: mode is {mode!r}; for {axes} axes expected 'nearest', 'nearest-exact'"
            + ({1: " or 'linear'", 2: " or 'bilinear'"}.get(axes, ""))
        )
    if align_corners is not None and mode.startswith("nearest"):
        raise ValueError(f"interpolate: align_corners is an option of 'linear' and 'bilinear', not of {mode!r}")
    scales: tuple[Any, ...] = (None,) * axes
    if scale_factor is not None:
        scales = numbers("scale_factor", scale_factor, axes)
        size = tuple(int(n * scale) for n, scale in zip(input.shape[2:], scales, strict=True))
        scales = (None,) * axes if recompute_scale_factor else scales
    sizes = numbers("size", size, axes)
    if min(sizes) < 1 or 0 in input.shape[1:]:
        raise ValueError(f"interpolate: from {input.shape} to {sizes}: every size must be at least 1")
    for axis, (new, scale) in enumerate(zip(sizes, scales, strict=True), 2):
        old = input.shape[axis]
        step = old / new if scale is None else 1 / scale
        input = _resampled(input, axis, new, step, mode, bool(align_corners))
    return input


def _resampled(x: Tensor, axis: int, new: int, step: float, mode: str, align_corners: bool) -> Tensor:
    """One axis resampled: every new place reads one old one, or a weighted mean of two neighbours."""
    last, places = x.shape[axis] - 1, np.arange(new)
    if mode == "nearest":
        return x.index_select(axis, np.minimum(np.floor(places * np.float32(step)).astype(int), last))
    if mode == "nearest-exact":
        return x.index_select(axis, np.minimum(np.floor((places + 0.5) * step).astype(int), last))
    centre = places * (last / (new - 1) if new > 1 else 0) if align_corners else (places + 0.5) * step - 0.5
    centre = np.maximum(centre, 0)
    left = np.minimum(centre.astype(int), last)
    share = (centre - left).astype(x.dtype).reshape([-1 if a == axis else 1 for a in range(x.ndim)])
    right = np.minimum(left + 1, last)
    return x.index_select(axis, left) * Tensor(1 - share) + x.index_select(axis, right) * Tensor(share)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C r^2, H, W) -> (..., C, H r, W r): channels become pixels (Shi et al. 2016)."""
    r = upscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise ValueError(f"pixel_shuffle: input {input.shape} needs (..., C, H, W) with C a multiple of {r}^2")
    *batch, channels, height, width = input.shape
    x = input.reshape(*batch, channels // (r * r), r, r, height, width)
    n = len(batch)
    x = x.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return x.reshape(*batch, channels // (r * r), height * r, width * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., C, H r, W r) -> (..., C r^2, H, W): the reverse of pixel_shuffle."""
    r = downscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-2] % r or input.shape[-1] % r:
        raise ValueError(f"pixel_unshuffle: input {input.shape} needs (..., C, H, W) with H and W multiples of {r}")
    *batch, channels, height, width = input.shape
    n = len(batch)
    x = input.reshape(*batch, channels, height // r, r, width // r, r)
    x = x.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return x.reshape(*batch, channels * r * r, height // r, width // r)


def unfold(input: Tensor, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Tensor:
    """(N, C, H, W) -> (N, C R S, L): each of the L windows as a column."""
    kernel, gap = numbers("kernel_size", kernel_size, 2), numbers("dilation", dilation, 2)
    zeros, step = numbers("padding", padding, 2), numbers("stride", stride, 2)

    def columns(x: Tensor) -> Tensor:
        x = x.pad((zeros[1], zeros[1], zeros[0], zeros[0]))
        rows, cols = (_taps("unfold", x.shape[2 + i], kernel[i], gap[i], step[i]) for i in (0, 1))
        windows = x[:, :, Tensor(rows[:, None, :, None]), Tensor(cols[None, :, None, :])]  # N C R S H' W'
        return windows.reshape(x.shape[0], x.shape[1] * kernel[0] * kernel[1], -1)

    return with_batch(input, 4, columns)


def fold(
    input: Tensor,
    output_size: Size,
    kernel_size: Size,
    dilation: Size = 1,
    padding: Size = 0,
    stride: Size = 1,
) -> Tensor:
    """(N, C R S, L) -> (N, C, *output_size): the transpose of unfold, which adds where windows overlap."""
    size = numbers("output_size", output_size, 2)
    kernel, gap = numbers("kernel_size", kernel_size, 2), numbers("dilation", dilation, 2)
    zeros, step = numbers("padding", padding, 2), numbers("stride", stride, 2)
    padded = [size[i] + 2 * zeros[i] for i in (0, 1)]
    rows, cols = (_taps("fold", padded[i], kernel[i], gap[i], step[i]) for i in (0, 1))
    places = rows[:, None, :, None] * padded[1] + cols[None, :, None, :]  # R S H' W'

    def images(x: Tensor) -> Tensor:
        taps = kernel[0] * kernel[1]
        if x.ndim != 3 or x.shape[1] % taps or x.shape[2] != places[0, 0].size:
            raise ValueError(
                f"fold: input {x.shape} needs (N, C R S, L) with R S = {taps} and L = {places[0, 0].size} windows"
            )
        channels = x.shape[1] // taps
        flat = x.reshape(x.shape[0], channels, -1)
        index = np.broadcast_to(places.reshape(-1), flat.shape)
        whole = x.new_zeros(x.shape[0], channels, padded[0] * padded[1]).scatter_add(2, index, flat)
        whole = whole.reshape(x.shape[0], channels, *padded)
        return whole[:, :, zeros[0] : padded[0] - zeros[0], zeros[1] : padded[1] - zeros[1]]

    return with_batch(input, 3, images)


def _taps(name: str, size: int, kernel: int, gap: int, step: int) -> np.ndarray:
    """(R, H'): which row tap r of window h reads."""
    span = (kernel - 1) * gap + 1
    if min(kernel, gap, step) < 1 or span > size:
        raise ValueError(f"{name}: a kernel of {kernel}, dilation {gap} and stride {step} does not fit {size} pixels")
    return np.arange(kernel)[:, None] * gap + np.arange(0, size - span + 1, step)
