"""Pictures of sequence-to-sequence models: where each written token looks, and how length makes it hard.

S source tokens, T target tokens, N texts
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from handmade import draw


def draw_alignment(
    path: Path,
    source: Sequence[str],
    target: Sequence[str],
    weights: Float[np.ndarray, "T S"],
    title: str = "Where each written token looks",
) -> None:
    """Draw to `path` how much the prediction of each target token (row) looked at each source token (column)."""
    draw.attention_maps([weights[None]], target, source, title).save(path)


def draw_exact_by_length(
    path: Path,
    models: Mapping[str, tuple[Int[np.ndarray, "N"], Bool[np.ndarray, "N"]]],
    title: str = "What comes out exactly right, by the length of the input",
) -> None:
    """For each model by name: draw to `path` the share of texts that came out right against their length."""
    draw.exact_by_length(models, title).save(path)
