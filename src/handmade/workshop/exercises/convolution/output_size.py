"""Two calculations behind every convolutional network. How large is a layer's output, along one axis, given the size of
its input, its kernel, stride, padding (on each side) and dilation (the distance between neighbouring weights)? Windows
that would reach beyond the end are left out.

And how large is the receptive field: how many input pixels, along one axis, does one output of a stack of layers see?
Each layer widens it by the reach of its kernel, measured in steps of all the layers before. `layers` is a list of
(kernel, stride, dilation), the layer next to the input first.
"""

import math
from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """Integers -> the number of windows."""
    if wrong("stride ignored"):
        stride = 1
    reach = dilation * (kernel - 1) + 1
    if wrong("dilation ignored"):
        reach = kernel
    if wrong("dilation times kernel"):
        reach = dilation * kernel
    room = size + (padding if wrong("padding on one side") else 2 * padding) - reach
    if wrong("not rounded"):
        steps = room / stride
    elif wrong("rounded up"):
        steps = math.ceil(room / stride)
    else:
        steps = room // stride
    return steps if wrong("first window forgotten") else steps + 1


def receptive_field(layers):
    """[(kernel, stride, dilation), ...] from the input on -> pixels seen by one output."""
    field, step = (0 if wrong("field starts at 0") else 1), 1
    for kernel, stride, dilation in layers:
        if wrong("a layer's own stride counted"):
            step = step * stride
        widening = kernel if wrong("kernel instead of kernel - 1") else kernel - 1
        if not wrong("dilation ignored in the field"):
            widening = widening * dilation
        field = field + (widening if wrong("strides ignored in the field") else widening * step)
        if wrong("strides added"):
            step = step + stride - 1
        elif not wrong("a layer's own stride counted"):
            step = step * stride
    return field


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Known layers, then sizes that leave a rest, with every option; stacks with strides and dilations that differ."""
    for label, sizes, options in [
        ("no options", (7, 3), {}),
        ("same size", (8, 5), {"padding": 2}),
        ("stride that divides", (9, 3), {"stride": 2}),
        ("stride with a rest", (10, 3), {"stride": 4}),
        ("ResNet's first layer", (224, 7), {"stride": 2, "padding": 3}),
        ("dilation", (12, 3), {"dilation": 3}),
        ("all options", (21, 4), {"stride": 3, "padding": 1, "dilation": 2}),
        ("kernel as large as the input", (6, 6), {"stride": 2}),
        ("padding wider than the kernel", (5, 2), {"padding": 3}),
        ("kernel 1", (6, 1), {"stride": 2, "padding": 1, "dilation": 2}),
    ]:
        yield Case(f"output_size: {label}", sizes, options)
    for label, layers in [
        ("one layer", [(5, 1, 1)]),
        ("one layer with stride and dilation", [(3, 2, 2)]),
        ("three of 3x3", [(3, 1, 1)] * 3),
        ("strides", [(3, 2, 1), (3, 1, 1), (2, 2, 1), (5, 3, 1), (3, 1, 1)]),
        ("dilations", [(3, 1, 1), (3, 1, 2), (3, 1, 4)]),
        ("strides and dilations", [(7, 2, 1), (1, 3, 1), (3, 2, 2), (4, 1, 3)]),
    ]:
        yield Case(f"receptive_field: {label}", (layers,), function="receptive_field")


EXERCISE = Exercise(
    title="Output size and receptive field",
    paper="Dumoulin and Visin 2016, A Guide to Convolution Arithmetic for Deep Learning, relationships 6 and 15",
    minutes=10,
    functions=(output_size, receptive_field),
    outputs=("result",),
    cases=cases,
    faults={
        "stride ignored": Fault(
            "The output's size does not depend on the stride.",
            "The layer after it is made for an image too large, and fails.",
            "Divide the remaining room by the stride, rounding down, before adding 1.",
        ),
        "dilation ignored": Fault(
            "The output's size does not depend on the dilation.",
            "A dilated kernel reaches farther than its number of weights: the true output is smaller.",
            "It covers dilation * (kernel - 1) + 1 pixels.",
        ),
        "dilation times kernel": Fault(
            "A dilated kernel was taken to cover dilation * kernel pixels.",
            "Outputs come out too small: there are only kernel - 1 gaps between its weights.",
            "It covers dilation * (kernel - 1) + 1 pixels.",
        ),
        "padding on one side": Fault(
            "The padding is counted once.",
            "A 3x3 kernel with padding 1 seems to shrink the image, though it keeps its size.",
            "Padding is put on both sides: size + 2 * padding.",
        ),
        "not rounded": Fault(
            "The division by the stride is not rounded.",
            "There are no half windows: a size must be an integer.",
            "Round down: room // stride + 1.",
        ),
        "rounded up": Fault(
            "The division by the stride is rounded up.",
            "A window is counted that reaches beyond the end.",
            "Round down: room // stride + 1.",
        ),
        "first window forgotten": Fault(
            "1 is not added: steps are counted, not windows.",
            "Every size is one too small.",
            "The first window stands before the first step: room // stride + 1.",
        ),
        "field starts at 0": Fault(
            "The receptive field starts at 0.",
            "Every field is one too small: without any layer, an output sees one pixel, itself.",
            "Start from 1.",
        ),
        "a layer's own stride counted": Fault(
            "A layer's own stride is counted in how far its kernel reaches.",
            "The field is too large: neighbouring weights lie one step of the layers before apart.",
            "Widen the field first, then multiply the step by the stride.",
        ),
        "kernel instead of kernel - 1": Fault(
            "Each layer widens the field by its whole kernel.",
            "Two layers of 3x3 see 5 pixels, not 7.",
            "The kernel's first weight is already counted: it widens by kernel - 1.",
        ),
        "dilation ignored in the field": Fault(
            "The field does not depend on the dilation.",
            "WaveNet's field, over a thousand, looks like a dozen.",
            "A layer widens by (kernel - 1) * dilation steps.",
        ),
        "strides ignored in the field": Fault(
            "The field does not depend on the strides.",
            "After strides each step covers several pixels: deep layers see far more.",
            "Multiply each widening by the product of the strides before.",
        ),
        "strides added": Fault(
            "The strides of the layers before are added up, not multiplied.",
            "After two strides of 2 a step covers 4 pixels; after five, 32, not 6.",
            "step = step * stride.",
        ),
    },
    hints=(
        "How many pixels does the kernel cover, and how many steps fit into what is left? For the field, start from 1.",
        "Windows are one more than steps. One step of a layer is the product of all strides before it, in pixels.",
        "(size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1; field += (kernel - 1) * dilation * step, "
        "then step *= stride",
    ),
)
