"""The most probable sequence: greedy and beam search over any model that scores the next token.

A model is a function of what it has not seen yet and of its state:

    log_probs, state = step(tokens, state)

- `tokens`, integers (rows, time): what each row has got since the last call. The whole prompt at first, then
  one token.
- `log_probs`, floats (rows, V): log-probabilities of the token that comes next, V the size of the vocabulary.
- `state`: whatever the model carries along, row by row: the hidden state of an LSTM, keys and values of
  attention, an encoder's output. Between two calls rows are chosen, repeated and dropped: `reorder(state,
  rows)` gives the state whose row i is row `rows[i]` of the old one. `take_rows` does that for arrays whose
  first axis is the row.

A row is one hypothesis. Search begins with one row a sentence, which fan out to `beam` and go when they have
ended.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from handmade.errors import InputError

Step = Callable[[np.ndarray, Any], tuple[np.ndarray, Any]]
Reorder = Callable[[Any, np.ndarray], Any]


class Hypothesis(NamedTuple):
    """What search found: `tokens` without the prompt, with `eos` where it has ended, and their score."""

    tokens: list[int]
    score: float


def take_rows(state: Any, rows: Int[np.ndarray, "rows"]) -> Any:
    """The state whose row i is the old row `rows[i]`: arrays or tensors, in tuples, lists and dicts.

    Rows are the first axis; None stays None. Where rows are another axis, as in PyTorch's (layers, rows,
    hidden), pass a `reorder` of your own.
    """
    if state is None:
        return None
    if isinstance(state, dict):
        return {name: take_rows(part, rows) for name, part in state.items()}
    if isinstance(state, tuple) and hasattr(state, "_fields"):  # a namedtuple takes its parts one by one
        return type(state)(*(take_rows(part, rows) for part in state))
    if isinstance(state, tuple | list):
        return type(state)(take_rows(part, rows) for part in state)
    if not hasattr(state, "shape"):
        raise TypeError(f"state: got {type(state).__name__}, expected arrays in tuples, lists or dicts; pass reorder=")
    return state[rows]


def prefix_step(function: Callable[[Int[np.ndarray, "rows time"]], Float[np.ndarray, "rows V"]]) -> Step:
    """A `step` for a model without a state: `function` gets each row's whole prefix. The first state is None."""

    def step(tokens: np.ndarray, prefix: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        prefix = tokens if prefix is None else np.concatenate([prefix, tokens], axis=1)
        return function(prefix), prefix

    return step


def greedy_search(
    step: Step,
    state: Any,
    prompt: Int[np.ndarray, "sentences time"],
    *,
    eos: int,
    max_len: int,
    reorder: Reorder = take_rows,
) -> list[Hypothesis]:
    """Take the most probable token again and again, which is a beam of one. One hypothesis a sentence."""
    best = beam_search(step, state, prompt, eos=eos, beam=1, max_len=max_len, reorder=reorder)
    return [hypotheses[0] for hypotheses in best]


def beam_search(
    step: Step,
    state: Any,
    prompt: Int[np.ndarray, "sentences time"],
    *,
    eos: int,
    beam: int,
    max_len: int,
    alpha: float = 0.0,
    reorder: Reorder = take_rows,
) -> list[list[Hypothesis]]:
    """For each row of `prompt` (a beginning token, or a text) the `beam` best continuations found, best first.

    At each step the `beam` best continuations of a sentence are taken (ties: of the better hypothesis, then
    the lower token); those that end in `eos` are done and leave the beam, the others go on. What is still
    open after `max_len` tokens counts as it is. Hypotheses are ranked by

        log p / ((5 + length) / 6) ** alpha          (Wu et al. 2016, arXiv 1609.08144, equation 14)

    where length counts the new tokens, `eos` included; alpha = 0 ranks by probability, and greater favours
    longer ones. A sentence is finished as soon as no open hypothesis can reach its `beam` best any more.

    Raises InputError for beam, max_len or alpha out of range, ValueError where `step` gives no
    log-probabilities.
    """
    _check_options(beam, max_len, alpha)
    sentences = [_Sentence(eos, beam, max_len, alpha) for _ in prompt]
    tokens = prompt
    for _ in range(max_len):
        log_probs, state = step(tokens, state)
        _check_log_probs(log_probs, len(tokens))
        first, rows, next_tokens = 0, [], []
        for sentence in sentences:
            count = len(sentence.open)
            chosen = sentence.advance(log_probs[first : first + count])
            rows += [first + parent for parent in chosen]
            next_tokens += [generated[-1] for generated, _ in sentence.open]
            first += count
        if not rows:
            break
        state = reorder(state, np.array(rows))
        tokens = np.array(next_tokens)[:, None]
    return [sentence.best() for sentence in sentences]


def length_normalised(log_p: float, length: int, alpha: float) -> float:
    """What hypotheses are ranked by: log p / ((5 + length) / 6) ** alpha."""
    return log_p / ((5 + length) / 6) ** alpha


class _Sentence:
    """The search of one sentence: its open and its finished hypotheses."""

    def __init__(self, eos: int, beam: int, max_len: int, alpha: float):
        self.eos, self.beam, self.max_len, self.alpha = eos, beam, max_len, alpha
        self.open: list[tuple[list[int], float]] = [([], 0.0)]  # tokens and log p, best first
        self.finished: list[Hypothesis] = []

    def advance(self, log_probs: Float[np.ndarray, "open V"]) -> list[int]:
        """Lengthen the open hypotheses by one token; give the index of the parent of each that is open now."""
        if not self.open:
            return []
        totals = np.array([log_p for _, log_p in self.open])[:, None] + log_probs
        parents, opened = [], []
        for index in _largest(totals.ravel(), self.beam):
            parent, token = divmod(int(index), totals.shape[1])
            tokens, log_p = [*self.open[parent][0], token], float(totals[parent, token])
            if token == self.eos or len(tokens) == self.max_len:
                self.finished.append(self._scored(tokens, log_p))
            else:
                opened.append((tokens, log_p))
                parents.append(parent)
        self.open = opened
        if self._is_decided():
            self.open, parents = [], []
        return parents

    def best(self) -> list[Hypothesis]:
        return sorted(self.finished, key=lambda hypothesis: -hypothesis.score)[: self.beam]

    def _scored(self, tokens: list[int], log_p: float) -> Hypothesis:
        return Hypothesis(tokens, self._score(log_p, len(tokens)))

    def _score(self, log_p: float, length: int) -> float:
        return length_normalised(log_p, length, self.alpha)

    def _is_decided(self) -> bool:
        """Whether `beam` finished ones are as good as the best open one could become: long, and certain from here."""
        if len(self.finished) < self.beam or not self.open:
            return False
        return self.best()[-1].score >= self._score(self.open[0][1], self.max_len)


def _largest(values: Float[np.ndarray, "n"], count: int) -> Int[np.ndarray, "k"]:
    """The indices of the `count` largest values, largest first, ties by index; -inf is left out."""
    count = min(count, len(values))
    threshold = np.partition(values, -count)[-count]
    candidates = np.flatnonzero((values >= threshold) & (values > -np.inf))
    return candidates[np.argsort(-values[candidates], kind="stable")][:count]


def _check_options(beam: int, max_len: int, alpha: float) -> None:
    if beam < 1:
        raise InputError(f"beam: got {beam}, expected 1 (greedy) or more")
    if max_len < 1:
        raise InputError(f"max_len: got {max_len}, expected 1 token or more")
    if not 0 <= alpha < np.inf:
        raise InputError(f"alpha: got {alpha}, expected 0 (no length normalisation) or more; 0.6 is usual")


def _check_log_probs(log_probs: np.ndarray, rows: int) -> None:
    if log_probs.ndim != 2 or len(log_probs) != rows:
        raise ValueError(f"step: gave log-probabilities of shape {log_probs.shape}, expected ({rows}, V)")
    greatest = log_probs.max(axis=1)
    if not ((greatest > -np.inf) & (greatest < 1e-4)).all():
        raise ValueError("step: gave nan, -inf alone or numbers above 0, expected log-probabilities; call log_softmax?")
