"""A training step of single convolution and pooling layers, here and in PyTorch, in turn in one process.

    python -m benchmarks convolution [NAME ...]

A step is the value and the gradients that training needs: of the weight and, but for a network's first layer, of the
input; for pooling of the input. Medians; float32; both use all cores. PyTorch has its default layout (NCHW), handmade
its own (channels last). The bar: 4 times PyTorch's time.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from handmade.ops.convolution import conv2d
from handmade.ops.pooling import avg_pool2d, max_pool2d

ROUNDS = 11


class Layer(NamedTuple):
    batch: int
    channels: int
    size: int
    filters: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    first: bool = False


CONVOLUTIONS = {
    "LeNet-5 C1": Layer(64, 1, 32, 6, 5, first=True),
    "LeNet-5 C3": Layer(64, 6, 14, 16, 5),
    "ResNet-20 stem": Layer(128, 3, 32, 16, 3, 1, 1, first=True),
    "ResNet-20 stage 1": Layer(128, 16, 32, 16, 3, 1, 1),
    "ResNet-20 to stage 2": Layer(128, 16, 32, 32, 3, 2, 1),
    "ResNet-20 stage 2": Layer(128, 32, 16, 32, 3, 1, 1),
    "ResNet-20 stage 3": Layer(128, 64, 8, 64, 3, 1, 1),
    "AlexNet conv1": Layer(8, 3, 224, 64, 11, 4, 2, first=True),
    "AlexNet conv2": Layer(8, 64, 27, 192, 5, 1, 2),
    "VGG conv1": Layer(4, 3, 224, 64, 3, 1, 1, first=True),
    "VGG conv2": Layer(4, 64, 224, 64, 3, 1, 1),
    "VGG conv5": Layer(4, 512, 14, 512, 3, 1, 1),
    "ResNet-50 stem": Layer(8, 3, 224, 64, 7, 2, 3, first=True),
    "ResNet-50 1x1": Layer(8, 64, 56, 256, 1),
    "ResNet-50 1x1 /2": Layer(8, 256, 56, 512, 1, 2),
    "ResNet-50 3x3": Layer(8, 64, 56, 64, 3, 1, 1),
    "ResNet-50 3x3 /2": Layer(8, 128, 56, 128, 3, 2, 1),
    "ResNet-50 last 3x3": Layer(8, 512, 7, 512, 3, 1, 1),
    "depthwise 3x3": Layer(8, 144, 56, 144, 3, 1, 1, groups=144),
    "depthwise 3x3 /2": Layer(8, 144, 56, 144, 3, 2, 1, groups=144),
    "32 groups 3x3": Layer(8, 128, 56, 128, 3, 1, 1, groups=32),
}
POOLINGS = {
    "LeNet-5 pool": Layer(64, 6, 28, 6, 2, 2),
    "AlexNet pool": Layer(8, 64, 55, 64, 3, 2),
    "VGG pool": Layer(4, 64, 224, 64, 2, 2),
    "ResNet-50 pool": Layer(8, 64, 112, 64, 3, 2, 1),
}


def channels_last(tensor: torch.Tensor) -> np.ndarray:
    return np.ascontiguousarray(tensor.detach().permute(0, 2, 3, 1).numpy()).transpose(0, 3, 1, 2)


def convolution_steps(layer: Layer) -> tuple[Callable[[], object], Callable[[], object]]:
    """The step here and in PyTorch, on the same numbers."""
    x = torch.randn(layer.batch, layer.channels, layer.size, layer.size, requires_grad=not layer.first)
    weight = torch.randn(layer.filters, layer.channels // layer.groups, layer.kernel, layer.kernel, requires_grad=True)
    options = {"stride": layer.stride, "padding": layer.padding, "groups": layer.groups}
    g = torch.randn_like(torch.conv2d(x, weight, None, **options))
    wanted = [weight] if layer.first else [weight, x]
    arrays = [channels_last(tensor) for tensor in (x, weight, g)]
    pairs = {"stride": (layer.stride,) * 2, "padding": (layer.padding,) * 2, "groups": layer.groups}

    def ours() -> object:
        y, pullback = conv2d(*arrays[:2], **pairs)
        of_x, of_weight, _ = pullback(arrays[2])
        return y, of_weight(), None if layer.first else of_x()

    return ours, lambda: torch.autograd.grad(torch.conv2d(x, weight, None, **options), wanted, g)


def pooling_steps(operation: Callable, reference: Callable) -> Callable:
    """As convolution_steps, for an operation here and its counterpart in PyTorch."""

    def steps(layer: Layer) -> tuple[Callable[[], object], Callable[[], object]]:
        x = torch.randn(layer.batch, layer.channels, layer.size, layer.size, requires_grad=True)
        options = {"kernel_size": layer.kernel, "stride": layer.stride, "padding": layer.padding}
        pairs = {name: (option, option) for name, option in options.items()}
        g = torch.randn_like(reference(x, **options))
        image, cotangent = channels_last(x), channels_last(g)

        def ours() -> object:
            y, pullback = operation(image, **pairs)
            return y, pullback(cotangent)

        return ours, lambda: torch.autograd.grad(reference(x, **options), [x], g)

    return steps


def milliseconds(steps: tuple[Callable[[], object], ...]) -> list[float]:
    """The median time of each step. They take turns; before each is timed it runs once, to find its caches warm."""
    times: list[list[float]] = [[] for _ in steps]
    for _ in range(ROUNDS):
        for step, series in zip(steps, times, strict=True):
            step()
            start = time.perf_counter()
            step()
            series.append((time.perf_counter() - start) * 1e3)
    return [statistics.median(series) for series in times]


def main(names: list[str]) -> None:
    print(f"{'layer':22s} {'input':>18s} {'kernel':>24s} {'handmade':>10s} {'PyTorch':>10s}  ratio")
    kinds = [(CONVOLUTIONS, convolution_steps, "")]
    kinds += [(POOLINGS, pooling_steps(max_pool2d, torch.nn.functional.max_pool2d), ", max")]
    kinds += [(POOLINGS, pooling_steps(avg_pool2d, torch.nn.functional.avg_pool2d), ", mean")]
    for layers, steps, suffix in kinds:
        for name, layer in layers.items():
            if names and not any(part.lower() in name.lower() for part in names):
                continue
            ours, theirs = milliseconds(steps(layer))
            shape = f"{layer.batch}x{layer.channels}x{layer.size}x{layer.size}"
            kernel = f"{layer.kernel}x{layer.kernel} -> {layer.filters}, /{layer.stride}, +{layer.padding}"
            print(
                f"{name + suffix:22s} {shape:>18s} {kernel:>24s} {ours:7.2f} ms {theirs:7.2f} ms  {ours / theirs:5.2f}",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only layers whose name contains one of these")
    main(parser.parse_args().names)
