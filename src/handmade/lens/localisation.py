"""Grad-CAM: where in an image the evidence for a class lies.

    Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization" (2017),
    section 3.

C channels, H height, W width
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from handmade import draw
from handmade.engine import Tensor
from handmade.lens.hooks import recording, undisturbed
from handmade.lens.layers import maps_of
from handmade.nn import Module


def grad_cam(model: Module, image: Float[Tensor, "1 C H W"], class_index: int, layer: str) -> Float[np.ndarray, "h w"]:
    """L = relu(sum_k alpha_k A^k) (equation 2), with alpha_k the mean over all places of dy / dA^k (equation 1).

    A^k are the maps of `layer`, of h x w, and y is the score (before softmax) of the class. Positive where the class
    has evidence, zero elsewhere. The model runs in evaluation mode and its parameters get no gradients.

    Raises InputError when the model has no such layer, or it gives no maps.
    """
    with undisturbed(model), recording(model, layer, gradients=True) as outputs:
        scores = model(Tensor(image.array, requires_grad=True))  # 1 K
        scores[0, class_index].backward()
    maps = maps_of(outputs, layer)
    assert maps.grad is not None
    alpha = maps.grad.array[0].mean(axis=(1, 2))
    return np.maximum(np.tensordot(alpha, maps.array[0], axes=1), 0)


def draw_grad_cam(
    path: Path, heat: Float[np.ndarray, "h w"], image: Float[np.ndarray, "C H W"], layer: str, title: str
) -> None:
    """Draw the map beside the image (values 0 to 1), and where in the image the evidence lies."""
    draw.evidence(heat, image, layer, title).save(path)
