"""One unit of a convolution inside a network: the part of the image that it sees, and what its sum is made of.

    Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks" (2019), equations 2 and 4: where
    one number sees `size` pixels from `start` on and its neighbour `step` further, a window of k numbers, s apart and
    d wide, behind a padding of p sees size + (k - 1) d step pixels, from start - p step on, in steps of s step.

C channels that a kernel sees, K kernels, H, W of the maps that go in, h, w of those that come out, R, S of the kernel
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from handmade.engine import Call, Tensor, no_grad, watching
from handmade.errors import InputError
from handmade.lens.hooks import undisturbed
from handmade.nn import Conv2d, Module
from handmade.nn.functional.convolution import paddings

WINDOWS = ("conv2d", "max_pool2d", "avg_pool2d")


class Field(NamedTuple):
    """Along one axis of the image: unit n sees `size` pixels from start + n step on; some may lie in the padding."""

    start: int = 0
    size: int = 1
    step: int = 1

    def of(self, unit: int) -> tuple[int, int]:
        """The first pixel that the unit sees, and the first that it no longer sees."""
        first = self.start + unit * self.step
        return first, first + self.size

    def behind(self, kernel: int, stride: int, padding: int, dilation: int) -> "Field":
        """That of a window over such units."""
        return Field(
            self.start - padding * self.step, self.size + (kernel - 1) * dilation * self.step, self.step * stride
        )

    def joined(self, other: "Field") -> "Field":
        """That of what comes from both."""
        start, end = min(self.start, other.start), max(self.start + self.size, other.start + other.size)
        return Field(start, end - start, max(self.step, other.step))


Fields = tuple[Field, Field]
"""Down and across the image."""


class Layer(NamedTuple):
    """A convolution as it ran on one image. x: what came in. out: its maps, without what follows, such as a ReLU.
    sees: the part of the image that a unit sees."""

    name: str
    module: Conv2d
    x: Float[np.ndarray, "C H W"]
    out: Float[np.ndarray, "K h w"]
    sees: Fields


class Unit(NamedTuple):
    """One number of a map: value = bias + the sum of window * kernel over all channels, rows and columns.

    channels: the numbers of the C maps that its kernel sees. window: what it sees of them, zeros in the padding.
    rows, columns: the pixels of the image that it sees, as `Field.of`.
    """

    value: float
    bias: float
    channels: range
    window: Float[np.ndarray, "C R S"]
    kernel: Float[np.ndarray, "C R S"]
    rows: tuple[int, int]
    columns: tuple[int, int]

    @property
    def contributions(self) -> Float[np.ndarray, "C"]:
        """What each channel adds to the sum."""
        return (self.window * self.kernel).sum(axis=(1, 2))

    def strongest(self, count: int) -> np.ndarray:
        """The places in `channels` of those that add or take away most, the strongest first."""
        return np.argsort(-np.abs(self.contributions), kind="stable")[:count]


@contextmanager
def following(image: Float[Tensor, "1 C H W"]) -> Iterator[Callable[[Tensor], Fields]]:
    """Inside the block, what is computed from the image is followed; yields what says which part of it a unit sees.

    It holds as far as places stay places: behind a mean over all of them, or a flattening, it says nothing true.
    """
    fields: dict[int, tuple[np.ndarray, Fields]] = {}  # of each array; it is kept, so that no id comes again

    def follow(call: Call) -> None:
        known = [fields[id(x.array)][1] for x in call.inputs if isinstance(x, Tensor) and id(x.array) in fields]
        if not known:
            return
        down, across = known[0]
        for one, other in known[1:]:
            down, across = down.joined(one), across.joined(other)
        if call.name in WINDOWS:
            (R, r), (S, s) = _moves(call)
            down, across = down.behind(R, *r), across.behind(S, *s)
        fields[id(call.result.array)] = call.result.array, (down, across)

    fields[id(image.array)] = image.array, (Field(), Field())
    with watching(follow):
        yield lambda tensor: fields.get(id(tensor.array), (None, (Field(), Field())))[1]


def convolutions(model: Module, image: Float[Tensor, "1 C H W"]) -> dict[str, Layer]:
    """The model's convolutions as they run on the image, by name; those that run once, in the order in which they do.

    InputError for a model that has none.
    """
    runs: dict[str, list[Layer]] = {}

    def keep(name: str, module: Any, inputs: tuple, output: Tensor) -> None:
        layer = Layer(name, module, inputs[0].array[0], output.array[0], seen_by(output))
        runs.setdefault(name, []).append(layer)

    handles = [
        module.register_forward_hook(lambda module, inputs, output, name=name: keep(name, module, inputs, output))
        for name, module in model.named_modules()
        if isinstance(module, Conv2d) and module.padding_mode == "zeros"
    ]
    try:
        with undisturbed(model), no_grad(), following(image) as seen_by:
            model(image)
    finally:
        for handle in handles:
            handle.remove()
    found = {name: layers[0] for name, layers in runs.items() if len(layers) == 1}
    if not found:
        raise InputError(f"{type(model).__name__} has no convolution over images.")
    return found


def unit_of(layer: Layer, kernel: int, row: int, column: int) -> Unit:
    """The unit in the map of a kernel, at a row and a column. InputError where there is none."""
    K, h, w = layer.out.shape
    if not (0 <= kernel < K and 0 <= row < h and 0 <= column < w):
        raise InputError(f"{layer.name} has no unit {kernel}, {row}, {column}: its maps are {K} x {h} x {w}.")
    module = layer.module
    weight, stride, dilation = module.weight.array, module.stride, module.dilation
    (top, _), (left, _) = paddings("Conv2d", module.padding, module.kernel_size, stride, dilation)
    C, R, S = weight.shape[1:]
    first = kernel // (K // module.groups) * C  # its group's
    down = row * stride[0] - top + dilation[0] * np.arange(R)
    across = column * stride[1] - left + dilation[1] * np.arange(S)
    H, W = layer.x.shape[1:]
    inside = ((down >= 0) & (down < H))[:, None] & ((across >= 0) & (across < W))
    seen = layer.x[first : first + C][:, down.clip(0, H - 1)[:, None], across.clip(0, W - 1)]
    return Unit(
        float(layer.out[kernel, row, column]),
        0.0 if module.bias is None else float(module.bias.array[kernel]),
        range(first, first + C),
        np.where(inside, seen, 0),
        weight[kernel],
        layer.sees[0].of(row),
        layer.sees[1].of(column),
    )


def _moves(call: Call) -> tuple[tuple[int, tuple[int, int, int]], tuple[int, tuple[int, int, int]]]:
    """Down and across: the size of the window, and its stride, padding (of the side where it begins) and dilation."""
    options: dict[str, Any] = call.options
    size = options.get("kernel_size") or call.inputs[1].shape[2:]
    each = [np.broadcast_to(options.get(name, usual), 2) for name, usual in (("stride", 1), ("dilation", 1))]
    padding = options.get("padding", 0)
    begin = [p[0] for p in padding] if np.ndim(padding) == 2 else np.broadcast_to(padding, 2)
    sizes = np.broadcast_to(size, 2)
    down, across = [(int(sizes[axis]), (int(each[0][axis]), int(begin[axis]), int(each[1][axis]))) for axis in (0, 1)]
    return down, across
