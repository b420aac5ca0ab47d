"""What each branch adds to the stream that runs through a residual network: attention, MLP, the block of a ResNet.

    Elhage et al., "A Mathematical Framework for Transformer Circuits" (2021), on the residual stream; Veit, Wilber &
    Belongie, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks" (2016), section 4.

A branch F reads x and is added to it, x + F(x). ‖F(x)‖ / ‖x‖ says how much of what follows is new. In a pre-norm
Transformer (GPT) nothing else touches the stream, so that ‖x‖ grows from layer to layer; in a post-norm one (BERT,
Vaswani et al.) a norm after each sum sets its length back.

B batch, T tokens, C channels
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from handmade import draw
from handmade.draw import Added
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.branches import block_flow
from handmade.lens.hooks import undisturbed
from handmade.models.bert import Layer as BertLayer
from handmade.models.gpt import GPT
from handmade.nn import Module, TransformerDecoderLayer, TransformerEncoderLayer


class Place(NamedTuple):
    """Where a branch is added. norm: of what comes into the branch, or after the sum. branch: what gives F(x).

    after: whether the norm comes after the sum.
    """

    block: str
    name: str
    norm: Module
    branch: Module
    after: bool


def added_by_branches(model: Module, *inputs: Tensor) -> list[Added]:
    """The lengths of the stream and of what each branch of a Transformer adds, as means over tokens, in their order.

    Raises InputError for a model that is no GPT, BERT or Transformer.
    """
    places = list(_places(model))
    if not places:
        raise InputError(f"{type(model).__name__} has no branches of attention and MLP: it is no Transformer.")
    norms: dict[int, np.ndarray] = {}
    given: dict[int, np.ndarray] = {}

    def keep_input(number: int) -> Any:
        return lambda module, inputs, output: norms.update({number: inputs[0].array.astype(np.float64)})

    def keep_output(number: int) -> Any:
        return lambda module, inputs, output: given.update({number: output.array.astype(np.float64)})

    handles = [place.norm.register_forward_hook(keep_input(n)) for n, place in enumerate(places)]
    handles += [place.branch.register_forward_hook(keep_output(n)) for n, place in enumerate(places)]
    try:
        with undisturbed(model), no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    found = []
    for n, place in enumerate(places):
        stream = norms[n] - given[n] if place.after else norms[n]
        found.append(Added(place.block, place.name, _length(stream), _length(given[n])))
    return found


def added_by_blocks(model: Module, image: Tensor) -> list[Added]:
    """The norms of skip and branch of each block of a residual network. InputError for a model without any."""
    return [
        Added(block.name, "branch", float(np.linalg.norm(block.skip)), float(np.linalg.norm(block.branch)))
        for block in block_flow(model, image).blocks
    ]


def draw_added(path: Path, added: list[Added], title: str, of: str) -> None:
    """Draw to `path` what each branch adds. of: whose lengths these are, "mean over 12 tokens", say."""
    draw.branches(added, title, of).save(path)


def _places(model: Module) -> Iterator[Place]:
    if isinstance(model, GPT):
        for n, block in enumerate(model.transformer.h):
            part: Any = block
            yield Place(f"layer {n}", "attention", part.ln_1, part.attn, False)
            yield Place(f"layer {n}", "MLP", part.ln_2, part.mlp, False)
        return
    counts = {BertLayer: 0, TransformerEncoderLayer: 0, TransformerDecoderLayer: 0}
    for part in model.modules():
        kind: Any = type(part)
        if kind in counts:
            yield from _of_layer(part, counts[kind])
            counts[kind] += 1


def _of_layer(part: Any, n: int) -> Iterator[Place]:
    if isinstance(part, BertLayer):
        for name, end in (("attention", part.attention.output), ("MLP", part.output)):
            yield Place(f"layer {n}", name, end.LayerNorm, end.dropout, True)
        return
    after = not part.norm_first
    block = f"{'encoder' if isinstance(part, TransformerEncoderLayer) else 'decoder'} {n}"
    names = ["attention", "MLP"] if isinstance(part, TransformerEncoderLayer) else ["attention", "to the source", "MLP"]
    for k, name in enumerate(names, 1):
        yield Place(block, name, getattr(part, f"norm{k}"), getattr(part, f"dropout{k}"), after)


def _length(vectors: np.ndarray) -> float:
    """The mean length of the vectors, B T C."""
    return float(np.linalg.norm(vectors, axis=-1).mean())
