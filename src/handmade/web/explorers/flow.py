"""Feature flow through a ResNet or a GoogLeNet: what each block does, and what is said when a part of it is cut."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.branches import BlockFlow, Flow, block_flow, residual_blocks
from handmade.lens.features import strongest
from handmade.lens.hooks import undisturbed
from handmade.lens.inception import (
    BRANCHES,
    InceptionBlock,
    InceptionFlow,
    inception_blocks,
    inception_flow,
    plain_params,
)
from handmade.lens.localisation import grad_cam
from handmade.lens.patches import default_stride, occluded_rows
from handmade.models import resnet, resnet_cifar
from handmade.models.card import Card
from handmade.models.cifar import googlenet_cifar
from handmade.models.googlenet import GoogLeNet, googlenet
from handmade.models.resnet import BasicBlock, ZeroPadding
from handmade.nn import Module
from handmade.tasks import Classifier
from handmade.web import whose
from handmade.web.explorers import Explorer
from handmade.web.frames import Answer
from handmade.web.measuring import Pieces
from handmade.web.observatory import Observatory
from handmade.web.questions import flag, named_choices, text, whole
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercises import exercise_named
from handmade.workshop.transplant import block_params

EXERCISE, INCEPTION = "residual_block", "inception_module"

COMPUTED = 30_000_000
"""Multiply-adds of an Inception block up to which other code than the reference computes it."""

SMALL, LARGE, CLASSES = 4, 8, 10
"""Channels shown of each block, of the block that is open, and classes."""


CUTS = ("skip", "branch", *BRANCHES)

SomeFlow = Flow | InceptionFlow


@dataclass(frozen=True)
class Question:
    """The image by its number (0 for the first there is), the block that is open ("" for the first), and what is cut:
    {"layer2.0": "branch"}.

    evidence: whether to show where in the image the open block finds evidence for the network's answer.
    """

    model: str = text("", longest=200)
    image: int = whole(0, -1000, 1_000_000)
    block: str = text("", longest=80)
    cut: Mapping[str, str] = named_choices(*CUTS)
    evidence: bool = flag()
    code: str = whose.code()
    fault: str = whose.fault()


def answer(question: Question, observatory: Observatory) -> Answer:
    """The flow with the parts that are cut, and what the network says whole."""
    number = observatory.images.first(question.image)
    pixels = observatory.images.image(number)
    with observatory.models.opened(question.model, _fits) as used:
        image = used.input(pixels)
        whole_flow = _uncut(used.model, image)
        flow = _flow(used.model, image, question.cut) if question.cut else whole_flow
        names = [block.name for block in flow.blocks]
        opened = question.block or names[0]
        if opened not in names:
            raise InputError(f"there is no block {opened!r}: there are {', '.join(names)}.")
        place = names.index(opened)
        shown = _shown(whole_flow.blocks[place])
        told, theirs = _theirs(question, observatory, used, flow.blocks[place], shown)
        if question.evidence:
            said = int(whole_flow.logits.argmax())
            theirs["evidence"] = grad_cam(used.model, image, said, opened).astype(np.float32)
    meta = {
        "kind": "residual" if isinstance(flow, Flow) else "inception",
        "block": opened,
        "blocks": [_told(block) for block in flow.blocks],
        "channels": {row: channels.tolist() for row, channels in shown.items()},
        "given": len(observatory.images.given),
        "photo": number,
        "label": observatory.images.label(number),
        "strange": observatory.images.strange(number, used.classes),
        **_classes(used, flow, whole_flow),
        **told,
    }
    return Answer(meta, {**_arrays(used, pixels, flow, whole_flow, place, shown), **theirs})


def pieces(question: Question, observatory: Observatory) -> Pieces:
    """Occlusion of the whole network: first its answer and where the grey square goes, then the drops row by row."""
    pixels = observatory.images.image(observatory.images.first(question.image))
    with observatory.models.opened(question.model, _fits) as used:
        image = used.input(pixels)
        flow = _uncut(used.model, image)
        said, probability = int(flow.logits.argmax()), float(flow.probabilities.max())
        height, width = image.shape[2:]
        stride = default_stride(height, width)
        made = occluded_rows(used.model, image, said, 2 * stride, stride)
        model, name = used.model, used.classes[said]
    rows, columns = -(-height // stride), -(-width // stride)
    yield {"said": name, "p": probability, "rows": rows, "columns": columns, "patch": 2 * stride, "total": rows}
    for row, drops in enumerate(observatory.models.one_by_one(question.model, _fits, model, made)):
        yield {"row": row, "drops": drops.tolist()}


def _flow(model: Module, image: Tensor, cut: Mapping[str, str] | None = None) -> SomeFlow:
    return inception_flow(model, image, cut) if isinstance(model, GoogLeNet) else block_flow(model, image, cut)


def _uncut(model: Module, image: Tensor) -> SomeFlow:
    """The flow of the whole network, of which each model keeps the last: cuts are tried on one image."""
    known = hashlib.sha256(image.array.tobytes()).hexdigest()
    if _KEPT.get(model, ("",))[0] != known:
        _KEPT[model] = known, _flow(model, image)
    return _KEPT[model][1]


_KEPT: WeakKeyDictionary[Module, tuple[str, SomeFlow]] = WeakKeyDictionary()


def _shown(uncut: BlockFlow | InceptionBlock) -> dict[str, np.ndarray]:
    """The channels that are shown in each row, by what they do uncut: of all of a block, or of each branch its own."""
    if isinstance(uncut, BlockFlow):
        channels = strongest(uncut.branch, LARGE).channels
        return {"skip": channels, "branch": channels, "out": channels}
    return {branch.name: strongest(branch.maps, LARGE).channels for branch in uncut.branches}


def _rows(block: BlockFlow | InceptionBlock) -> dict[str, np.ndarray]:
    """The maps of each row."""
    if isinstance(block, BlockFlow):
        return {"skip": block.skip, "branch": block.branch, "out": block.out}
    return {branch.name: branch.maps for branch in block.branches}


def _told(block: BlockFlow | InceptionBlock) -> dict[str, Any]:
    told: dict[str, Any] = {"name": block.name, "shape": list(block.out.shape)}
    if isinstance(block, BlockFlow):
        norms = {"skip": float(np.linalg.norm(block.skip)), "branch": float(np.linalg.norm(block.branch))}
        return {**told, "ratio": block.ratio, "parts": [{"name": name, "norm": norm} for name, norm in norms.items()]}
    parts = [
        {
            "name": branch.name,
            "norm": float(np.linalg.norm(branch.maps)),
            "kernel": branch.kernel,
            "channels": len(branch.maps),
            "multiply_adds": branch.multiply_adds,
        }
        for branch in block.branches
    ]
    return {**told, "parts": parts}


def _classes(used: Classifier, flow: SomeFlow, whole_flow: SomeFlow) -> dict[str, Any]:
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
    used: Classifier,
    pixels: np.ndarray,
    flow: SomeFlow,
    whole_flow: SomeFlow,
    place: int,
    shown: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    seen = (255 * used.seen(pixels)).round().astype(np.uint8)
    arrays: dict[str, np.ndarray] = {"image": seen.transpose(1, 2, 0)}
    for number, (block, uncut) in enumerate(zip(flow.blocks, whole_flow.blocks, strict=True)):
        arrays[f"small/{number}"] = block.out[strongest(uncut.out, SMALL).channels].astype(np.float16)
    for name, maps in _rows(flow.blocks[place]).items():
        arrays[name] = maps[shown[name]].astype(np.float16)
    return arrays


def _theirs(
    question: Question,
    observatory: Observatory,
    used: Classifier,
    block: BlockFlow | InceptionBlock,
    shown: Mapping[str, np.ndarray],
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the chosen code gives for the open block, on what comes into it."""
    if question.code == "reference":
        return whose.reference_only()
    case = _case(used.model, block)
    if case is None:
        return whose.reference_only(
            "The exercises are the basic block with 3x3 convolutions and small Inception blocks; this is another."
        )
    exercise = exercise_named(EXERCISE if isinstance(block, BlockFlow) else INCEPTION)
    made = whose.computed(observatory.bench, exercise, [case], question.code, question.fault)
    told = made.told(*exercise.outputs)
    if question.code == "mistake":
        told["visible"] = whose.visible(exercise, [case])
    given = made.outputs[0]
    if given is None:
        return told, {}
    maps = given[exercise.outputs[0]][0]
    if isinstance(block, BlockFlow):
        return told, {"theirs": maps[shown["out"]].astype(np.float16)}
    starts = np.cumsum([0, *(len(branch.maps) for branch in block.branches)])
    rows = zip(block.branches, starts[:-1], strict=True)
    return told, {f"theirs/{branch.name}": maps[at + shown[branch.name]].astype(np.float16) for branch, at in rows}


