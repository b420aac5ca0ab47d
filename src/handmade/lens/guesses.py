"""The logit lens: what a Transformer would say if it stopped after each of its layers.

    nostalgebraist, "interpreting GPT: the logit lens" (2020).

Every layer adds to the same stream of vectors. What turns the last of them into scores of tokens (the final norm and
the unembedding of a GPT, the head of a BERT) can read the stream after any layer: a guess takes shape from row to row.

T tokens, D hidden size, V vocabulary size, L layers
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from handmade import draw
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.hooks import recording, undisturbed
from handmade.lens.token_loss import log_probabilities
from handmade.models.bert import BertForMaskedLM
from handmade.models.gpt import GPT
from handmade.nn import Module


class Stream(NamedTuple):
    """Where a model's stream can be read, from the embeddings to the last layer, and what turns it into logits."""

    places: list[str]
    unembed: Callable[[Tensor], Tensor]


class Guesses(NamedTuple):
    """After the embeddings and after each layer: the most likely token at each place, and its probability."""

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
    return read_stream(model, tokens)[0]


def read_stream(
    model: Module, tokens: Int64[np.ndarray, "T"], place: int = -1, first: int = 0
) -> tuple[Guesses, Float[np.ndarray, "L V"]]:
    """The guesses from place `first` on, and at `place` the log-probabilities of all tokens after each layer, in nats.

    Raises InputError for a model without such a stream.
    """
    stream = stream_of(model)
    with undisturbed(model), no_grad():
        with recording(model, *stream.places) as outputs:
            model(Tensor(tokens[None]))
        states = [outputs[name][-1] for name in stream.places]  # 1 T D each
        probabilities = [stream.unembed(state[:, first:])[0].softmax(-1).array for state in states]
        at_place = [log_probabilities(stream.unembed(state[:, [place]])[0, 0]) for state in states]
    likely = np.stack([layer.argmax(-1) for layer in probabilities])
    return Guesses(likely, np.stack([layer.max(-1) for layer in probabilities])), np.stack(at_place)


def draw_logit_lens(
    path: Path,
    names: Sequence[Sequence[str]],
    probabilities: Float[np.ndarray, "L T"],
    read: Sequence[str],
    wanted: Sequence[str | None],
    title: str,
) -> None:
    """Draw a table of the guesses to `path`, the last layer on top, each cell coloured by the guess's probability.

    names: the most likely tokens. read: the tokens of the text, below. wanted: the true token at each guessed place
    (for a GPT, the next one), above; None if unknown. Right guesses have a frame.
    """
    draw.guesses(names, probabilities, read, wanted, title).save(path)
