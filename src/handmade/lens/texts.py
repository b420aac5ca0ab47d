"""A text as a model with attention reads it: what looks at what, what it says at each place, and how it is scored.

    Vaswani et al., "Attention Is All You Need" (2017), section 3.2.3: the three places where a Transformer attends.

T tokens, V vocabulary size
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.lens.heads import (
    Ablated,
    Attended,
    Place,
    ablations,
    head_counts,
    mean_loss,
    read_attention,
    without_each_head,
)
from handmade.lens.token_loss import log_probabilities, losses_of
from handmade.models.bert import BertForMaskedLM
from handmade.models.gpt import GPT
from handmade.models.transformer import Transformer
from handmade.nn import Module
from handmade.tasks import Encoder, Filler, Translator, Use, Writer

Losses = Callable[[Any], Float[np.ndarray, "rows"]]
"""The loss of each row of a batch, by the model's output."""


class Part(NamedTuple):
    """Where heads look: those of text number `looks` at those of text number `at`; causal: at none that come later."""

    name: str
    looks: int
    at: int
    causal: bool


class Looked(NamedTuple):
    """layers: what the heads of each part did. log_probabilities: of each token of the vocabulary at each place where
    the model says something, (T, V). loss: the mean of a token, in nats; None where there is none."""

    layers: list[Attended]
    log_probabilities: Float[np.ndarray, "T V"]
    loss: float | None


@dataclass(frozen=True)
class TextRead:
    """A text before a model, and all that is needed to ask what its heads do with it.

    texts: the tokens of the text, of a translator those of the source and of its translation. parts: in the order of
        `attentions`. inputs: what the model is given.
    says: the number of the text at whose tokens the model says something; None for a model that says nothing.
    right: what would be right at each of these, "" where nothing is.
    scored: a batch, with the loss of each row by the output; None where there is no loss.
    """

    model: Module
    texts: tuple[list[str], ...]
    parts: tuple[Part, ...]
    inputs: tuple[Tensor, ...]
    says: int | None
    right: list[str]
    scored: tuple[tuple[Tensor, ...], Losses] | None
    pieces: Callable[[Sequence[int]], list[str]]

    def attention(self, sharpness: float = 1.0, off: Collection[Place] = (), loss: bool = True) -> "Looked":
        """What the heads do, and what the model says with that. loss: whether to take it where it costs more runs."""
        layers, output = read_attention(self.model, *self.inputs, sharpness=sharpness, off=off)
        said = np.empty((0, 0)) if self.says is None else log_probabilities(_logits(output))[0]
        if self.scored is None:
            return Looked(layers, said, None)
        inputs, losses = self.scored
        if inputs is self.inputs:
            return Looked(layers, said, float(losses(output).mean()))
        more = mean_loss(self.model, *inputs, losses=losses, sharpness=sharpness, off=off) if loss else None
        return Looked(layers, said, more)

    def without(self, sharpness: float = 1.0, off: Collection[Place] = ()) -> Float[np.ndarray, "L H"] | None:
        """The mean loss without each head."""
        if self.scored is None:
            return None
        inputs, losses = self.scored
        return np.stack(without_each_head(self.model, *inputs, losses=losses, sharpness=sharpness, off=off))

    def loss(self, sharpness: float = 1.0, off: Collection[Place] = ()) -> float:
        """The mean loss of a token, in nats. InputError where there is none."""
        inputs, losses = self._scored()
        return mean_loss(self.model, *inputs, losses=losses, sharpness=sharpness, off=off)

    def ablations(self, sharpness: float, off: Collection[Place], at_once: int) -> Iterator[Ablated]:
        """`without`, a few heads after another; see there. InputError where there is no loss."""
        inputs, losses = self._scored()
        return ablations(self.model, *inputs, losses=losses, sharpness=sharpness, off=off, at_once=at_once)

    def _scored(self) -> tuple[tuple[Tensor, ...], Losses]:
        if self.scored is None:
            raise InputError("the model says nothing of this text that could be right or wrong: it has no loss.")
        return self.scored

    @property
    def work(self) -> int:
        """About how many products `without` takes: parameters x tokens x heads."""
        tokens = sum(x.numel() for x in self.scored[0]) if self.scored else 0
        return sum(parameter.numel() for parameter in self.model.parameters()) * tokens * sum(self.heads)

    @property
    def heads(self) -> list[int]:
        """How many heads each part has."""
        return head_counts(self.model)