def _case(model: Module, block: BlockFlow | InceptionBlock) -> Case | None:
    """What comes into the block and its weights, as the exercise takes them; None where it is another block."""
    x = block.x[None]
    if isinstance(block, InceptionBlock):
        if sum(branch.multiply_adds for branch in block.branches) > COMPUTED:
            return None
        return Case(block.name, (x.astype(np.float64), plain_params(inception_blocks(model)[block.name])))
    part = residual_blocks(model)[block.name]
    if not isinstance(part, BasicBlock) or not isinstance(part.downsample, ZeroPadding | None):
        return None
    with undisturbed(model), no_grad():
        params = block_params(part, Tensor(x))
    wide = {name: value.astype(np.float64) for name, value in params.items() if value.dtype.kind == "f"}
    stride = part.conv1.stride[0] if isinstance(part.conv1.stride, tuple) else part.conv1.stride
    return Case(block.name, (x.astype(np.float64), wide), {} if stride == 1 else {"stride": stride})


def _also(question: Question, answer: Answer) -> list[Question]:
    """Each block open, and the cuts that the page asks about or offers first: each of its parts alone."""
    names = [block["name"] for block in answer.meta["blocks"]]
    paths = [part["name"] for part in answer.meta["blocks"][0]["parts"]]
    opened = [replace(question, block=name) for name in names]
    return opened + [replace(question, block=name, cut={name: path}) for name in names for path in paths]


def _fits(card: Card) -> bool:
    """The residual networks, those of resnet.py and resnet_cifar.py whose blocks have a skip, and GoogLeNets."""
    residual = card.build.__module__ in (resnet.__name__, resnet_cifar.__name__) and not card.name.startswith("plain")
    return residual or card.build in (googlenet, googlenet_cifar)


EXPLORER = Explorer(
    question=Question,
    answer=answer,
    exercises=(EXERCISE, INCEPTION),
    related=("bottleneck", "batch_norm"),
    fits=_fits,
    trains="handmade look resnet20 --weights FILE",
    files=(
        "models/resnet.py",
        "models/resnet_cifar.py",
        "models/googlenet.py",
        "lens/branches.py",
        "lens/inception.py",
    ),
    pieces=pieces,
    also=_also,
)
