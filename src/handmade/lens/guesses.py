"""The logit lens: what a Transformer would say if it stopped after each of its layers.

    nostalgebraist, "interpreting GPT: the logit lens" (2020).

Every layer adds to the same stream of vectors. What turns the last of them into scores of tokens (the final norm and
the unembedding of a GPT, the head of a BERT) can read the stream after any layer: a guess takes shape from row to row.

T tokens, D hidden size, V vocabulary size, L layers
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.drawing import new_figure, save
from handmade.lens.hooks import recording, undisturbed
from handmade.models.bert import BertForMaskedLM
from handmade.models.gpt import GPT
from handmade.nn import Module

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDEST = 24.0
"""Inches; of a longer text the end is drawn."""


class Stream(NamedTuple):
    """Where a model's stream can be read, from the embeddings to the last layer, and what turns it into logits."""

    places: list[str]
    unembed: Callable[[Tensor], Tensor]


class Guesses(NamedTuple):
    """After the embeddings and after each layer: the likeliest token at each place, and its probability."""

    tokens: Int64[np.ndarray, "L T"]
    probabilities: Float[np.ndarray, "L T"]


def stream_of(model: Module) -> Stream:
    """The stream of a GPT or of a BERT with its head. InputError for another model."""
    if isinstance(model, GPT):
        layers = [f"transformer.h.{layer}" for layer in range(len(model.transformer.h))]
        return Stream(["transformer.drop", *layers], lambda x: model.lm_head(model.transformer.ln_f(x)))
    if isinstance(model, BertForMaskedLM):
        layers = [f"bert.encoder.layer.{layer}" for layer in range(len(model.bert.encoder.layer))]
        return Stream(["bert.embeddings", *layers], model.cls)
    raise InputError(f"the logit lens reads a GPT, or a BERT with its head; {type(model).__name__} is neither.")


def logit_lens(model: Module, tokens: Int64[np.ndarray, "T"]) -> Guesses:
    """What the model would guess after the embeddings, and after each layer, at each place of a text.

    Raises InputError for a model without such a stream.
    """
    stream = stream_of(model)
    with undisturbed(model), no_grad():
        with recording(model, *stream.places) as outputs:
            model(Tensor(tokens[None]))
        probabilities = [stream.unembed(outputs[place][-1])[0].softmax(-1).array for place in stream.places]
    return Guesses(
        np.stack([layer.argmax(-1) for layer in probabilities]), np.stack([layer.max(-1) for layer in probabilities])
    )


def draw_logit_lens(
    path: Path,
    names: Sequence[Sequence[str]],
    probabilities: Float[np.ndarray, "L T"],
    read: Sequence[str],
    wanted: Sequence[str | None],
    title: str,
) -> None:
    """Draw a table of the guesses, the last layer on top, each cell coloured by the guess's probability.

    names: of the likeliest tokens. read: the tokens of the text, below. wanted: what really stands at the place that is
    guessed (the next token, for a GPT), above; None where nobody knows. Right guesses have a frame.
    """
    longest = max(len(name) for row in [*names, read, [name or "" for name in wanted]] for name in row)
    width = 0.17 + 0.078 * max(longest, 2)
    shown = min(len(read), int(WIDEST / width))
    first = len(read) - shown
    layers = len(probabilities)
    figure = new_figure(max(shown * width + 2.2, 6.0), 0.3 * layers + 2.0)
    cut = "" if shown == len(read) else f" (the last {shown} of {len(read)} tokens)"
    figure.suptitle(f"{title}{cut}", fontsize=12)
    axes = figure.subplots()
    drawn = axes.imshow(probabilities[:, first:], cmap="viridis", vmin=0, vmax=1, aspect="auto", origin="lower")
    for layer in range(layers):
        for column in range(shown):
            _write(axes, column, layer, names[layer][first + column], float(probabilities[layer, first + column]))
            if names[layer][first + column] == wanted[first + column]:
                _frame(axes, column, layer)
    names_below = {"family": "monospace", "fontsize": 8, "rotation": 0 if longest <= 8 else 45}
    axes.set_xticks(range(shown), read[first:], **names_below)
    axes.set_yticks(range(layers), ["embeddings", *(f"layer {layer}" for layer in range(layers - 1))], fontsize=8)
    axes.set_xlabel("the text", fontsize=9, color="0.3")
    above = axes.secondary_xaxis("top")
    above.set_xticks(range(shown), [name or "" for name in wanted[first:]], **names_below)
    above.set_xlabel("what it should say; where it does, there is a frame", fontsize=9, color="0.3")
    for drawn_axes in (axes, above):
        drawn_axes.tick_params(length=0)
        drawn_axes.spines[:].set_visible(False)
    bar = figure.colorbar(drawn, ax=axes, pad=0.015, aspect=14)
    bar.set_label("probability", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    save(figure, path)


def _write(axes: "Axes", column: int, row: int, name: str, probability: float) -> None:
    color = "white" if probability < 0.6 else "black"
    axes.text(column, row, name, ha="center", va="center", family="monospace", fontsize=8, color=color)


def _frame(axes: "Axes", column: int, row: int) -> None:
    from matplotlib.patches import Rectangle

    corner = (column - 0.47, row - 0.45)
    axes.add_patch(Rectangle(corner, 0.94, 0.9, fill=False, edgecolor="#D55E00", linewidth=1.6))