def text_read(used: Use, text: str, most: int) -> TextRead:
    """The first `most` tokens of a text, at the most, as the model reads them.

    A translator is given what it makes of the text. InputError for a model without such heads, for an empty text, and
    for tokens that it does not know.
    """
    if not text.strip():
        raise InputError("the text is empty: give a few words for the model to read.")
    if isinstance(used, Writer) and isinstance(used.model, GPT):
        return _of_writer(used, used.model, text, most)
    if isinstance(used, Filler | Encoder):
        return _of_bert(used, text, most)
    if isinstance(used, Translator) and isinstance(used.model, Transformer):
        return _of_translator(used, used.model, text, most)
    raise InputError(f"{used.name} has no heads that look at a text.")


def _of_writer(used: Writer, model: GPT, text: str, most: int) -> TextRead:
    tokens = np.array(used.tokens(text)[: min(most, model.config.block_size)])
    if len(tokens) < 2:
        raise InputError(f"the text has {len(tokens)} tokens, expected two at least: what follows the first?")
    pieces, inputs = used.pieces(tokens.tolist()), (Tensor(tokens[None]),)
    parts = tuple(Part(str(layer), 0, 0, True) for layer in range(model.config.n_layer))
    losses = lambda output: losses_of(log_probabilities(_logits(output)), tokens[1:]).mean(-1)
    return TextRead(model, (pieces,), parts, inputs, 0, [*pieces[1:], ""], (inputs, losses), used.pieces)


def _of_bert(used: Filler | Encoder, text: str, most: int) -> TextRead:
    """Where the model fills in masks, each token but [CLS] and [SEP] is hidden in turn, and its loss is taken there."""
    model, tokens = used.model, used.tokenizer.around(text)
    end, most = tokens[-1], min(most, model.config.max_position_embeddings)
    tokens = np.array(tokens if len(tokens) <= most else [*tokens[: most - 1], end])
    pieces = used.tokenizer.pieces(tokens.tolist())
    parts = tuple(Part(str(layer), 0, 0, False) for layer in range(model.config.num_hidden_layers))
    inputs = (Tensor(tokens[None]),)
    if not isinstance(model, BertForMaskedLM):
        return TextRead(model, (pieces,), parts, inputs, None, [], None, used.tokenizer.pieces)
    mask = used.tokenizer.mask
    places = 1 + np.flatnonzero(tokens[1:-1] != mask)
    hidden, rows = np.tile(tokens, (len(places), 1)), np.arange(len(places))
    hidden[rows, places] = mask

    def losses(logits: Tensor) -> np.ndarray:
        again = len(logits.array) // len(places)
        at = np.tile(places, again)
        return -log_probabilities(logits)[np.arange(len(at)), at, tokens[at]]

    right = ["" if token == mask else piece for token, piece in zip(tokens, pieces, strict=True)]
    scored = ((Tensor(hidden),), losses) if len(places) else None
    return TextRead(model, (pieces,), parts, inputs, 0, right, scored, used.tokenizer.pieces)


def _of_translator(used: Translator, model: Transformer, text: str, most: int) -> TextRead:
    tokenizer, made = used.tokenizer, used.translate(text)
    source, target = (np.array(side[:most]) for side in (tokenizer.source(text), tokenizer.target(made)))
    read, written = tokenizer.pieces(source.tolist()), tokenizer.pieces(target.tolist())
    inputs = (Tensor(source[None]), Tensor(target[None, :-1]))
    parts = [Part(f"encoder {layer}", 0, 0, False) for layer in range(model.encoder.num_layers)]
    for layer in range(model.decoder.num_layers):
        parts += [Part(f"decoder {layer}", 1, 1, True), Part(f"cross {layer}", 1, 0, False)]
    losses = lambda output: losses_of(log_probabilities(output), target[1:]).mean(-1)
    return TextRead(
        model, (read, written[:-1]), tuple(parts), inputs, 1, written[1:], (inputs, losses), tokenizer.pieces
    )


def _logits(output: Any) -> Tensor:
    return output[0] if isinstance(output, tuple) else output
