"""How far the gradient reaches: through layers, plain and residual, and through the steps of recurrent networks."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handmade.lens.gradient_flow import bound, spectral_radius
from handmade.lens.reach import (
    HIDDEN,
    WIDTH,
    Recurrent,
    gradients_by_layer,
    gradients_by_step,
    rate,
)
from handmade.nn import RNN
from handmade.web import whose
from handmade.web.explorers import Explorer
from handmade.web.frames import Answer
from handmade.web.observatory import Observatory
from handmade.web.questions import choice, real, whole
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercises import exercise_named

SPREAD = "1000 times the standard deviation"
"""What the exercise of initialisation says of the weights that it draws."""

CHANGED = 0.05
"""From here on, relative, another standard deviation is one: what chance does to a sample of the exercise is less."""


@dataclass(frozen=True)
class Question:
    """what: layers of a deep network, or steps of a recurrent one. The other fields are their settings.

    cell: the recurrent network whose backward pass the chosen code computes.
    """

    what: str = choice("layers", "steps")
    depth: int = whole(20, 2, 60)
    scale: float = real(0.7, 0.1, 2.0)
    norm: int = whole(0, 0, 1)
    steps: int = whole(40, 5, 60)
    radius: float = real(0.9, 0.1, 2.0)
    keeping: float = real(0.0, -4.0, 8.0)
    cell: str = choice("rnn", "lstm")
    code: str = whose.code()
    fault: str = whose.fault()


def answer(question: Question, observatory: Observatory) -> Answer:
    """The norms by layer or by step, and what the chosen code makes of them."""
    meta, curves = (_layers if question.what == "layers" else _steps)(question, observatory)
    rates = {name: rate(curve) for name, curve in curves.items()}
    return Answer({"what": question.what, "rates": rates, **meta}, curves)


def _layers(question: Question, observatory: Observatory) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    curves = _deep(question, question.scale)
    if question.code == "reference":
        told, _ = whose.reference_only()
        return {"width": WIDTH, **told}, curves
    exercise = exercise_named("scaled_init")
    case = Case("a layer", ((WIDTH, WIDTH * 8),), extra={"seed": 0})
    made = whose.computed(observatory.bench, exercise, [case], question.code, question.fault)
    told = made.told(SPREAD)
    if question.code == "mistake":
        told["visible"] = [fault for fault in exercise.faults if _spread(exercise, case, fault) is not None]
    given = made.outputs[0]
    if given is not None:
        ratio = float(given[SPREAD] / made.right[0][SPREAD])
        told["ratio"] = ratio if np.isfinite(ratio) else None
        if 0 < ratio < np.inf:
            theirs = _deep(question, question.scale * ratio)
            curves |= {f"their_{name}": curve for name, curve in theirs.items()}
    return {"width": WIDTH, **told}, curves


def _deep(question: Question, scale: float) -> dict[str, np.ndarray]:
    with np.errstate(all="ignore"):
        return {
            name: gradients_by_layer(question.depth, scale, bool(question.norm), name == "residual")
            for name in ("plain", "residual")
        }


def _spread(exercise: Any, case: Case, fault: str) -> float | None:
    """What a mistake multiplies the standard deviation by; None where it leaves it."""
    with whose.QUIET:
        (right,), (wrong,) = exercise.run([case]), exercise.run([case], frozenset({fault}))
    if wrong.outputs is None:
        return None
    ratio = wrong.outputs[SPREAD] / right.outputs[SPREAD]
    return ratio if abs(ratio - 1) > CHANGED else None


def _steps(question: Question, observatory: Observatory) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    kinds: dict[str, Recurrent] = {
        kind: gradients_by_step(kind, question.steps, question.radius, question.keeping)
        for kind in ("rnn", "lstm", "gru")
    }
    rnn = kinds["rnn"].layer
    assert isinstance(rnn, RNN)
    curves = {name: kind.norms["h"].astype(np.float64) for name, kind in kinds.items()}
    curves |= {"cell": kinds["lstm"].norms["c"].astype(np.float64)[:-1]}  # dh_T / dc_T is no part of the chain
    curves |= {"bound": bound(rnn, question.steps)}
    told, theirs = _theirs(question, observatory, kinds[question.cell])
    return {"width": HIDDEN, "radius": spectral_radius(rnn), **told}, {**curves, **theirs}


def _theirs(
    question: Question, observatory: Observatory, made: Recurrent
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The gradient of a loss at the last step, as it reaches each step, by the exercise's backward pass.

    Of the RNN that of the inputs, of the whole sequence at once. Of the LSTM that of the state before each step, where
    each step is given what the reference carried back to it.
    """
    if question.code == "reference":
        return whose.reference_only()
    exercise = exercise_named(f"{question.cell}_backward")
    cases = _sequence(made) if question.cell == "rnn" else _one_by_one(made, exercise)
    shown = "dx" if question.cell == "rnn" else "dh0"
    given = whose.computed(observatory.bench, exercise, cases, question.code, question.fault)
    told = given.told(shown)
    if question.code == "mistake":
        told["visible"] = whose.visible(exercise, cases, shown)
    right = _by_step(given.right, shown)
    curves = {"right": right / right[-1]}
    if None not in given.outputs:
        theirs = _by_step([one for one in given.outputs if one is not None], shown)
        curves["theirs"] = theirs / right[-1]
    return told, curves


