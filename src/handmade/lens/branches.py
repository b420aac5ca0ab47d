"""What each block of a residual network adds to its input, and what is said when a branch or a skip is cut.

    Veit, Wilber & Belongie, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks" (2016),
    section 4.1.

C channels, H height, W width, K classes
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError, suggestion
from handmade.lens.hooks import recording, undisturbed
from handmade.models.resnet import Block
from handmade.nn import Module


class BlockFlow(NamedTuple):
    """One block: x as it came to the skip, skip as it is added (x, or its projection), branch F(x), and the sum."""

    name: str
    x: Float[np.ndarray, "C H W"]
    skip: Float[np.ndarray, "K h w"]
    branch: Float[np.ndarray, "K h w"]
    out: Float[np.ndarray, "K h w"]

    @property
    def ratio(self) -> float:
        """‖F(x)‖ / ‖skip‖: how much is added to what is there."""
        return float(np.linalg.norm(self.branch) / max(float(np.linalg.norm(self.skip)), 1e-12))


Parts = tuple[np.ndarray, np.ndarray, np.ndarray]
"""x, skip and branch of a block."""


class Flow(NamedTuple):
    """The blocks in the order in which they ran, and the scores of the classes."""

    blocks: list[BlockFlow]
    logits: Float[np.ndarray, "K"]

    @property
    def probabilities(self) -> Float[np.ndarray, "K"]:
        """Of each class."""
        return Tensor(self.logits.astype(np.float64)).softmax(dim=-1).array


def residual_blocks(model: Module) -> dict[str, Block]:
    """The residual blocks of a model by their names. InputError for a model without any."""
    blocks = _blocks(model)
    if not blocks:
        raise InputError(f"{type(model).__name__} has no residual blocks.")
    return blocks


def has_blocks(model: Module) -> bool:
    """Whether it has residual blocks."""
    return bool(_blocks(model))


def _blocks(model: Module) -> dict[str, Block]:
    return {name: part for name, part in model.named_modules() if isinstance(part, Block) and part.skip}


def block_flow(model: Module, image: Float[Tensor, "1 C H W"], cut: Mapping[str, str] | None = None) -> Flow:
    """What each block does while the model looks at the image.

    cut: for names of blocks "skip" or "branch", the part that is left out of the sum. The parts themselves are given as
    they were computed. Raises InputError for an unknown block.
    """
    cut, blocks = dict(cut or {}), residual_blocks(model)
    for name in cut:
        if name not in blocks:
            raise InputError(f"there is no block {name!r}{suggestion(name, blocks)}")
    with undisturbed(model), no_grad(), recording(model, *blocks) as outputs, _adding(blocks, cut) as parts:
        logits = model(image).array[0]
    flows = [BlockFlow(name, *parts[name], outputs[name][-1].array[0]) for name in parts]
    return Flow(flows, logits)


@contextmanager
def _adding(blocks: Mapping[str, Block], cut: Mapping[str, str]) -> Iterator[dict[str, Parts]]:
    """Inside the block, sums leave out what is cut; yields x, skip and branch of each block that ran."""
    parts: dict[str, Parts] = {}

    def replace(name: str, block: Any) -> None:
        def add(residual: Tensor, x: Tensor) -> Tensor:
            skip = x if block.downsample is None else block.downsample(x)
            parts[name] = (x.array[0], skip.array[0], residual.array[0])
            return skip if cut.get(name) == "branch" else residual if cut.get(name) == "skip" else residual + skip

        block.add = add

    try:
        for name, block in blocks.items():
            replace(name, block)
        yield parts
    finally:
        for block in blocks.values():
            vars(block).pop("add", None)
