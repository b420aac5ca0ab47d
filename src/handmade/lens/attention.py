"""Attention maps: where each head of each layer looks, for every token of a text.

    Vaswani et al., "Attention Is All You Need" (2017), figures 3 to 5; Clark et al., "What Does BERT Look At?" (2019).

L layers, H heads, S_q tokens that look, S_k tokens that are looked at
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from handmade import draw
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.hooks import undisturbed
from handmade.nn import Module
from handmade.nn.functional import recorded_attention

Map = Float[np.ndarray, "H S_q S_k"]


def attention_maps(model: Module, *inputs: Tensor) -> list[Map]:
    """The attention weights of every layer, in the order in which the layers compute them, for the first of a batch.

    Row i of a head's map says how much token i looks at each token; it sums to 1. The model runs in evaluation mode.

    Raises InputError for a model without attention.
    """
    with undisturbed(model), no_grad(), recorded_attention() as weights:
        model(*inputs)
    if not weights:
        raise InputError(f"{type(model).__name__} has no attention whose maps could be drawn.")
    return [layer[0] for layer in weights]


def draw_attention_maps(
    path: Path, maps: Sequence[Map], looking: Sequence[str], looked_at: Sequence[str], title: str
) -> None:
    """Draw all maps to `path`, as `draw.attention_maps` does, for the tokens that look and those that are looked at."""
    draw.attention_maps(maps, looking, looked_at, title).save(path)
