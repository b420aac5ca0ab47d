"""Convolution: an image and a kernel that one types, every window, and what a layer costs; and a layer of a network."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from handmade.errors import InputError
from handmade.lens.features import strongest
from handmade.lens.units import Layer, Unit, convolutions, unit_of
from handmade.lens.windows import layer_counts, output_size, pool, slide
from handmade.models.card import Card
from handmade.web import whose
from handmade.web.explorers import Explorer
from handmade.web.frames import Answer
from handmade.web.observatory import Observatory
from handmade.web.questions import choice, flag, matrix, real, text, whole
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercises import exercise_named

EXERCISE, POOL, COLUMNS = "conv2d", "max_pool", "im2col"

EDGE = ((0, 0, 2, 2, 2), (0, 0, 2, 2, 2), (0, 0, 2, 2, 1), (0, 0, 2, 1, 1), (0, 0, 1, 1, 0))
VERTICAL = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
"""Where the page starts."""

MAPS, INPUTS = 12, 4
"""Maps of the layer that are shown small, and channels that the unit takes most from."""

COMPUTED = 30_000_000
"""Multiply-adds of a layer up to which the learner's code computes it."""


@dataclass(frozen=True)
class Question:
    """image, kernel, bias and how the kernel moves; the channels, kernels and groups of a layer, for its counts.

    operation: in a max pool the kernel's size alone counts, without bias, padding and dilation.
    columns: whether to lay the windows of a convolution side by side as columns; then that is what the code computes.

    view: these numbers, or a layer of a network: then the model, the image's number (0 for the first there is), the
    layer ("" for the first), and the unit that is looked at, by its map, row and column.
    """

    view: str = choice("numbers", "layer")
    operation: str = choice("convolution", "max pool")
    image: tuple[tuple[float, ...], ...] = matrix(EDGE, 9, 9)
    kernel: tuple[tuple[float, ...], ...] = matrix(VERTICAL, 5, 5)
    columns: bool = flag()
    bias: float = real(0.0, -1e6, 1e6)
    stride: int = whole(1, 1, 4)
    padding: int = whole(0, 0, 3)
    dilation: int = whole(1, 1, 3)
    channels: int = whole(3, 1, 2048)
    kernels: int = whole(8, 1, 2048)
    groups: int = whole(1, 1, 2048)
    model: str = text("", longest=200)
    photo: int = whole(0, -1000, 1_000_000)
    layer: str = text("", longest=80)
    map: int = whole(0, 0, 4095)
    row: int = whole(0, 0, 4095)
    column: int = whole(0, 0, 4095)
    code: str = whose.code()
    fault: str = whose.fault()


def answer(question: Question, observatory: Observatory) -> Answer:
    """Every window's sum by the reference and by the chosen code, with the counts; or a unit of a network's layer."""
    if question.view == "layer":
        return _of_layer(question, observatory)
    if question.operation == "max pool":
        return _pooled(question, observatory)
    image, kernel, bias = np.array(question.image), np.array(question.kernel), question.bias
    moves = (question.stride, question.padding, question.dilation)
    windows = slide(image, kernel, bias, *moves)
    (R, S), (OH, OW) = kernel.shape, windows.output.shape
    counts = layer_counts(question.channels, question.kernels, R, S, OH, OW, question.groups)
    if question.columns:
        told, theirs = _columns(question, observatory, image)
    elif question.code != "reference" and question.dilation > 1:
        told, theirs = whose.reference_only("The exercise has no dilation: set it to 1.")
    else:
        x, w, b = image[None], kernel[None, None], np.array([bias])
        told, theirs = _theirs(question, observatory, x, w, b, question.stride, question.padding, 0)
    meta = {
        "view": "numbers",
        "size": [output_size(size, k, *moves) for size, k in zip(image.shape, kernel.shape, strict=True)],
        "parameters": counts.parameters,
        "multiply_adds": counts.multiply_adds,
        **told,
    }
    arrays = {name: array.astype(np.float32) for name, array in windows._asdict().items()}
    return Answer(meta, {**arrays, **theirs})


