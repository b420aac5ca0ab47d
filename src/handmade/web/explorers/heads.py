"""The heads of a GPT: where each looks, one weight by hand, what the model is without it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handmade.errors import InputError
from handmade.lens.heads import Heads, loss_with, losses_without_heads, read_heads
from handmade.models.card import Card
from handmade.models.gpt import GPT, gpt
from handmade.tasks import Writer
from handmade.web import whose
from handmade.web.explorers import Explorer
from handmade.web.frames import LARGEST, Answer
from handmade.web.observatory import Observatory
from handmade.web.questions import flag, pairs, real, text, whole
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercises import exercise_named
from handmade.workshop.quiet import QUIET

EXERCISE = "causal_mask"

LONGEST = 64
"""Tokens of a text that are shown."""

ABLATED = 40_000_000
"""Parameters up to which the loss without each head is measured while one waits."""

SHOWN_NEXT = 6


@dataclass(frozen=True)
class Question:
    """The text, the head that is looked at, what scores are multiplied by, the heads that are off, whose code computes.

    ablate: only the loss without each head is asked for.
    """

    model: str = text("", longest=200)
    text: str = text("ROMEO: But soft, what light through yonder window")
    layer: int = whole(0, 0, 255)
    head: int = whole(0, 0, 255)
    sharpness: float = real(1.0, 0.0, 8.0)
    off: tuple[tuple[int, int], ...] = pairs()
    code: str = whose.code()
    fault: str = whose.fault()
    ablate: bool = flag()


def answer(question: Question, observatory: Observatory) -> Answer:
    """What the heads do with the text."""
    with observatory.models.opened(question.model, _fits) as used:
        tokens = _tokens(used, question.text)
        if question.ablate:
            if not _ablated(used):
                raise InputError(
                    f"the model has more than {ABLATED:,} parameters: what each head is worth takes too long."
                )
            without = losses_without_heads(used.model, tokens, question.sharpness, question.off)
            return Answer({}, {"without": without.astype(np.float32)})
        read = read_heads(used.model, tokens, question.sharpness, question.off)
        L, H = read.maps.shape[:2]
        if question.layer >= L or question.head >= H:
            raise InputError(f"there is no head {question.head} in layer {question.layer}: there are {L} x {H}.")
        told, theirs = _theirs(question, observatory, used, tokens, read)
        return _answer(question, used, tokens, read, told, theirs)


def _tokens(used: Writer, text: str) -> np.ndarray:
    """The tokens of the text, as many of the first as the model sees at once, the page shows, and a frame holds."""
    tokens = used.tokens(text)
    if len(tokens) < 2:
        raise InputError(f"the text has {len(tokens)} tokens, expected two at least: what follows the first?")
    assert isinstance(used.model, GPT)
    config = used.model.config
    heads = config.n_layer * config.n_head
    fit = math.isqrt(LARGEST // 2 // (2 * heads + 4 * config.n_head))  # maps in float16, a layer of theirs in float32
    return np.array(tokens[: max(2, min(LONGEST, config.block_size, fit))])


def _ablated(used: Writer) -> bool:
    return sum(parameter.numel() for parameter in used.model.parameters()) <= ABLATED


def _answer(
    question: Question,
    used: Writer,
    tokens: np.ndarray,
    read: Heads,
    told: dict[str, Any],
    theirs: dict[str, np.ndarray],
) -> Answer:
    (L, H), place = read.maps.shape[:2], (question.layer, question.head)
    following, probabilities = read.likeliest(SHOWN_NEXT)
    losses = read.losses(tokens)
    likely = zip(following, probabilities, strict=True)
    meta = {
        "tokens": used.pieces(tokens.tolist()),
        "layers": L,
        "heads": H,
        "d": read.queries.shape[-1],
        "loss": float(losses.mean()),
        "next": [list(zip(used.pieces(row.tolist()), map(float, p), strict=True)) for row, p in likely],
        "ablated": _ablated(used),
        **told,
    }
    vectors = {"q": read.queries[place], "k": read.keys[place], "v": read.values[place]}
    arrays = {name: array.astype(np.float32) for name, array in vectors.items()}
    return Answer(meta, {"maps": read.maps.astype(np.float16), "losses": losses.astype(np.float32), **arrays, **theirs})


def _theirs(
    question: Question, observatory: Observatory, used: Writer, tokens: np.ndarray, read: Heads
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the chosen code gives in each head of the layer for the queries, keys and values that come there."""
    exercise = exercise_named(EXERCISE)
    if question.code == "reference":
        return whose.reference_only()
    at = question.layer
    heads = zip(question.sharpness * read.queries[at], read.keys[at], read.values[at], strict=True)
    cases = [Case(f"head {h}", tuple(x.astype(np.float64) for x in head)) for h, head in enumerate(heads)]
    made = whose.computed(observatory.bench, exercise, cases, question.code, question.fault)
    told = made.told("output", "attention_weights")
    if question.code == "mistake":
        told["visible"] = whose.visible(exercise, cases[question.head : question.head + 1])
        if question.sharpness == 1 and not question.off:
            told["loss_with"] = _loss_with_mistake(question, used, tokens)
    maps = made.stacked("attention_weights", read.maps[at].shape)
    return told, {} if maps is None else {"their_maps": maps}


def _loss_with_mistake(question: Question, used: Writer, tokens: np.ndarray) -> float | None:
    """The model's loss where every head makes the mistake; None where it raises, or gives no number."""
    exercise, model = exercise_named(EXERCISE), used.model
    assert isinstance(model, GPT)

    def mistaken(Q: np.ndarray, K: np.ndarray, V: np.ndarray) -> np.ndarray:
        case = Case("", (Q.astype(np.float64), K.astype(np.float64), V.astype(np.float64)))
        (result,) = exercise.run([case], frozenset({question.fault}))
        if result.outputs is None:
            raise InputError("the mistake raises")
        return result.outputs["output"]

    try:
        with QUIET, np.errstate(all="ignore"):
            loss = loss_with(model, tokens, mistaken)
    except (InputError, ValueError):
        return None
    return loss if np.isfinite(loss) else None


def _also(question: Question, answer: Answer) -> Iterator[Question]:
    """The other heads of the same text, and what each of all is worth."""
    for layer, head in np.ndindex(answer.meta["layers"], answer.meta["heads"]):
        yield replace(question, layer=layer, head=head)
    if answer.meta["ablated"]:
        yield Question(question.model, question.text, sharpness=question.sharpness, off=question.off, ablate=True)


def _fits(card: Card) -> bool:
    return card.build is gpt


EXPLORER = Explorer(
    title="Attention in a GPT",
    asks="Where does each letter look?",
    lead="A GPT reads a text. In each of its heads a token asks all tokens before it, and takes the most from those "
    "that answer. Everything here is computed by the model, as you touch it.",
    question=Question,
    answer=answer,
    exercises=(EXERCISE,),
    fits=_fits,
    trains="handmade train gpt",
    files=("models/gpt.py", "attention.py", "lens/heads.py"),
    also=_also,
)
