"""What tests of the workshop share: a right solution to spoil, and small limits for it."""

from dataclasses import replace

from handmade.workshop.cell.job import Limits

RIGHT = """import numpy as np


def self_attention(Q, K, V):
    scores = Q @ K.swapaxes(-1, -2) / np.sqrt(K.shape[-1])
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights = weights / weights.sum(-1, keepdims=True)
    return weights @ V, weights
"""

SMALL = Limits(seconds=8.0, memory=1 << 28, file=1 << 16)
"""No right solution comes near the seconds, however busy the machine is."""

SHORT = replace(SMALL, seconds=0.3)
"""For those that do not end."""


def in_function(line: str) -> str:
    """The right solution with a line before its return."""
    return RIGHT.replace("    return", f"    {line}\n    return")