def _by_step(results: Any, name: str) -> np.ndarray:
    """The norm at each step: of one result for the whole sequence, or of one for each step."""
    if len(results) == 1:
        return np.linalg.norm(results[0][name][0].astype(np.float64), axis=-1)
    return np.array([np.linalg.norm(result[name].astype(np.float64)) for result in results])


def _weights(made: Recurrent) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wx, Wh and b as the exercises have them."""
    state = {name: tensor.array.astype(np.float64) for name, tensor in made.layer.state_dict().items()}
    return state["weight_ih_l0"].T, state["weight_hh_l0"].T, state["bias_ih_l0"] + state["bias_hh_l0"]


def _sequence(made: Recurrent) -> list[Case]:
    """Backpropagation through the whole sequence, of a loss that pulls the last state in a random direction."""
    x = made.x.array.swapaxes(0, 1).astype(np.float64)
    outside = np.zeros((1, x.shape[1], HIDDEN))
    outside[0, -1] = np.random.default_rng(1).standard_normal(HIDDEN)
    return [Case("the sequence", (x, np.zeros((1, HIDDEN)), *_weights(made)), extra={"gradients": (outside,)})]


def _one_by_one(made: Recurrent, exercise: Any) -> list[Case]:
    """A case for each step: forward along the sequence, then backward with what the reference carries back."""
    weights, none = _weights(made), np.zeros((1, HIDDEN))
    h, c, inputs = none, none, []
    for x in made.x.array.astype(np.float64):
        inputs.append((x, h, c, *weights))
        (result,) = exercise.run([Case("", inputs[-1], extra={"gradients": (none, none)})])
        h, c = result.outputs["h"], result.outputs["c"]
    dh, dc = np.random.default_rng(1).standard_normal((1, HIDDEN)), none
    cases = []
    for step, given in reversed(list(enumerate(inputs))):
        cases.append(Case(f"step {step}", given, extra={"gradients": (dh, dc)}))
        (result,) = exercise.run(cases[-1:])
        dh, dc = result.outputs["dh0"], result.outputs["dc0"]
    return cases[::-1]


def _also(question: Question, answer: Answer) -> list[Question]:
    """The other kind of network, and both with and without norm."""
    return [replace(question, what=what, norm=norm) for what in ("layers", "steps") for norm in (0, 1)]


EXPLORER = Explorer(
    question=Question,
    answer=answer,
    exercises=("scaled_init", "rnn_backward", "lstm_backward"),
    files=(
        "lens/reach.py",
        "lens/gradient_flow.py",
        "models/resnet.py",
        "kernels/recurrent.py",
    ),
    also=_also,
)
