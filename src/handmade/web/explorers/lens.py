"""The logit lens: how the next token takes shape from layer to layer, what adds to it, and how it is chosen."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handmade.errors import InputError
from handmade.lens.cache import cache_cost
from handmade.lens.choice import Choosing, choosing
from handmade.lens.guesses import read_stream
from handmade.lens.logits import contributions
from handmade.models.bert import BertForMaskedLM, bert, bert_for_masked_lm
from handmade.models.card import Card
from handmade.models.gpt import GPT, gpt
from handmade.tasks import Filler, Writer
from handmade.text.sampling import sample
from handmade.web import whose
from handmade.web.explorers import Explorer
from handmade.web.frames import Answer
from handmade.web.observatory import Observatory
from handmade.web.questions import real, text, whole
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercises import exercise_named

EXERCISE = "sampling"

EXAMPLES = {GPT: "ROMEO: But soft, what light through yonder w", BertForMaskedLM: "To be, or n[MASK]t to be"}
"""What is read when no text is given."""

LONGEST = 64
"""Tokens of a text that are shown: the last ones."""

WORK = 8_000_000_000
"""Multiply-adds that reading the stream at all places may take; of a large model the last places only are read."""

LIKELY, SHOWN = 6, 12
"""Tokens that can be looked at, and tokens whose probabilities are shown."""

Used = Writer | Filler


@dataclass(frozen=True)
class Question:
    """The text ("" for an example), the place whose next token is looked at (-1: the last), and the token.

    token: its number in the vocabulary; -1 for the most likely. temperature, top_k, top_p: how it is chosen; 0 and 1
    cut nothing away. seed: of the token that is drawn after the text.
    """

    model: str = text("", longest=200)
    text: str = text("")
    place: int = whole(-1, -1, 2_000)
    token: int = whole(-1, -1, 10_000_000)
    temperature: float = real(1.0, 0.0, 5.0)
    top_k: int = whole(0, 0, 1_000_000)
    top_p: float = real(1.0, 0.01, 1.0)
    seed: int = whole(0, 0, 1_000_000)
    code: str = whose.code()
    fault: str = whose.fault()


def answer(question: Question, observatory: Observatory) -> Answer:
    """What the model would say after each layer, what raises one token, and how the next is chosen."""
    with observatory.models.opened(question.model, _fits) as used:
        model = used.model
        if not isinstance(model, GPT | BertForMaskedLM):
            raise InputError("these weights are a BERT without the head that fills in masks: its words have no scores.")
        tokens, skipped = _tokens(used, model, question.text)
        place = _place(question, used, tokens)
        first = _first(model, len(tokens), place)
        guesses, stream = read_stream(model, tokens, place, first)
        last = stream[-1] if place == len(tokens) - 1 else read_stream(model, tokens, -1, len(tokens) - 1)[1][-1]
        options = _options(question)
        chosen = choosing(stream[-1], **options)
        told, theirs = _theirs(question, observatory, stream[-1], options, chosen)
        order = np.argsort(-stream[-1], kind="stable")
        token = int(order[0]) if question.token < 0 else question.token
        if token >= len(order):
            raise InputError(f"there is no token {token}: the vocabulary has {len(order):,}.")
        pieces = used.pieces if isinstance(used, Writer) else used.tokenizer.pieces
        shown = order[:SHOWN]
        meta = {
            "kind": "gpt" if isinstance(model, GPT) else "bert",
            "tokens": pieces(tokens.tolist()),
            "skipped": skipped,
            "text": question.text or _text(used, tokens),
            "place": place,
            "first": first,
            "guesses": [pieces(row.tolist()) for row in guesses.tokens],
            "likely": list(zip(order[:LIKELY].tolist(), pieces(order[:LIKELY].tolist()), strict=True)),
            "ladder": [_rung(pieces, row, token) for row in stream],
            "token": token,
            "piece": pieces([token])[0],
            "shown": pieces(shown.tolist()),
            "cut": chosen.cut_by[shown].tolist(),
            "kept": int((chosen.after_top_p > 0).sum()),
            "vocabulary": len(order),
            "mass": {name: chosen.mass_cut(name) for name in ("top-k", "top-p")},
            "drawn": _drawn(used, question, last, len(tokens) + skipped),
            **told,
        }
        arrays = {
            "probabilities": guesses.probabilities,
            "plain": chosen.plain[shown],
            "final": chosen.after_top_p[shown],
        }
        if isinstance(model, GPT):
            made = contributions(model, tokens, place, np.array([token]))
            arrays |= {"heads": made.heads[:, :, 0], "mlps": made.mlps[:, 0]}
            parts = {"token": made.token, "position": made.position, "biases": made.biases, "logit": made.logits}
            meta["parts"] = {name: float(part[0]) for name, part in parts.items()}
            meta["cache"] = {**cache_cost(model.config, len(tokens))._asdict(), "block": model.config.block_size}
    wide = {name: array.astype(np.float32) for name, array in arrays.items()}
    return Answer(meta, {**wide, **{name: array[shown] for name, array in theirs.items()}})


def _tokens(used: Used, model: GPT | BertForMaskedLM, given: str) -> tuple[np.ndarray, int]:
    """The last tokens of the text that the model sees at once and the page shows, and how many come before them."""
    if isinstance(used, Filler):
        tokens = used.tokenizer.around(given or EXAMPLES[BertForMaskedLM])
        most = min(LONGEST, used.model.config.max_position_embeddings)
        if len(tokens) > most:
            raise InputError(f"the text has {len(tokens)} tokens, expected {most} at most: shorten it.")
        return np.array(tokens), 0
    assert isinstance(model, GPT)
    try:
        tokens = used.tokens(given or EXAMPLES[GPT])
    except InputError:
        if given:
            raise
        tokens = list(range(min(8, model.config.vocab_size)))  # its letters are others
    if not tokens:
        raise InputError("the text has no tokens, expected one at least.")
    most = min(LONGEST, model.config.block_size)
    return np.array(tokens[-most:]), max(0, len(tokens) - most)


def _text(used: Used, tokens: np.ndarray) -> str:
    return EXAMPLES[BertForMaskedLM] if isinstance(used, Filler) else "".join(used.pieces(tokens.tolist()))


def _place(question: Question, used: Used, tokens: np.ndarray) -> int:
    """The place that is asked for; by default the first mask of a BERT, else the last."""
    if question.place >= len(tokens):
        raise InputError(f"there is no place {question.place}: the text has {len(tokens)} tokens.")
    if question.place >= 0:
        return question.place
    masks = np.flatnonzero(tokens == used.tokenizer.mask) if isinstance(used, Filler) else []
    return int(masks[0]) if len(masks) else len(tokens) - 1


def _first(model: GPT | BertForMaskedLM, length: int, place: int) -> int:
    """The first place at which the whole stream is read: 0, but where that takes too long."""
    weights = model.lm_head.weight if isinstance(model, GPT) else model.bert.embeddings.word_embeddings.weight
    layers = len(model.transformer.h) if isinstance(model, GPT) else len(model.bert.encoder.layer)
    places = max(8, WORK // (weights.numel() * (layers + 1)))
    return min(place, max(0, length - places))


def _rung(pieces: Any, log_probabilities: np.ndarray, token: int) -> dict[str, Any]:
    """After one layer: the most likely token and its probability; the chosen token's, and its place among all."""
    best = int(log_probabilities.argmax())
    return {
        "best": pieces([best])[0],
        "p_best": float(np.exp(log_probabilities[best])),
        "p": float(np.exp(log_probabilities[token])),
        "rank": 1 + int((log_probabilities > log_probabilities[token]).sum()),
    }


