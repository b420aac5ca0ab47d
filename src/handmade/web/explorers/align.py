"""The attention of a translating model: where each step of the decoder looks, its beam, and its n-grams."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handmade.errors import InputError
from handmade.lens.beams import Tree, beam_tree, searched_by
from handmade.lens.ngrams import marked_ngrams
from handmade.lens.token_loss import most_likely
from handmade.lens.translating import (
    Translation,
    additive_part,
    attending_with,
    attention_arguments,
    attention_of,
    method_of,
    translate,
)
from handmade.models.card import Card
from handmade.models.seq2seq import RecurrentSeq2Seq, seq2seq_attention
from handmade.tasks import Translator
from handmade.web import whose
from handmade.web.explorers import Explorer
from handmade.web.frames import Answer
from handmade.web.observatory import Observatory
from handmade.web.questions import choice, real, text, whole
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import exercise_named
from handmade.workshop.quiet import QUIET
from handmade.workshop.switches import switched

PARTS = ("align", "beam", "bleu")
EXERCISES = ("bahdanau", "self_attention", "beam_search", "bleu")

LONGEST, LONGEST_TARGET = 100, 64
"""Tokens of a source and of a target that are shown."""

BEYOND = 4
"""Steps that a search with a mistake may take beyond those of the greedy translation."""

SHOWN_NEXT = 5


@dataclass(frozen=True)
class Question:
    """The source; a target, for teacher forcing and as BLEU's reference; which part of the page is looked at.

    forced: 1 where the decoder reads the target, and not what it said. beam, alpha: of the search.
    """

    model: str = text("", longest=200)
    source: str = text("the meeting of the 8th of july 2025 at noon", longest=400)
    target: str = text("2025-07-08", longest=400)
    forced: int = whole(0, 0, 1)
    part: str = choice(*PARTS)
    beam: int = whole(3, 1, 6)
    alpha: float = real(0.6, 0.0, 4.0)
    code: str = whose.code()
    fault: str = whose.fault()


def answer(question: Question, observatory: Observatory) -> Answer:
    """What the decoder does, step by step; with the beam, or the n-grams, where they are looked at."""
    if not question.source.strip():
        raise InputError("the source is empty: there is nothing to translate.")
    if question.forced and not question.target.strip():
        raise InputError("teacher forcing reads the right translation: give one.")
    with observatory.models.opened(question.model, _fits) as used:
        model, tokenizer = _model(used), used.tokenizer
        source, target = tokenizer.source(question.source), tokenizer.target(question.target)
        for name, tokens, most in (("source", source, LONGEST), ("target", target, LONGEST_TARGET)):
            if len(tokens) > most:
                raise InputError(f"the {name} has {len(tokens)} tokens, expected {most} at most: shorten it.")
        longest = min(LONGEST_TARGET, 2 * len(source) + 10)
        made = translate(model, source, target if question.forced else None, longest)
        meta = _meta(question, used, source, target, made)
        if question.part == "beam":
            meta["tree"] = _tree(used, beam_tree(model, source, question.beam, question.alpha, longest))
        if question.part == "bleu" and question.target.strip() and meta["text"]:
            meta["bleu"] = _marked(used, meta["text"], question.target)
        told, theirs = _theirs(question, observatory, used, source, made, meta)
    arrays = {"weights": made.weights, "scores": made.scores, "asked": made.asked, "keys": made.keys}
    if made.v is not None:
        arrays["v"] = made.v
    return Answer({**meta, **told}, {**{n: a.astype(np.float32) for n, a in arrays.items()}, **theirs})


def _meta(
    question: Question, used: Translator, source: list[int], target: list[int], made: Translation
) -> dict[str, Any]:
    pieces = used.tokenizer.pieces
    likely = zip(*most_likely(made.log_probabilities, SHOWN_NEXT), strict=True)
    return {
        "tokens": pieces(source),
        "said": pieces(made.said),
        "read": ["", *pieces(made.read[1:])],  # the first step reads BOS
        "text": used.tokenizer.text(made.said),
        "unknown": used.tokenizer.unknown(question.source),
        "method": method_of(attention_of(_model(used))),
        "next": [list(zip(pieces(row.tolist()), map(float, p), strict=True)) for row, p in likely],
        "loss": float(made.losses(target).mean()) if question.forced else None,
    }


def _tree(used: Translator, tree: Tree) -> dict[str, Any]:
    pieces = used.tokenizer.pieces([node.token for node in tree.nodes])
    return {
        "nodes": [{**node._asdict(), "token": piece} for node, piece in zip(tree.nodes, pieces, strict=True)],
        "ended": [{"node": number, "text": used.tokenizer.text(tree.tokens(number))} for number in tree.ended],
    }


def _words(used: Translator, text: str) -> list[str]:
    """What BLEU counts: letters for a model of letters, words for one of words."""
    return ["␣" if letter == " " else letter for letter in text] if used.tokenizer.by_characters else text.split()


def _marked(used: Translator, written: str, reference: str) -> dict[str, Any]:
    hypothesis, right = _words(used, written), _words(used, reference.strip())
    marked = marked_ngrams(hypothesis, right)
    return {
        "hypothesis": hypothesis,
        "reference": right,
        "orders": [order._asdict() for order in marked.orders],
        "penalty": marked.brevity_penalty,
        "score": marked.score,
    }


def _theirs(
    question: Question,
    observatory: Observatory,
    used: Translator,
    source: list[int],
    made: Translation,
    meta: dict[str, Any],
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the chosen code gives: for every step's attention, or for BLEU."""
    if question.code == "reference":
        return whose.reference_only()
    exercise = exercise_named(_exercise(question.part, _model(used)))
    if question.part == "beam":
        return _searched(question, exercise, used, source, len(made.said) + BEYOND), {}
    if question.part == "bleu":
        if "bleu" not in meta:
            return whose.reference_only("BLEU compares what it writes with a right translation: give one.")
        cases = [Case("this translation", (meta["bleu"]["hypothesis"], [meta["bleu"]["reference"]]))]
    else:
        given = attention_arguments(attention_of(_model(used)), made.queries, made.memory, made.keys)
        cases = [Case("all steps", given)]
    computed = whose.computed(observatory.bench, exercise, cases, question.code, question.fault)
    told, given = computed.told(*exercise.outputs), computed.outputs[0]
    if question.code == "mistake":
        told["visible"] = whose.visible(exercise, cases)
        if question.part == "align":
            told["writes"] = _written_with_mistake(exercise, question.fault, used, source)
    if given is None:
        return told, {}
    if question.part == "bleu":
        score = float(given[exercise.outputs[0]])
        return {**told, "their_score": score if np.isfinite(score) else None}, {}
    return told, {"their_weights": given[exercise.outputs[1]]}


