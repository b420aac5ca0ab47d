"""Convolutions. N samples, C input and K output channels, image H x W, kernel R x S, G groups, length L."""

from __future__ import annotations

from handmade.engine import Tensor
from handmade.nn.functional.arguments import Size, column, numbers, run, with_batch
from handmade.ops import convolution


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """input (N, C, L), weight (K, C/G, R), bias (K,) -> (N, K, L'); arguments as for conv2d, with one axis."""
    padded, sizes = _sizes("conv1d", input, weight, stride, padding, dilation, 1)
    options = {name: size for name, (size,) in sizes.items()}
    return with_batch(padded, 3, lambda x: run(convolution.conv1d, x, weight, bias, groups=groups, **options))


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """input (N, C, H, W), weight (K, C/G, R, S), bias (K,) -> (N, K, H', W').

    padding: numbers, "valid" (none) or "same" (zeros that keep H and W; if their number is odd, one more at the end).

    >>> from handmade import ones
    >>> from handmade.nn import functional as F
    >>> F.conv2d(ones(1, 1, 3, 3), ones(1, 1, 3, 3), padding=1)[0, 0].tolist()  # how much of the kernel lies inside
    [[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]]
    """
    padded, sizes = _sizes("conv2d", input, weight, stride, padding, dilation, 2)
    return with_batch(padded, 4, lambda x: run(convolution.conv2d, x, weight, bias, groups=groups, **sizes))


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """input (N, C, H, W), weight (C, K/G, R, S), bias (K,) -> (N, K, H', W'): reverses the shape change of a conv2d.

    H' = (H - 1) stride - 2 padding + (R - 1) dilation + 1 + output_padding.
    """
    check_axes("conv_transpose2d", weight, 4)
    options = {
        "stride": numbers("stride", stride, 2),
        "padding": numbers("padding", padding, 2),
        "output_padding": numbers("output_padding", output_padding, 2),
        "dilation": numbers("dilation", dilation, 2),
        "groups": groups,
    }
    return with_batch(input, 4, lambda x: run(convolution.conv_transpose2d, x, weight, bias, **options))


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """input (N, C, L), weight (C, K/G, R), bias (K,) -> (N, K, L'): conv_transpose2d on an image one pixel wide."""
    check_axes("conv_transpose1d", weight, 3)
    return conv_transpose2d(
        input.unsqueeze(-1),
        weight.unsqueeze(-1),
        bias,
        column("stride", stride, 1),
        column("padding", padding, 0),
        column("output_padding", output_padding, 0),
        groups,
        column("dilation", dilation, 1),
    ).squeeze(-1)


def check_axes(name: str, weight: Tensor, ndim: int) -> None:
    if not isinstance(weight, Tensor) or weight.ndim != ndim:
        raise ValueError(f"{name}: weight has shape {getattr(weight, 'shape', weight)}, expected {ndim} axes")


def _sizes(
    name: str, input: Tensor, weight: Tensor, stride: Size, padding: Size | str, dilation: Size, axes: int
) -> tuple[Tensor, dict[str, tuple[int, ...]]]:
    """The options of a convolution, each a number for each axis; and its input, padded where "same" asks for it."""
    check_axes(name, weight, axes + 2)
    stride, dilation = numbers("stride", stride, axes), numbers("dilation", dilation, axes)
    padded, padding = _padding(name, input, padding, weight.shape[2:], stride, dilation)
    return padded, {"stride": stride, "padding": padding, "dilation": dilation}


def _padding(
    name: str,
    input: Tensor,
    padding: Size | str,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[Tensor, tuple[int, ...]]:
    """Padding as numbers. If "same" needs an odd number of zeros, the extra one is added to the input here."""
    pairs = paddings(name, padding, kernel, stride, dilation)
    if any(before != after for before, after in pairs):
        input = input.pad([number for before, after in reversed(pairs) for number in (0, after - before)])
    return input, tuple(before for before, _ in pairs)


def paddings(
    name: str, padding: Size | str, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> list[tuple[int, int]]:
    """How many elements go before and behind each axis; "same" puts an odd one behind it."""
    if padding == "valid":
        return [(0, 0)] * len(kernel)
    if not isinstance(padding, str):
        return [(number, number) for number in numbers("padding", padding, len(kernel))]
    if padding != "same":
        raise ValueError(f"{name}: padding is {padding!r}; expected numbers, 'same' or 'valid'")
    if any(step != 1 for step in stride):
        raise ValueError(
            f"{name}: padding='same' keeps the size, which stride {stride} cannot do; use stride 1 or pass numbers"
        )
    total = [gap * (size - 1) for size, gap in zip(kernel, dilation, strict=True)]
    return [(zeros // 2, zeros - zeros // 2) for zeros in total]
