"""Gradient clipping, parameters as one vector, evaluation mode for a block, arrays that lie in memory as others do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from handmade.engine import Tensor
from handmade.engine.functions import cat
from handmade.nn.module import Module


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale all gradients down together, in place, so that their total norm is at most `max_norm` (Pascanu 2013).

    The norm is (sum |g|^p)^(1/p), p = `norm_type`, over all gradients as if they were one vector (inf: the largest
    |g|). Returns the norm before clipping. Parameters without a gradient do not count. If the norm is NaN, all
    gradients become NaN, as in PyTorch; with `error_if_nonfinite` a NaN or an infinity raises RuntimeError instead.
    """
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = _common_norm([gradient.array for gradient in gradients], float(norm_type))
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(
            f"clip_grad_norm_: the norm of the gradients is {norm}; look for the step that caused it, or pass "
            "error_if_nonfinite=False to continue"
        )
    scale = max_norm / (norm + 1e-6)
    if not scale >= 1:
        for gradient in gradients:
            gradient.mul_(scale)
    return Tensor(np.array(norm, np.result_type(*(gradient.array for gradient in gradients)) if gradients else "f4"))


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Limit every element of every gradient to [-clip_value, clip_value], in place."""
    for parameter in [parameters] if isinstance(parameters, Tensor) else parameters:
        if parameter.grad is not None:
            parameter.grad.clamp_(-clip_value, clip_value)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All of them, one after another, as one axis."""
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give parameters the values of one axis, in the order of `parameters_to_vector`."""
    parameters = list(parameters)
    sizes = [parameter.numel() for parameter in parameters]
    if vec.shape != (sum(sizes),):
        raise ValueError(f"vector_to_parameters: vec has shape {vec.shape}; the parameters hold {sum(sizes)} numbers")
    for parameter, part in zip(parameters, vec.detach().split(sizes), strict=True):
        parameter.detach().copy_(part.reshape(parameter.shape))


def _common_norm(arrays: list[np.ndarray], p: float) -> float:
    if p == 2:
        return math.sqrt(sum(_square_sum(array) for array in arrays))
    norms = [float(np.linalg.norm(array.ravel("K"), p)) for array in arrays if array.size]
    return float(np.linalg.norm(norms, p)) if norms else 0.0


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Inside the block all of `model` is in evaluation mode; afterwards each part is as before, even after an error."""
    in_training = [part for part in model.modules() if part.training]
    for part in in_training:
        part.training = False
    try:
        yield
    finally:
        for part in in_training:
            part.training = True


def laid_out_like(array: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A copy of `array`, of the shape, the type and the order in memory of `like`.

    A file keeps no order; in another one a step would run another kernel, which rounds otherwise.
    """
    laid = np.empty_like(like)
    laid[...] = array
    return laid


def _square_sum(array: np.ndarray) -> float:
    flat = array.ravel("K")
    return float(flat @ flat)
