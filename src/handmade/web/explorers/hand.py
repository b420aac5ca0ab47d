"""Attention by hand: queries, keys and values that one types, and every number up to the output."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handmade.errors import InputError
from handmade.lens.by_hand import attention_steps, placed, split_heads, visible_keys
from handmade.web import whose
from handmade.web.explorers import Explorer
from handmade.web.frames import Answer
from handmade.web.observatory import Observatory
from handmade.web.questions import choice, matrix, whole
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercises import exercise_named

ROWS, COLUMNS = 8, 8

QUERIES = ((1, 0, 1, 0), (0, 2, 1, 1), (1, 1, 0, 2), (2, 0, 1, 1))
KEYS = ((1, 1, 0, 0), (0, 2, 0, 1), (2, 0, 1, 0), (1, 0, 1, 2))
VALUES = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))
"""Where the page starts."""

EXERCISE_OF = {"none": "self_attention", "causal": "causal_mask", "padding": "padding_mask"}
"""The exercise that computes under each mask, head by head."""

ALL_HEADS = "multi_head_attention"
"""The exercise that computes all heads together, where they fit it: see `_together`."""

POSITIONS = {"sinusoidal": "sinusoidal", "rotary": "rotary"}
"""The exercise that computes each kind of position."""


@dataclass(frozen=True)
class Question:
    """q, k, v: the numbers, a row a token. length: how many keys are no padding. code, fault: whose code computes.

    positions: what is done to queries and keys before. part: whether that code computes attention, or the positions.
    """

    q: tuple[tuple[float, ...], ...] = matrix(QUERIES, ROWS, COLUMNS)
    k: tuple[tuple[float, ...], ...] = matrix(KEYS, ROWS, COLUMNS)
    v: tuple[tuple[float, ...], ...] = matrix(VALUES, ROWS, COLUMNS)
    heads: int = whole(1, 1, 4)
    mask: str = choice("none", "causal", "padding")
    length: int = whole(3, 0, ROWS)
    positions: str = choice("none", *POSITIONS)
    part: str = choice("attention", "positions")
    code: str = whose.code()
    fault: str = whose.fault()


def answer(question: Question, observatory: Observatory) -> Answer:
    """The steps as the reference computes them, and those that the chosen code computes."""
    Q, K, V = (split_heads(np.array(rows), question.heads) for rows in (question.q, question.k, question.v))
    _require_fitting(Q, K, V, question.mask)
    queries, keys = placed(Q, question.positions), placed(K, question.positions)
    visible = visible_keys(Q.shape[1], K.shape[1], question.mask, question.length)
    steps = attention_steps(queries.values, keys.values, V, visible)
    arrays = {**steps._asdict(), "placed_q": queries.values, "placed_k": keys.values, "angles": queries.angles}
    if question.part == "positions" and question.positions != "none":
        exercise, cases = exercise_named(POSITIONS[question.positions]), _positions(question, Q, K)
    elif _together(question):
        exercise, cases = exercise_named(ALL_HEADS), [_all_heads(queries.values, keys.values, V)]
    else:
        exercise, cases = exercise_named(EXERCISE_OF[question.mask]), _cases(question, queries.values, keys.values, V)
    theirs = whose.computed(observatory.bench, exercise, cases, question.code, question.fault)
    names: tuple[str, ...]
    if exercise.name == ALL_HEADS:
        names, (given,) = exercise.outputs, theirs.outputs
        arrays |= {"their_output": None if given is None else split_heads(given["output"], question.heads)}
    elif question.part == "attention" or question.positions == "none":
        names = ("attention_weights", "output")
        arrays |= {f"their_{name}": theirs.stacked(name, arrays[KEY[name]].shape) for name in names}
    else:
        names = exercise.outputs
        tables = [None if one is None else one[names[0]] for one in theirs.outputs]
        arrays |= _placed_theirs(question, Q, K, tables)
    meta: dict[str, Any] = {
        "heads": question.heads,
        "d_k": K.shape[-1],
        "exercise": exercise.name,
        **theirs.told(*names),
    }
    if question.code == "mistake":
        meta["visible"] = whose.visible(exercise, cases)
    return Answer(meta, {name: array.astype(np.float32) for name, array in arrays.items() if array is not None})


KEY = {"attention_weights": "weights", "output": "output"}
"""What the reference's steps are called."""


