"""Heads of a model: where each looks, one weight by hand, what the model is without it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handmade.errors import InputError
from handmade.lens.heads import Attended, loss_with, pooled
from handmade.lens.texts import TextRead, text_read
from handmade.lens.token_loss import most_likely
from handmade.models.bert import bert, bert_for_masked_lm
from handmade.models.card import Card
from handmade.models.gpt import GPT, gpt
from handmade.models.minilm import minilm
from handmade.models.transformer import transformer
from handmade.tasks import Encoder, Filler, Translator
from handmade.tasks.masked.pieces import WordPieces
from handmade.web import whose
from handmade.web.explorers import Explorer
from handmade.web.frames import Answer
from handmade.web.measuring import Pieces
from handmade.web.observatory import Observatory
from handmade.web.questions import flag, pairs, real, text, whole
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercises import exercise_named
from handmade.workshop.quiet import QUIET

EXERCISES = {True: "causal_mask", False: "self_attention"}
"""The exercise that computes where later tokens are hidden, and where all are seen."""

LONGEST = 256
"""Tokens of a text that are shown."""

SMALL = 64
"""Rows and columns of a map in the overview of all heads; with more than 400 heads half of that."""

ABLATED = 200_000_000_000
"""Products up to which the loss without each head is measured while one waits."""

AT_ONCE = 128
"""Tokens that go through the model together in one piece of a long measurement: a second of GPT-2, or so."""

SHOWN_NEXT = 6


@dataclass(frozen=True)
class Question:
    """The text, the head that is looked at, what scores are multiplied by, the heads that are off, whose code computes.

    text: "" for an example. ablate: only the loss without each head is asked for.
    """

    model: str = text("", longest=200)
    text: str = text("")
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
        given = question.text or example(used)
        read = text_read(used, given, LONGEST)
        if question.ablate:
            if not _ablated(read):
                raise InputError("what each head is worth takes long here: it is measured as a job.")
            without = read.without(question.sharpness, question.off)
            return Answer({}, {"without": without.astype(np.float32)} if without is not None else {})
        layers, said, loss = read.attention(question.sharpness, question.off, _ablated(read))
        if question.layer >= len(layers) or question.head >= len(layers[question.layer].maps):
            raise InputError(
                f"there is no head {question.head} in layer {question.layer}: there are {len(layers)} x "
                f"{len(layers[0].maps)}."
            )
        told, theirs = _theirs(question, observatory, read, layers[question.layer])
        meta = {"text": given, "whole": not question.text, "kind": _kind(used), "loss": loss, **told}
        return _answer(question, read, layers, said, meta, theirs)


def pieces(question: Question, observatory: Observatory) -> Pieces:
    """First the loss and how many heads there are; then the losses without a few heads after another."""
    with observatory.models.opened(question.model, _fits) as used:
        read = text_read(used, question.text or example(used), LONGEST)
        loss = read.loss(question.sharpness, question.off)
        made = read.ablations(question.sharpness, question.off, AT_ONCE)
        counts = read.heads
    yield {"loss": loss, "parts": len(counts), "heads": max(counts), "total": sum(counts)}
    for one in observatory.models.one_by_one(question.model, _fits, read.model, made):
        yield {"part": one.part, "first": one.first, "losses": one.losses.tolist()}


def example(used: Any) -> str:
    """A text to begin with, of the kind that the model reads."""
    if isinstance(used, Translator):
        return "3 May 2007"
    if isinstance(used, Filler | Encoder):
        return "The man went to the [MASK]." if isinstance(used.tokenizer, WordPieces) else "To be, or n[MASK]t to be"
    return "ROMEO: But soft, what light through yonder window"


def _kind(used: Any) -> str:
    return "translates" if isinstance(used, Translator) else "fills in" if isinstance(used, Filler) else "writes"


def _ablated(read: TextRead) -> bool:
    return read.scored is not None and read.work <= ABLATED


def _answer(
    question: Question,
    read: TextRead,
    layers: list[Attended],
    log_probabilities: np.ndarray,
    meta: dict[str, Any],
    theirs: dict[str, np.ndarray],
) -> Answer:
    opened, counts = layers[question.layer], [len(layer.maps) for layer in layers]
    next_tokens = [
        list(zip(read.pieces(order.tolist()), likely.tolist(), strict=True))
        for order, likely in zip(*most_likely(log_probabilities, SHOWN_NEXT), strict=True)
    ]
    told = {
        "texts": [list(one) for one in read.texts],
        "parts": [{**part._asdict(), "heads": n} for part, n in zip(read.parts, counts, strict=True)],
        "d": opened.queries.shape[-1],
        "says": read.says,
        "right": read.right,
        "next": next_tokens,
        "ablated": _ablated(read),
        "measurable": read.scored is not None,
        "layer": question.layer,
        "head": question.head,
        **meta,
    }
    most = SMALL if sum(counts) <= 400 else SMALL // 2
    arrays = {f"small/{n}": pooled(layer.maps, most).astype(np.float16) for n, layer in enumerate(layers)}
    h = question.head
    arrays |= {name: x[h].astype(np.float32) for name, x in zip("qkv", opened[1:], strict=True)}
    arrays["map"] = opened.maps[h].astype(np.float32)
    if "their_maps" in theirs:
        arrays |= {"their_map": theirs["their_maps"][h], "their_small": pooled(theirs["their_maps"], most)}
    return Answer(told, arrays)


def _theirs(
    question: Question, observatory: Observatory, read: TextRead, opened: Attended
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the chosen code gives in each head of the layer for the queries, keys and values that come there."""
    if question.code == "reference":
        return whose.reference_only()
    exercise = exercise_named(EXERCISES[read.parts[question.layer].causal])
    heads = zip(question.sharpness * opened.queries, opened.keys, opened.values, strict=True)
    cases = [Case(f"head {h}", tuple(x.astype(np.float64) for x in head)) for h, head in enumerate(heads)]
    made = whose.computed(observatory.bench, exercise, cases, question.code, question.fault)
    told = made.told("output", "attention_weights")
    if question.code == "mistake":
        told["visible"] = whose.visible(exercise, cases[question.head : question.head + 1])
        if question.sharpness == 1 and not question.off and isinstance(read.model, GPT):
            told["loss_with"] = _loss_with_mistake(question, read.model, read.inputs[0].array[0])
    maps = made.stacked("attention_weights", opened.maps.shape)
    return told, {} if maps is None else {"their_maps": maps}


def _loss_with_mistake(question: Question, model: GPT, tokens: np.ndarray) -> float | None:
    """The model's loss where every head makes the mistake; None where it raises, or gives no number."""
    exercise = exercise_named(EXERCISES[True])

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
    for layer, part in enumerate(answer.meta["parts"]):
        for head in range(part["heads"]):
            yield replace(question, layer=layer, head=head)
    if answer.meta["ablated"]:
        yield Question(question.model, question.text, sharpness=question.sharpness, off=question.off, ablate=True)


def _fits(card: Card) -> bool:
    """GPTs, BERTs and Transformers."""
    return card.build in (gpt, bert, bert_for_masked_lm, minilm, transformer)


EXPLORER = Explorer(
    question=Question,
    answer=answer,
    exercises=tuple(EXERCISES.values()),
    related=("multi_head_attention", "cross_attention", "gpt_block"),
    fits=_fits,
    trains="handmade train gpt",
    files=(
        "models/gpt.py",
        "models/bert.py",
        "models/transformer.py",
        "attention.py",
        "lens/heads.py",
        "lens/texts.py",
    ),
    pieces=pieces,
    also=_also,
)
