"""The four branches of each Inception block: what each finds, what it costs, and what is said when one is cut.

    Szegedy et al., "Going Deeper with Convolutions" (2014), figure 2b.

C channels, H height, W width, K classes
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError, suggestion
from handmade.lens.hooks import undisturbed
from handmade.models.googlenet import Inception
from handmade.nn import BatchNorm2d, Conv2d, Module

BRANCHES = ("branch1", "branch2", "branch3", "branch4")


class Branch(NamedTuple):
    """One branch on one image. kernel: "3 x 3", of its last convolution, or "pool". maps: its channels, as they
    were computed. multiply_adds: what its convolutions cost."""

    name: str
    kernel: str
    maps: Float[np.ndarray, "C H W"]
    multiply_adds: int


class InceptionBlock(NamedTuple):
    """One block: x as it came in, its branches, and out, their channels side by side, zeros from one that is cut."""

    name: str
    x: Float[np.ndarray, "C H W"]
    branches: list[Branch]
    out: Float[np.ndarray, "K H W"]


class InceptionFlow(NamedTuple):
    """The blocks in the order in which they ran, and the scores of the classes."""

    blocks: list[InceptionBlock]
    logits: Float[np.ndarray, "K"]

    @property
    def probabilities(self) -> Float[np.ndarray, "K"]:
        """Of each class."""
        return Tensor(self.logits.astype(np.float64)).softmax(dim=-1).array


def inception_blocks(model: Module) -> dict[str, Inception]:
    """The Inception blocks of a model by their names. InputError for a model without any."""
    blocks = {name: part for name, part in model.named_modules() if isinstance(part, Inception)}
    if not blocks:
        raise InputError(f"{type(model).__name__} has no Inception blocks.")
    return blocks


def inception_flow(
    model: Module, image: Float[Tensor, "1 C H W"], cut: Mapping[str, str] | None = None
) -> InceptionFlow:
    """What each branch does while the model looks at the image.

    cut: for names of blocks one of BRANCHES, which then gives zeros. InputError for an unknown block or branch.
    """
    cut, blocks = dict(cut or {}), inception_blocks(model)
    for name, branch in cut.items():
        if name not in blocks:
            raise InputError(f"there is no block {name!r}{suggestion(name, blocks)}")
        if branch not in BRANCHES:
            raise InputError(f"{name} has no {branch}: it has {', '.join(BRANCHES)}.")
    found: dict[str, dict[str, Branch]] = {name: {} for name in blocks}
    made: dict[str, InceptionBlock] = {}

    def branch_hook(name: str, branch: str) -> Callable[..., Tensor | None]:
        def hook(module: Module, inputs: Any, output: Tensor) -> Tensor | None:
            found[name][branch] = _branch(branch, module, output.array[0])
            return Tensor(np.zeros_like(output.array)) if cut.get(name) == branch else None

        return hook

    def block_hook(name: str) -> Callable[..., None]:
        def hook(module: Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            made[name] = InceptionBlock(name, inputs[0].array[0], list(found[name].values()), output.array[0])

        return hook

    handles = [block.register_forward_hook(block_hook(name)) for name, block in blocks.items()]
    for name, block in blocks.items():
        handles += [getattr(block, one).register_forward_hook(branch_hook(name, one)) for one in BRANCHES]
    try:
        with undisturbed(model), no_grad():
            logits = model(image).array[0]
    finally:
        for handle in handles:
            handle.remove()
    return InceptionFlow(list(made.values()), logits)


def _branch(name: str, module: Module, maps: Float[np.ndarray, "C H W"]) -> Branch:
    convolutions = [part for part in module.modules() if isinstance(part, Conv2d)]
    kernel = "pool" if name == "branch4" else " x ".join(map(str, convolutions[-1].kernel_size))
    pixels = maps.shape[1] * maps.shape[2]  # all convolutions of a block keep the size
    return Branch(name, kernel, maps, sum(one.weight.numel() for one in convolutions) * pixels)


def plain_params(block: Inception) -> dict[str, np.ndarray]:
    """The block's convolutions as the exercise inception_module takes them: b1, b2a, b2b, b3a, b3b and b4.

    A norm in evaluation mode multiplies each channel by gamma / sqrt(var + eps) and adds a number: it is put into the
    convolution before it (Jacob et al. 2018, arXiv 1712.05877, section 3.2).
    """
    convolutions = [part for part in block.modules() if isinstance(part, Conv2d)]
    norms: list[BatchNorm2d | None] = [part for part in block.modules() if isinstance(part, BatchNorm2d)]
    params = {}
    for name, conv, norm in zip(
        ("b1", "b2a", "b2b", "b3a", "b3b", "b4"), convolutions, norms or [None] * len(convolutions), strict=True
    ):
        weight = conv.weight.array.astype(np.float64)
        bias = np.zeros(len(weight)) if conv.bias is None else conv.bias.array.astype(np.float64)
        if norm is not None:
            state = {key: tensor.array.astype(np.float64) for key, tensor in norm.state_dict().items()}
            gamma, beta, mean, var = (state[key] for key in ("weight", "bias", "running_mean", "running_var"))
            factor = gamma / np.sqrt(var + norm.eps)
            weight, bias = weight * factor[:, None, None, None], (bias - mean) * factor + beta
        params |= {f"{name}.weight": weight, f"{name}.bias": bias}
    return params