def _positions(question: Question, Q: np.ndarray, K: np.ndarray) -> list[Case]:
    """What the exercise of the positions is asked for: the table for queries and keys, or each head of both rotated."""
    if question.positions == "sinusoidal":
        return [Case(name, (X.shape[1], X.shape[0] * X.shape[2])) for name, X in (("queries", Q), ("keys", K))]
    return [Case(f"{name} of head {h}", (x,)) for name, X in (("queries", Q), ("keys", K)) for h, x in enumerate(X)]


def _placed_theirs(
    question: Question, Q: np.ndarray, K: np.ndarray, given: list[np.ndarray | None]
) -> dict[str, np.ndarray | None]:
    """Queries and keys with the positions as that code has them; None where it gave none."""
    if any(one is None for one in given):
        return {}
    made = [one for one in given if one is not None]
    if question.positions == "sinusoidal":
        return {
            f"their_placed_{name}": X + split_heads(table, len(X))
            for name, X, table in zip("qk", (Q, K), made, strict=True)
        }
    return {"their_placed_q": np.stack(made[: len(Q)]), "their_placed_k": np.stack(made[len(Q) :])}


def _cases(question: Question, Q: np.ndarray, K: np.ndarray, V: np.ndarray) -> list[Case]:
    """Each head as a case, as the exercises ask for it: padding in batches, here of one."""
    heads = zip(Q, K, V, strict=True)
    if question.mask == "padding":
        lengths = np.array([question.length])
        return [Case(f"head {h}", (q[None], k[None], v[None], lengths)) for h, (q, k, v) in enumerate(heads)]
    return [Case(f"head {h}", head) for h, head in enumerate(heads)]


def _together(question: Question) -> bool:
    """Whether the exercise of all heads can compute these: without a mask, of as many queries as keys, and no more of
    them than columns, since they are made of one-hot tokens."""
    rows, columns = len(question.q), len(question.q[0])
    alike = rows == len(question.k) and columns == len(question.v[0])
    return question.heads > 1 and question.mask == "none" and alike and rows <= columns


def _all_heads(Q: np.ndarray, K: np.ndarray, V: np.ndarray) -> Case:
    """One-hot tokens X, and Wq, Wk, Wv whose first rows are Q, K and V: X Wq is Q. Wo leaves the output as it is."""
    num_heads, S, d_k = Q.shape
    d_model = num_heads * d_k

    def projection(heads: np.ndarray) -> np.ndarray:
        return np.eye(d_model, S) @ heads.transpose(1, 0, 2).reshape(S, d_model)

    weights = (projection(Q), projection(K), projection(V), np.eye(d_model))
    return Case("the tokens", (np.eye(S, d_model), num_heads, d_model, weights))


def _require_fitting(Q: np.ndarray, K: np.ndarray, V: np.ndarray, mask: str) -> None:
    if Q.shape[-1] != K.shape[-1]:
        raise InputError("Q and K have rows of different lengths: a query and a key are multiplied number by number.")
    if K.shape[1] != V.shape[1]:
        raise InputError(f"there are {K.shape[1]} keys and {V.shape[1]} values: each key has one value.")
    if mask == "causal" and Q.shape[1] > K.shape[1]:
        raise InputError("a causal mask needs at least as many keys as queries: the last query sees all keys.")


def _also(question: Question, answer: Answer) -> list[Question]:
    """The other masks, and the other numbers of heads that fit."""
    wide = math.gcd(len(question.q[0]), len(question.v[0]))
    return [
        replace(question, heads=heads, mask=mask)
        for heads in (1, 2, 4)
        for mask in EXERCISE_OF
        if wide % heads == 0 and (mask != "causal" or len(question.q) == len(question.k))
    ]


EXPLORER = Explorer(
    question=Question,
    answer=answer,
    exercises=(*EXERCISE_OF.values(), *POSITIONS.values(), ALL_HEADS),
    files=("attention.py", "nn/positions.py", "lens/by_hand.py"),
    also=_also,
)
