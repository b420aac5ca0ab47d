"""Models that turn one sequence into another: their interface, and the special tokens it assumes.

    source B S --encode--> state --step, one token after another--> log-probabilities of the next target token

A model with this interface can be trained by tasks/translation/, decoded by text/decoding.py, and seen by the lens.

B sequences of a batch, S and T tokens of source and target, V size of the target vocabulary, R rows: hypotheses
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from handmade.engine import Tensor
from handmade.nn import Module

PAD, BOS, EOS, UNKNOWN = range(4)
"""The first tokens of every vocabulary: padding, the target's beginning and end, words without a token."""


class SequenceToSequence(Module):
    """The contract. Sources and targets shorter than the longest of a batch are filled up with PAD, on the right;
    padding does not change the results at other positions. A target begins with BOS.
    """

    def forward(self, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """The scores of what follows each target token, given those up to it and the source (teacher forcing)."""
        raise NotImplementedError

    def encode(self, source: Int[Tensor, "B S"]) -> Any:
        """What `step` needs of the source: arrays or tensors whose first axis is the row, in tuples, lists, dicts."""
        raise NotImplementedError

    def step(self, tokens: Int[np.ndarray, "R time"], state: Any) -> tuple[Float[np.ndarray, "R V"], Any]:
        """The log-probabilities of the token that follows `tokens`, and the state after them; no gradient is recorded.

        tokens: those of each row since the last call: BOS at first, then one token.
        state: at first that of `encode`, then what `step` returned. text/decoding.py chooses, repeats and drops rows.
        """
        raise NotImplementedError

    def alignment(self, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> Float[np.ndarray, "B T S"] | None:
        """How much each target token's prediction attends to each source token: rows sum to 1, and are 0 on padding.

        None for a model without attention.
        """
        raise NotImplementedError