def _options(question: Question) -> dict[str, Any]:
    """What is given to the function that chooses: only what cuts or changes something."""
    options: dict[str, Any] = {"temperature": question.temperature}
    if question.top_k:
        options["top_k"] = question.top_k
    if question.top_p < 1:
        options["top_p"] = question.top_p
    return options


def _drawn(used: Used, question: Question, log_probabilities: np.ndarray, length: int) -> str | None:
    """The token that is drawn after the text; of a BERT none, which fills in."""
    if isinstance(used, Filler):
        return None
    rng = np.random.default_rng([question.seed, length])
    final = choosing(log_probabilities, **_options(question)).after_top_p
    return used.pieces([int(sample(final[None], rng)[0])])[0]


def _theirs(
    question: Question, observatory: Observatory, logits: np.ndarray, options: dict[str, Any], chosen: Choosing
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The probabilities that the chosen code gives for the logits at the place."""
    if question.code == "reference":
        return whose.reference_only()
    exercise, case = exercise_named(EXERCISE), Case("this place", (logits,), options)
    made = whose.computed(observatory.bench, exercise, [case], question.code, question.fault)
    told = made.told(*exercise.outputs)
    if question.code == "mistake":
        told["visible"] = whose.visible(exercise, [case])
    given = made.stacked("probabilities", chosen.plain.shape)
    return told, {} if given is None else {"theirs": given}


def _also(question: Question, answer: Answer) -> list[Question]:
    """The other tokens whose scores can be looked at."""
    return [replace(question, token=token) for token, _ in answer.meta["likely"]]


def _fits(card: Card) -> bool:
    return card.build in (gpt, bert, bert_for_masked_lm)


EXPLORER = Explorer(
    question=Question,
    answer=answer,
    exercises=(EXERCISE,),
    related=("kv_cache", "layer_norm"),
    fits=_fits,
    trains="handmade train gpt",
    files=("models/gpt.py", "lens/guesses.py", "lens/logits.py", "text/sampling.py"),
    also=_also,
)
