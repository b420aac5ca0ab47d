"""Beam search as a tree: what was open at each step, what had ended, and the best of what was dropped.

Sutskever, Vinyals & Le, "Sequence to Sequence Learning with Neural Networks" (2014), section 3.2; Wu et al.,
"Google's Neural Machine Translation System" (2016), equation 14, for the length penalty.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from handmade.engine import Tensor, no_grad
from handmade.lens.hooks import undisturbed
from handmade.models.sequence_to_sequence import BOS, EOS, SequenceToSequence
from handmade.text.decoding import Hypothesis, beam_search, length_normalised, take_rows

Search = Callable[..., list[tuple[list[int], float]]]
"""Beam search as textbooks write it: search(step, bos, eos, beam, max_len, alpha), where step(prefix) gives (V,)."""

OPEN, ENDED, GIVEN_UP, DROPPED = "open", "ended", "given up", "dropped"


class Node(NamedTuple):
    """A hypothesis at one step: the node it continues (-1: the beginning), its token and its log-probability.

    state: open, ended, given up (no longer able to win when the search ended) or dropped (not among the best).
    score: log p divided by the length penalty, as if it ended here.
    """

    step: int
    parent: int
    token: int
    log_p: float
    score: float
    state: str


class Tree(NamedTuple):
    """All nodes, step by step, each step's best first; and those that ended, best score first, as numbers of nodes."""

    nodes: list[Node]
    ended: list[int]

    def tokens(self, node: int) -> list[int]:
        """The hypothesis that ends in a node."""
        found = []
        while node >= 0:
            found.append(self.nodes[node].token)
            node = self.nodes[node].parent
        return found[::-1]


@no_grad()
def beam_tree(
    model: SequenceToSequence, source: list[int], beam: int, alpha: float, longest: int, dropped: int = 2
) -> Tree:
    """The search that text.beam_search makes for one source, watched; of each step also the `dropped` next best.

    Raises InputError for beam and alpha out of range.
    """
    steps: list[np.ndarray] = []

    def step(tokens: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        log_probabilities, state = model.step(tokens, state)
        steps.append(log_probabilities)
        return log_probabilities, state

    with undisturbed(model):
        state = model.encode(Tensor(np.array([source])))
        options: dict[str, Any] = {"eos": EOS, "beam": beam, "max_len": longest, "alpha": alpha}
        beam_search(step, state, np.array([[BOS]]), **options, reorder=take_rows)
    nodes: list[Node] = []
    rows: list[tuple[int, float]] = [(-1, 0.0)]  # the open hypotheses: their nodes and log p
    for place, log_probabilities in enumerate(steps):
        totals = np.array([log_p for _, log_p in rows])[:, None] + log_probabilities
        order = np.argsort(-totals, axis=None, kind="stable")[: beam + dropped]
        following = []
        for rank, index in enumerate(order.tolist()):
            parent, token = divmod(index, totals.shape[1])
            log_p, ends = float(totals[parent, token]), token == EOS or place + 1 == longest
            state_now = DROPPED if rank >= beam else ENDED if ends else OPEN if place + 1 < len(steps) else GIVEN_UP
            if state_now == OPEN:
                following.append((len(nodes), log_p))
            score = length_normalised(log_p, place + 1, alpha)
            nodes.append(Node(place, rows[parent][0], token, log_p, score, state_now))
        rows = following
    ended = [number for number, node in enumerate(nodes) if node.state == ENDED]
    return Tree(nodes, sorted(ended, key=lambda number: -nodes[number].score))


@no_grad()
def searched_by(
    search: Search, model: SequenceToSequence, source: list[int], beam: int, alpha: float, longest: int
) -> list[Hypothesis]:
    """What another beam search finds for a source, one that asks for a prefix's log-probabilities at a time."""
    with undisturbed(model):
        state = model.encode(Tensor(np.array([source])))

        def step(prefix: list[int]) -> np.ndarray:
            if not prefix:
                raise ValueError("step was asked with an empty prefix, and the model begins with bos.")
            return model.step(np.array([prefix]), state)[0][0].astype(np.float64)

        return [
            Hypothesis(list(tokens), float(score)) for tokens, score in search(step, BOS, EOS, beam, longest, alpha)
        ]
