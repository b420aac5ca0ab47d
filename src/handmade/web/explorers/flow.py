"""Feature flow through a ResNet: what each block adds, and what the network says when a part of it is cut."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.branches import BlockFlow, Flow, block_flow, residual_blocks
from handmade.lens.features import strongest
from handmade.lens.hooks import undisturbed
from handmade.models import resnet, resnet_cifar
from handmade.models.card import Card
from handmade.models.resnet import BasicBlock, ZeroPadding
from handmade.tasks import Classifier
from handmade.web import whose
from handmade.web.explorers import Explorer
from handmade.web.frames import Answer
from handmade.web.observatory import Observatory
from handmade.web.questions import named_choices, text, whole
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercises import exercise_named
from handmade.workshop.transplant import block_params

EXERCISE = "residual_block"

SMALL, LARGE, CLASSES = 4, 8, 10
"""Channels shown of each block, of the block that is open, and classes."""


@dataclass(frozen=True)
class Question:
    """The image by its number, the block that is open ("" for the first), and what is cut: {"layer2.0": "branch"}."""

    model: str = text("", longest=200)
    image: int = whole(1, 1, 1_000_000)
    block: str = text("", longest=80)
    cut: Mapping[str, str] = named_choices("skip", "branch")
    code: str = whose.code()
    fault: str = whose.fault()


def answer(question: Question, observatory: Observatory) -> Answer:
    """The flow with the parts that are cut, and what the network says whole."""
    pixels = observatory.images.image(question.image)
    with observatory.models.opened(question.model, _fits) as used:
        image = used.input(pixels)
        whole_flow = block_flow(used.model, image)
        flow = block_flow(used.model, image, question.cut) if question.cut else whole_flow
        names = [block.name for block in flow.blocks]
        opened = question.block or names[0]
        if opened not in names:
            raise InputError(f"there is no block {opened!r}: there are {', '.join(names)}.")
        place = names.index(opened)
        channels = strongest(whole_flow.blocks[place].branch, LARGE).channels  # by what they do uncut
        told, theirs = _theirs(question, observatory, used, flow.blocks[place], channels)
    meta = {
        "block": opened,
        "blocks": [_told(block) for block in flow.blocks],
        "channels": channels.tolist(),
        "given": len(observatory.images.given),
        "label": observatory.images.label(question.image),
        **_classes(used, flow, whole_flow),
        **told,
    }
    return Answer(meta, {**_arrays(used, pixels, flow, whole_flow, place, channels), **theirs})


def _told(block: BlockFlow) -> dict[str, Any]:
    norms = {"skip": float(np.linalg.norm(block.skip)), "branch": float(np.linalg.norm(block.branch))}
    return {"name": block.name, "shape": list(block.out.shape), "ratio": block.ratio, **norms}


def _classes(used: Classifier, flow: Flow, whole_flow: Flow) -> dict[str, Any]:
    """The likeliest classes, all where they are few, with their probabilities now and uncut."""
    now, before = flow.probabilities, whole_flow.probabilities
    order = np.argsort(-np.maximum(now, before), kind="stable")[:CLASSES]
    order = np.sort(order) if len(now) <= CLASSES else order
    return {
        "classes": [used.classes[n] for n in order],
        "p": now[order].tolist(),
        "whole": before[order].tolist(),
        "says": used.classes[int(now.argmax())],
        "said": used.classes[int(before.argmax())],
    }


def _arrays(
    used: Classifier, pixels: np.ndarray, flow: Flow, whole_flow: Flow, place: int, channels: np.ndarray
) -> dict[str, np.ndarray]:
    seen = (255 * used.seen(pixels)).round().astype(np.uint8)
    arrays: dict[str, np.ndarray] = {"image": seen.transpose(1, 2, 0)}
    for number, (block, uncut) in enumerate(zip(flow.blocks, whole_flow.blocks, strict=True)):
        arrays[f"small/{number}"] = block.out[strongest(uncut.out, SMALL).channels].astype(np.float16)
    opened = flow.blocks[place]
    for name, maps in (("skip", opened.skip), ("branch", opened.branch), ("out", opened.out)):
        arrays[name] = maps[channels].astype(np.float16)
    return arrays


def _theirs(
    question: Question, observatory: Observatory, used: Classifier, block: BlockFlow, channels: np.ndarray
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the chosen code gives for the open block, on what comes into it."""
    if question.code == "reference":
        return whose.reference_only()
    part = residual_blocks(used.model)[block.name]
    if not isinstance(part, BasicBlock) or not isinstance(part.downsample, ZeroPadding | None):
        return whose.reference_only("The exercise is the basic block with 3x3 convolutions; this one is another.")
    x = block.x[None]
    with undisturbed(used.model), no_grad():
        params = block_params(part, Tensor(x))
    wide = {name: value.astype(np.float64) for name, value in params.items() if value.dtype.kind == "f"}
    stride = part.conv1.stride[0] if isinstance(part.conv1.stride, tuple) else part.conv1.stride
    case = Case(block.name, (x.astype(np.float64), wide), {} if stride == 1 else {"stride": stride})
    exercise = exercise_named(EXERCISE)
    made = whose.computed(observatory.bench, exercise, [case], question.code, question.fault)
    told = made.told(*exercise.outputs)
    if question.code == "mistake":
        told["visible"] = whose.visible(exercise, [case])
    given = made.outputs[0]
    return told, {} if given is None else {"theirs": given[exercise.outputs[0]][0][channels].astype(np.float16)}


def _also(question: Question, answer: Answer) -> list[Question]:
    """Each block open, and the cuts that the page asks about or offers first: each branch and each skip alone."""
    names = [block["name"] for block in answer.meta["blocks"]]
    opened = [replace(question, block=name) for name in names]
    return opened + [replace(question, block=name, cut={name: path}) for name in names for path in ("branch", "skip")]


def _fits(card: Card) -> bool:
    """The residual networks: those of resnet.py and resnet_cifar.py whose blocks have a skip."""
    return card.build.__module__ in (resnet.__name__, resnet_cifar.__name__) and not card.name.startswith("plain")


EXPLORER = Explorer(
    title="Feature flow in a ResNet",
    asks="What does each block add?",
    lead="An image on its way through a residual network. Each block keeps what it gets and adds something: x + F(x). "
    "Cut a branch or a skip and see what the network says then.",
    question=Question,
    answer=answer,
    exercises=(EXERCISE, "bottleneck", "batch_norm"),
    fits=_fits,
    trains="handmade look resnet20 --weights FILE",
    files=("models/resnet.py", "models/resnet_cifar.py", "lens/branches.py"),
    also=_also,
)
