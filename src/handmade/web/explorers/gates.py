"""The gates of an LSTM or a GRU while it reads a text: one strip a unit, and what it writes when a gate is held."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handmade.errors import InputError
from handmade.lens.gates import (
    Held,
    Layer,
    Reading,
    following,
    layers_of,
    loss_with_step,
    patterns,
    read_gates,
    write_on,
)
from handmade.lens.token_loss import most_likely
from handmade.models.card import Card
from handmade.models.char_lm import RecurrentLM, char_gru, char_lstm
from handmade.tasks import Writer
from handmade.web import whose
from handmade.web.explorers import Explorer
from handmade.web.frames import Answer
from handmade.web.observatory import Observatory
from handmade.web.questions import choice, named_numbers, text, whole
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import exercise_named
from handmade.workshop.quiet import QUIET
from handmade.workshop.switches import switched

EXERCISE_OF = {"lstm": "lstm_step", "gru": "gru_step"}

GATES = {"lstm": ("i", "f", "o"), "gru": ("r", "z")}
"""The signals that are gates: between 0 and 1, closed and open."""

EXAMPLES = (
    "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n",
    "emma\nolivia\nnoah\n",
)
"""What is read when no text is given: the first that the model knows all letters of."""

LONGEST = 128
"""Tokens of a text that are shown."""

LARGEST = 4_000_000
"""Numbers of a layer's weights up to which other code computes in it."""

SHOWN_NEXT = 5

Function = Callable[..., Any]


@dataclass(frozen=True)
class Question:
    """The text ("" for an example), the layer, the signal whose strips are shown, and the unit that is looked at.

    sort: the pattern that the first units follow most closely; "" for the first that the text has, "number" for none.
    unit: -1 for the first. hold: signals that are held, as {"0.f.12": 0.0}: layer, signal and unit, or * for all.
    write: how many tokens it writes then, drawn from `seed`. code, fault: whose code computes.
    """

    model: str = text("", longest=200)
    sort: str = text("", longest=40)
    text: str = text("")
    layer: int = whole(0, 0, 63)
    signal: str = choice("", "i", "f", "g", "o", "c", "r", "z", "n", "h")
    unit: int = whole(-1, -1, 65_535)
    hold: Mapping[str, float] = named_numbers(-100, 100, most=16)
    write: int = whole(0, 0, 200)
    seed: int = whole(0, 0, 1_000_000)
    code: str = whose.code()
    fault: str = whose.fault()


def answer(question: Question, observatory: Observatory) -> Answer:
    """What the gates do while the model reads the text; or, where it shall write, what it writes, free and held."""
    held = [_held(name, value) for name, value in question.hold.items()]
    with observatory.models.opened(question.model, _fits) as used:
        model = _model(used)
        tokens = _tokens(used, question.text)
        if question.write:
            return Answer(
                {"written": _written(used, tokens, question, []), "with": _written(used, tokens, question, held)}
            )
        read = read_gates(model, tokens, question.layer, held)
        free = read_gates(model, tokens, question.layer) if held else read
        told, theirs = _theirs(question, observatory, model, tokens, read)
        return _answer(question, used, tokens, read, free, told, theirs)


def _tokens(used: Writer, text: str) -> np.ndarray:
    """The first tokens of the text, or of an example."""
    if text:
        tokens = used.tokens(text)
        if len(tokens) < 2:
            raise InputError(f"the text has {len(tokens)} tokens, expected two at least: what follows the first?")
        return np.array(tokens[:LONGEST])
    for example in EXAMPLES:
        try:
            return np.array(used.tokens(example)[:LONGEST])
        except InputError:
            continue
    return np.arange(min(len(used.tokenizer.vocabulary), 32))


def _held(name: str, value: float) -> Held:
    layer, signal, unit, *rest = (*name.split("."), "", "", "")
    if any(rest) or not layer.isdecimal() or not (unit.isdecimal() or unit == "*"):
        raise InputError(f"{name[:40]!r} holds nothing: expected a layer, a signal and a unit or *, as '0.f.12'.")
    return Held(int(layer), signal, None if unit == "*" else int(unit), value)


def _written(used: Writer, tokens: np.ndarray, question: Question, held: list[Held]) -> str:
    rng = np.random.default_rng(question.seed)
    return "".join(used.pieces(write_on(_model(used), tokens, question.write, rng, held, temperature=0.7)))


