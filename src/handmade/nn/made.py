"""Modules that call one function, with the options they were made with: most activations, and losses of two tensors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.engine.creation import full
from handmade.nn.module import Module, Parameter


class OfFunction(Module):
    """`function(*inputs, **options)`, which a subclass names.

    Its options are the arguments that have a default or, where a subclass says how many `inputs` there are, all others.
    """

    function: ClassVar[Callable[..., Any]]
    inputs: ClassVar[int | None] = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__()
        parameters = list(inspect.signature(self.function).parameters.values())
        defaults = [parameter for parameter in parameters if parameter.default is not parameter.empty]
        named = defaults if self.inputs is None else parameters[self.inputs :]
        given = inspect.Signature(named).bind(*args, **options)
        given.apply_defaults()
        self.options = list(given.arguments)
        for name, value in given.arguments.items():
            if isinstance(value, Tensor):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(*inputs, **{name: getattr(self, name) for name in self.options})

    def extra_repr(self) -> str:
        shown = {name: getattr(self, name) for name in self.options if name != "inplace"}
        return ", ".join(f"{name}={value}" for name, value in shown.items() if not isinstance(value, Tensor))


class LeakyReLU(OfFunction):
    """`functional.leaky_relu`."""

    function = staticmethod(F.leaky_relu)


class ELU(OfFunction):
    """`functional.elu`."""

    function = staticmethod(F.elu)


class CELU(OfFunction):
    """`functional.celu`."""

    function = staticmethod(F.celu)


class SELU(OfFunction):
    """`functional.selu`."""

    function = staticmethod(F.selu)


class Softplus(OfFunction):
    """`functional.softplus`."""

    function = staticmethod(F.softplus)


class Mish(OfFunction):
    """`functional.mish`."""

    function = staticmethod(F.mish)


class Hardtanh(OfFunction):
    """`functional.hardtanh`."""

    function = staticmethod(F.hardtanh)


class Hardsigmoid(OfFunction):
    """`functional.hardsigmoid`."""

    function = staticmethod(F.hardsigmoid)


class Hardswish(OfFunction):
    """`functional.hardswish`."""

    function = staticmethod(F.hardswish)


class Softsign(OfFunction):
    """`functional.softsign`."""

    function = staticmethod(F.softsign)


class LogSigmoid(OfFunction):
    """`functional.logsigmoid`."""

    function = staticmethod(F.logsigmoid)


class Tanhshrink(OfFunction):
    """`functional.tanhshrink`."""

    function = staticmethod(F.tanhshrink)


class GLU(OfFunction):
    """`functional.glu`."""

    function = staticmethod(F.glu)


class KLDivLoss(OfFunction):
    """`functional.kl_div`."""

    function = staticmethod(F.kl_div)


class SmoothL1Loss(OfFunction):
    """`functional.smooth_l1_loss`."""

    function = staticmethod(F.smooth_l1_loss)


class HuberLoss(OfFunction):
    """`functional.huber_loss`."""

    function = staticmethod(F.huber_loss)


class PoissonNLLLoss(OfFunction):
    """`functional.poisson_nll_loss`."""

    function = staticmethod(F.poisson_nll_loss)


class SoftMarginLoss(OfFunction):
    """`functional.soft_margin_loss`."""

    function = staticmethod(F.soft_margin_loss)


class MarginRankingLoss(OfFunction):
    """`functional.margin_ranking_loss`."""

    function = staticmethod(F.margin_ranking_loss)


class HingeEmbeddingLoss(OfFunction):
    """`functional.hinge_embedding_loss`."""

    function = staticmethod(F.hinge_embedding_loss)


class CosineEmbeddingLoss(OfFunction):
    """`functional.cosine_embedding_loss`."""

    function = staticmethod(F.cosine_embedding_loss)


class TripletMarginLoss(OfFunction):
    """`functional.triplet_margin_loss`."""

    function = staticmethod(F.triplet_margin_loss)


class BCELoss(OfFunction):
    """`functional.binary_cross_entropy`."""

    function = staticmethod(F.binary_cross_entropy)


class CosineSimilarity(OfFunction):
    """`functional.cosine_similarity`."""

    function = staticmethod(F.cosine_similarity)


class PairwiseDistance(OfFunction):
    """`functional.pairwise_distance`."""

    function = staticmethod(F.pairwise_distance)


class Upsample(OfFunction):
    """`functional.interpolate`."""

    function = staticmethod(F.interpolate)


class Threshold(OfFunction):
    """`functional.threshold`."""

    function = staticmethod(F.threshold)
    inputs = 1


class Softmin(Module):
    """`functional.softmin`."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """softmax over the channels of (N, C, H, W) or (C, H, W), at every place of the image."""

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: input has shape {input.shape}; expected (N, C, H, W) or (C, H, W)")
        return input.softmax(-3)


class PixelShuffle(OfFunction):
    """`functional.pixel_shuffle`."""

    function = staticmethod(F.pixel_shuffle)
    inputs = 1


class PixelUnshuffle(OfFunction):
    """`functional.pixel_unshuffle`."""

    function = staticmethod(F.pixel_unshuffle)
    inputs = 1


class Unfold(OfFunction):
    """`functional.unfold`."""

    function = staticmethod(F.unfold)
    inputs = 1


class Fold(OfFunction):
    """`functional.fold`."""

    function = staticmethod(F.fold)
    inputs = 1


class PReLU(Module):
    """`functional.prelu` with a learned slope, one or one for each of num_parameters channels, 0.25 at first."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.weight = Parameter(full((num_parameters,), init))

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"
