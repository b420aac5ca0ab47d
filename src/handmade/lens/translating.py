"""A recurrent sequence-to-sequence model with attention while it translates: where each step looks, and why.

    Bahdanau, Cho & Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate" (2015), section
    5.2.1; Luong, Pham & Manning, "Effective Approaches to Attention-based Neural Machine Translation" (2015),
    section 3.1.

S source tokens, T steps of the decoder, V vocabulary size, M size of the memory, Q of a query, A of what is compared
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.hooks import undisturbed
from handmade.models.seq2seq import AdditiveAttention, Attention, LuongAttention, RecurrentSeq2Seq
from handmade.models.sequence_to_sequence import BOS, EOS
from handmade.nn import Module

Attend = Callable[..., tuple[np.ndarray, np.ndarray]]
"""Attention as textbooks write it: called with `attention_arguments`, it gives the context and the weights."""


class Translation(NamedTuple):
    """What the decoder does, step by step.

    read: what each step begins with: BOS, then what was written, or the target's tokens. said: the most likely token
    after each. weights: where each step looks; scores: the same before the softmax; queries: what each asks with.
    asked, keys: what a score compares: q · k of asked and keys, or v · tanh(asked + keys) where there is a v.
    """

    read: list[int]
    said: list[int]
    weights: Float[np.ndarray, "T S"]
    scores: Float[np.ndarray, "T S"]
    queries: Float[np.ndarray, "T Q"]
    memory: Float[np.ndarray, "S M"]
    asked: Float[np.ndarray, "T A"]
    keys: Float[np.ndarray, "S A"]
    v: Float[np.ndarray, "A"] | None
    log_probabilities: Float[np.ndarray, "T V"]

    def losses(self, target: list[int]) -> Float[np.ndarray, "T"]:
        """-log p of each token of the target, BOS to EOS, where the target was read."""
        return -self.log_probabilities[np.arange(len(target) - 1), target[1:]]


def attention_of(model: RecurrentSeq2Seq) -> Attention:
    """The model's attention. InputError for a model without."""
    attention = getattr(model, "attention", None)
    if attention is None:
        raise InputError(f"{type(model).__name__} has no attention here: its encoder gives one state for all steps.")
    return attention


def additive_part(attention: Attention) -> AdditiveAttention | None:
    """The additive score in an attention, Bahdanau's or Luong's 'concat'; None for products."""
    return attention.additive if isinstance(attention, LuongAttention) else attention  # type: ignore[return-value]


def method_of(attention: Attention) -> str:
    """Which score it is: additive, dot, general or concat."""
    if not isinstance(attention, LuongAttention):
        return "additive"
    return "concat" if attention.additive is not None else "dot" if attention.W is None else "general"


@no_grad()
def translate(
    model: RecurrentSeq2Seq, source: list[int], target: list[int] | None = None, longest: int = 100
) -> Translation:
    """The decoder on a source, EOS at its end: a step at a time, until it says EOS, or `longest` steps.

    target: from BOS to EOS, for teacher forcing: each step reads its token, whatever the step before said.
    Raises InputError for a model without attention, and an empty source.
    """
    attention = attention_of(model)
    if not source:
        raise InputError("the source has no tokens, expected one at least.")
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def keep(module: Module, inputs: tuple, output: tuple[Tensor, Tensor]) -> None:
        seen.append((inputs[0].array[0, 0], output[1].array[0, 0]))

    read, said, likely = [BOS], [], []
    handle = attention.register_forward_hook(keep)
    try:
        with undisturbed(model):
            state = model.encode(Tensor(np.array([source])))
            while True:
                logits, _, state = model.decode(Tensor(np.array([read[-1:]])), state)
                likely.append(logits.double().log_softmax(-1).array[0, 0])
                said.append(int(likely[-1].argmax()))
                ended = len(said) == len(target) - 1 if target else said[-1] == EOS or len(said) == longest
                if ended:
                    break
                read.append(target[len(said)] if target else said[-1])
    finally:
        handle.remove()
    queries, weights = (np.stack(part) for part in zip(*seen, strict=True))
    keys, additive = state["keys"], additive_part(attention)
    scores = attention.scores(Tensor(queries[None]), keys).array[0]
    asked = queries if additive is None else additive.W(Tensor(queries)).array
    v = None if additive is None else additive.v.weight.array[0]
    memory = state["memory"].array[0]
    return Translation(read, said, weights, scores, queries, memory, asked, keys.array[0], v, np.stack(likely))


def attention_arguments(
    attention: Attention,
    queries: Float[np.ndarray, "N Q"],
    memory: Float[np.ndarray, "S M"],
    keys: Float[np.ndarray, "S A"],
) -> tuple[np.ndarray, ...]:
    """What textbooks call attention with, in float64.

    Of an additive score: query (N, Q), keys and values (N, S, M), Wq (Q, A), Wk (M, A), v (A,), and the mask (N, S),
    True everywhere. Of a product: Q (N, A), K (S, A) and V (S, M) of softmax(Q K^T / sqrt(A)) V; Luong's score is not
    divided by sqrt(A), so the queries are multiplied by it.
    """
    additive = additive_part(attention)
    if additive is None:
        return tuple(a.astype(np.float64) for a in (np.sqrt(keys.shape[1]) * queries, keys, memory))
    rows = np.broadcast_to(memory, (len(queries), *memory.shape))
    arrays = queries, rows, rows, additive.W.weight.array.T, additive.U.weight.array.T, additive.v.weight.array[0]
    return (*(array.astype(np.float64) for array in arrays), np.ones(rows.shape[:2], bool))


@contextmanager
def attending_with(model: RecurrentSeq2Seq, function: Attend) -> Iterator[None]:
    """Inside the block the model attends by `function`, which gets `attention_arguments`. One source at a time."""
    attention = attention_of(model)

    def forward(query: Tensor, memory: Tensor, keys: Tensor, visible: Any) -> tuple[Tensor, Tensor]:
        given = attention_arguments(attention, query.array[0], memory.array[0], keys.array[0])
        return tuple(Tensor(np.asarray(part, query.dtype)[None]) for part in function(*given))  # type: ignore[return-value]

    before = vars(attention).get("forward")
    attention.forward = forward
    try:
        yield
    finally:
        vars(attention).pop("forward")
        if before is not None:
            attention.forward = before