def _searched(
    question: Question, exercise: Exercise, used: Translator, source: list[int], longest: int
) -> dict[str, Any]:
    """What a search with the mistake finds. The learner's own runs where no model is, so it has none to search."""
    if question.code == "mine":
        problem = (
            "Your search runs apart from the model, which it would ask at every step: `handmade check beam_search`."
        )
        return whose.reference_only(problem)[0]
    if question.fault not in exercise.faults:
        raise InputError(f"{exercise.name} has no mistake {question.fault!r}.")
    told, (search,) = whose.reference_only()[0], exercise.functions
    asked = (_model(used), source, question.beam, question.alpha, longest)
    right = searched_by(search, *asked)
    try:
        with QUIET, switched(frozenset({question.fault})):
            found = searched_by(search, *asked)
    except (ValueError, IndexError) as error:
        return {**told, "problem": f"It raises {type(error).__name__}: {error}"}
    if found != right:
        told["problem"] = "It gives other hypotheses than the reference: they stand below the tree."
    return {**told, "found": [{"text": used.tokenizer.text(one.tokens), "score": one.score} for one in found]}


def _exercise(part: str, model: RecurrentSeq2Seq) -> str:
    """The exercise behind a part of the page; attention's depends on the score that the model compares by."""
    if part == "align":
        return "self_attention" if additive_part(attention_of(model)) is None else "bahdanau"
    return "beam_search" if part == "beam" else "bleu"


def _written_with_mistake(exercise: Exercise, fault: str, used: Translator, source: list[int]) -> str | None:
    """What the model writes where every step makes the mistake; None where it raises, or gives no numbers."""
    (function,) = exercise.functions
    model = _model(used)
    try:
        with QUIET, np.errstate(all="ignore"), switched(frozenset({fault})), attending_with(model, function):
            made = translate(model, source, longest=min(LONGEST_TARGET, 2 * len(source) + 10))
    except ValueError:
        return None
    return used.tokenizer.text(made.said) if np.isfinite(made.log_probabilities).all() else None


def _model(used: Translator) -> RecurrentSeq2Seq:
    assert isinstance(used.model, RecurrentSeq2Seq)  # `_fits` has made sure
    return used.model


def _also(question: Question, answer: Answer) -> list[Question]:
    """The other parts of the page."""
    return [replace(question, part=part) for part in PARTS]


def _fits(card: Card) -> bool:
    return card.build is seq2seq_attention


EXPLORER = Explorer(
    question=Question,
    answer=answer,
    exercises=EXERCISES,
    fits=_fits,
    trains="handmade train seq2seq-attention",
    files=("models/seq2seq.py", "text/decoding.py", "text/bleu.py", "lens/translating.py"),
    also=_also,
)
