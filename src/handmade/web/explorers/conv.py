"""Convolution by hand: an image and a kernel that one types, every window, and what a layer of it costs."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from handmade.lens.windows import layer_counts, output_size, slide
from handmade.web import whose
from handmade.web.explorers import Explorer
from handmade.web.frames import Answer
from handmade.web.observatory import Observatory
from handmade.web.questions import matrix, real, whole
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercises import exercise_named

EXERCISE = "conv2d"


@dataclass(frozen=True)
class Question:
    """image, kernel, bias and how the kernel moves; the channels, kernels and groups of a layer, for its counts."""

    image: tuple[tuple[float, ...], ...] = matrix(((1, 0), (0, 1)), 9, 9)
    kernel: tuple[tuple[float, ...], ...] = matrix(((1,),), 5, 5)
    bias: float = real(0.0, -1e6, 1e6)
    stride: int = whole(1, 1, 4)
    padding: int = whole(0, 0, 3)
    dilation: int = whole(1, 1, 3)
    channels: int = whole(3, 1, 2048)
    kernels: int = whole(8, 1, 2048)
    groups: int = whole(1, 1, 2048)
    code: str = whose.code()
    fault: str = whose.fault()


def answer(question: Question, observatory: Observatory) -> Answer:
    """Every window's sum, by the reference and by the chosen code, and the counts of the layer."""
    image, kernel, bias = np.array(question.image), np.array(question.kernel), question.bias
    moves = (question.stride, question.padding, question.dilation)
    windows = slide(image, kernel, bias, *moves)
    (R, S), (OH, OW) = kernel.shape, windows.output.shape
    counts = layer_counts(question.channels, question.kernels, R, S, OH, OW, question.groups)
    told, theirs = _theirs(question, observatory, image, kernel)
    meta = {
        "size": [output_size(size, k, *moves) for size, k in zip(image.shape, kernel.shape, strict=True)],
        "parameters": counts.parameters,
        "multiply_adds": counts.multiply_adds,
        **told,
    }
    arrays = {name: array.astype(np.float32) for name, array in windows._asdict().items()}
    return Answer(meta, {**arrays, **theirs})


def _theirs(
    question: Question, observatory: Observatory, image: np.ndarray, kernel: np.ndarray
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the chosen code gives. The exercise knows no dilation: with one, the reference alone computes."""
    if question.code == "reference":
        return whose.reference_only()
    if question.dilation > 1:
        return whose.reference_only("The exercise has no dilation: set it to 1.")
    exercise = exercise_named(EXERCISE)
    options = {"stride": question.stride, "padding": question.padding}
    case = Case("the image", (image[None, None], kernel[None, None], np.array([question.bias])), options)
    made = whose.computed(observatory.bench, exercise, [case], question.code, question.fault)
    told = made.told("out")
    if question.code == "mistake":
        told["visible"] = whose.visible(exercise, [case])
    given = made.outputs[0]
    return told, {} if given is None else {"their_output": given["out"][0, 0]}


EXPLORER = Explorer(
    title="What one window sees",
    asks="What does one window see?",
    lead="A small kernel is laid over every window of the image; the products under it are summed, and that sum is one "
    "number of the output. Step the window, and change any number.",
    question=Question,
    answer=answer,
    exercises=(EXERCISE, "output_size", "im2col", "max_pool"),
    files=("ops/convolution.py", "kernels/convolution.py", "lens/windows.py"),
)