def _answer(
    question: Question,
    used: Writer,
    tokens: np.ndarray,
    read: Reading,
    free: Reading,
    told: dict[str, Any],
    theirs: dict[str, np.ndarray],
) -> Answer:
    kind, layers, pieces = _kind(_model(used)), layers_of(_model(used)), used.pieces(tokens.tolist())
    names, units = tuple(read.signals), layers[question.layer].hidden_size
    signal = question.signal or {"lstm": "f", "gru": "z"}[kind]
    if signal not in names:
        raise InputError(f"there is no signal {signal!r} in this network: there are {', '.join(names)}.")
    if question.unit >= units:
        raise InputError(f"there is no unit {question.unit} in layer {question.layer}: there are {units}.")
    found, values = patterns(pieces), read.signals[signal]
    sort = question.sort or next(iter(found), "number")
    follows = following(values, found[sort]) if sort in found else np.zeros(units)
    first = np.argsort(-np.abs(follows), kind="stable")
    unit = int(first[0]) if question.unit < 0 else question.unit
    likely = zip(*most_likely(read.log_probabilities, SHOWN_NEXT), strict=True)
    meta = {
        "tokens": pieces,
        "kind": kind,
        "layers": len(layers),
        "units": units,
        "signals": list(names),
        "gates": list(GATES[kind]),
        "signal": signal,
        "unit": unit,
        "sort": sort if sort in found else "number",
        "patterns": list(found),
        "loss": float(read.losses(tokens).mean()),
        "loss_free": float(free.losses(tokens).mean()),
        "next": [list(zip(used.pieces(row.tolist()), map(float, p), strict=True)) for row, p in likely],
        **told,
    }
    G = read.from_x.shape[1] // units
    products = [part.reshape(len(tokens), G, units)[:, :, unit] for part in (read.from_x, read.from_h)]
    arrays = {
        "shown": values.astype(np.float16),
        "unit": np.stack([read.signals[name][:, unit] for name in names]),
        "means": np.stack([read.signals[name].mean(1) for name in names]),
        "usual": np.array([read.signals[name].mean() for name in names]),
        "follows": follows,
        "from_x": products[0],
        "from_h": products[1],
        **theirs,
    }
    wide = {name: array if name == "shown" else array.astype(np.float32) for name, array in arrays.items()}
    return Answer(meta, {**wide, "order": first.astype(np.int32)})


def _model(used: Writer) -> RecurrentLM:
    assert isinstance(used.model, RecurrentLM)  # `_fits` has made sure
    return used.model


def _kind(model: RecurrentLM) -> str:
    return type(model.network).__name__.lower()


def _theirs(
    question: Question, observatory: Observatory, model: RecurrentLM, tokens: np.ndarray, read: Reading
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the chosen code gives for every step of the layer, each from the state that the reference was in."""
    exercise, layer = exercise_named(EXERCISE_OF[_kind(model)]), layers_of(model)[question.layer]
    if question.code == "reference":
        return whose.reference_only()
    if question.hold:
        return whose.reference_only("The exercise's step holds no gate: let all go.")
    if layer.weight_ih.size + layer.weight_hh.size > LARGEST:
        return whose.reference_only(f"The layer has more than {LARGEST:,} weights: too many to hand over.")
    given = layer.arguments(read.inputs, *(read.before(name) for name in layer.states))
    case = Case("the text", given)
    made = whose.computed(observatory.bench, exercise, [case], question.code, question.fault)
    told = made.told(*exercise.outputs)
    if question.code == "mistake":
        states = len(layer.states) + 1  # x beside them: the last step alone, which begins from a state that is not zero
        told["visible"] = whose.visible(exercise, [Case("", (*(a[-1:] for a in given[:states]), *given[states:]))])
        told["loss_with"] = _loss_with_mistake(exercise, question.fault, layer, model, tokens)
    outputs = made.outputs[0] or {}
    return told, {f"their_{name}": values for name, values in outputs.items() if name in exercise.outputs}


def _loss_with_mistake(
    exercise: Exercise, fault: str, layer: Layer, model: RecurrentLM, tokens: np.ndarray
) -> float | None:
    """The model's loss where every step of every layer makes the mistake; None where it raises, or gives no number."""
    function: Function = exercise.functions[0]
    step = function if layer.is_lstm else lambda *given: (function(*given),)
    try:
        with QUIET, np.errstate(all="ignore"), switched(frozenset({fault})):
            loss = loss_with_step(model, tokens, step)
    except ValueError:
        return None
    return loss if np.isfinite(loss) else None


def _also(question: Question, answer: Answer) -> list[Question]:
    """The other signals of the unit that is shown."""
    return [replace(question, signal=signal) for signal in answer.meta.get("signals", ())]


def _fits(card: Card) -> bool:
    return card.build in (char_lstm, char_gru)


EXPLORER = Explorer(
    question=Question,
    answer=answer,
    exercises=tuple(EXERCISE_OF.values()),
    fits=_fits,
    trains="handmade train char-lstm",
    files=("models/char_lm.py", "nn/cells.py", "lens/gates.py"),
    also=_also,
)
