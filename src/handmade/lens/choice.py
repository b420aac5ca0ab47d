"""How the next token is chosen, step by step: temperature, top-k, top-p, and what each of them takes away.

    Fan, Lewis & Dauphin, "Hierarchical Neural Story Generation" (2018), section 5.4: top-k; Holtzman et al., "The
    Curious Case of Neural Text Degeneration" (2020), section 3.1: top-p.

V vocabulary size
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from handmade.text.sampling import sample_probabilities

Probabilities = Float[np.ndarray, "V"]


class Choosing(NamedTuple):
    """The probabilities of the next token: as the model gives them, at the temperature, after top-k, after top-p."""

    plain: Probabilities
    tempered: Probabilities
    after_top_k: Probabilities
    after_top_p: Probabilities

    @property
    def cut_by(self) -> np.ndarray:
        """For each token what took its probability away: "temperature", "top-k", "top-p", or "" where it can be drawn.

        Temperature 0 takes all but the most likely one away.
        """
        steps = {"temperature": self.tempered, "top-k": self.after_top_k, "top-p": self.after_top_p}
        cut, before = np.full(self.plain.shape, "", dtype="<U11"), self.plain
        for name, after in steps.items():
            cut[(before > 0) & (after == 0)] = name
            before = after
        return cut

    def mass_cut(self, name: str) -> float:
        """The probability, at the temperature, of all tokens that "top-k" or "top-p" cut away."""
        return float(self.tempered[self.cut_by == name].sum())


def choosing(
    logits: Float[np.ndarray, "V"], temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Choosing:
    """What `text.sampling` draws from, and what it was before each step. InputError for options out of range."""
    return Choosing(
        sample_probabilities(logits),
        sample_probabilities(logits, temperature=temperature),
        sample_probabilities(logits, temperature=temperature, top_k=top_k),
        sample_probabilities(logits, temperature=temperature, top_k=top_k, top_p=top_p),
    )