def _columns(
    question: Question, observatory: Observatory, image: np.ndarray
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The windows as columns, by the reference and by the chosen code."""
    if question.dilation > 1:
        return whose.reference_only("The exercise im2col has no dilation: set it to 1.")
    exercise, pair = exercise_named(COLUMNS), lambda n: (n, n)
    kernel = np.array(question.kernel).shape
    case = Case("the image", (image[None, None], kernel, pair(question.stride), pair(question.padding)))
    made = whose.computed(observatory.bench, exercise, [case], question.code, question.fault)
    told, given = made.told("columns"), made.outputs[0]
    if question.code == "mistake":
        told["visible"] = whose.visible(exercise, [case])
    arrays = {"columns": made.right[0]["columns"][0]}
    return told, arrays if given is None else {**arrays, "their_columns": given["columns"][0]}


def _pooled(question: Question, observatory: Observatory) -> Answer:
    image, (R, S) = np.array(question.image), np.array(question.kernel).shape
    windows = pool(image, (R, S), question.stride)
    told, theirs = whose.reference_only()
    if question.code != "reference" and R != S:
        told, theirs = whose.reference_only("The exercise has square windows.")
    elif question.code != "reference":
        x = image[None, None]
        unused = np.zeros((1, 1, *windows.output.shape))  # the gradients of the exercise's other half
        case = Case("the image", (x, R, question.stride), extra={"gradients": (unused,)})
        told, theirs = _made(question, observatory, POOL, case, 0)
    size = list(windows.output.shape)
    meta = {"view": "numbers", "size": size, "parameters": 0, "multiply_adds": 0, **told}
    return Answer(meta, {**{name: array.astype(np.float32) for name, array in windows._asdict().items()}, **theirs})


def _of_layer(question: Question, observatory: Observatory) -> Answer:
    number = observatory.images.first(question.photo)
    with observatory.models.opened(question.model, _fits) as used:
        pixels = observatory.images.image(number, used.channels)
        layers = convolutions(used.model, used.input(pixels))
        layer = layers.get(question.layer or next(iter(layers)))
        if layer is None:
            raise InputError(f"there is no convolution {question.layer!r}: there are {', '.join(layers)}.")
        unit = unit_of(layer, question.map, question.row, question.column)
        shown = strongest(layer.out, MAPS).channels
        says, strange = used.classify(pixels, 1)[0], observatory.images.strange(number, used.classes)
        told, theirs = _layers_code(question, observatory, layer)
        seen = (255 * used.seen(pixels)).round().astype(np.uint8)
    meta = {
        "view": "layer",
        "layer": layer.name,
        "layers": [_told(one) for one in layers.values()],
        "shown": shown.tolist(),
        **_of_unit(unit),
        "photo": number,
        "given": len(observatory.images.given),
        "label": observatory.images.label(number),
        "strange": strange,
        "says": says[0],
        "sure": says[1],
        "size": list(seen.shape[1:]),
        **told,
    }
    inputs = unit.strongest(INPUTS)
    arrays = {
        "image": np.repeat(seen, 4 - len(seen), axis=0)[:3].transpose(1, 2, 0),
        "maps": layer.out[shown].astype(np.float16),
        "map": layer.out[question.map].astype(np.float32),
        "window": unit.window[inputs].astype(np.float32),
        "kernel": unit.kernel[inputs].astype(np.float32),
        **theirs,
    }
    return Answer(meta, arrays)


def _told(layer: Layer) -> dict[str, Any]:
    module, (down, across) = layer.module, layer.sees
    return {
        "name": layer.name,
        "shape": list(layer.out.shape),
        "kernel": list(module.kernel_size),
        "stride": module.stride[0],
        "sees": [down.size, across.size],
    }


def _of_unit(unit: Unit) -> dict[str, Any]:
    inputs, each = unit.strongest(INPUTS), unit.contributions
    return {
        "value": unit.value,
        "bias": unit.bias,
        "rows": list(unit.rows),
        "columns": list(unit.columns),
        "inputs": [unit.channels[n] for n in inputs],
        "contributions": each[inputs].tolist(),
        "rest": float(each.sum() - each[inputs].sum()),
        "seen": len(each),
    }


def _layers_code(
    question: Question, observatory: Observatory, layer: Layer
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the chosen code makes of what comes into the layer."""
    if question.code == "reference":
        return whose.reference_only()
    module, weight = layer.module, layer.module.weight.array
    plain = module.groups == 1 and set(module.dilation) == {1} and len({*module.stride}) == len({*module.padding}) == 1
    if not plain:
        return whose.reference_only("The exercise has no groups and no dilation; this layer has.")
    if weight.size * layer.out[0].size > COMPUTED:
        return whose.reference_only(f"This layer has more than {COMPUTED:,} multiply-adds: choose a smaller one.")
    bias = np.zeros(len(weight)) if module.bias is None else module.bias.array
    moves = module.stride[0], module.padding[0]
    return _theirs(question, observatory, layer.x, weight, bias, *moves, question.map)


def _theirs(
    question: Question,
    observatory: Observatory,
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    stride: int,
    padding: int,
    kernel: int,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the chosen code gives in the map of one kernel."""
    if question.code == "reference":
        return whose.reference_only()
    arguments = (x[None].astype(np.float64), weight.astype(np.float64), bias.astype(np.float64))
    case = Case("the image", arguments, {"stride": stride, "padding": padding})
    return _made(question, observatory, EXERCISE, case, kernel)


def _made(
    question: Question, observatory: Observatory, name: str, case: Case, kernel: int
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    exercise = exercise_named(name)
    made = whose.computed(observatory.bench, exercise, [case], question.code, question.fault)
    told = made.told("out")
    if question.code == "mistake":
        told["visible"] = whose.visible(exercise, [case])
    given = made.outputs[0]
    return told, {} if given is None else {"their_output": given["out"][0, kernel]}


def _fits(card: Card) -> bool:
    """Networks that classify images."""
    return card.classes is not None


EXPLORER = Explorer(
    question=Question,
    answer=answer,
    exercises=(EXERCISE, COLUMNS, POOL),
    related=("output_size", "lenet5_forward"),
    fits=_fits,
    trains="handmade train lenet5",
    files=("ops/convolution.py", "kernels/convolution.py", "lens/windows.py", "lens/units.py"),
)
