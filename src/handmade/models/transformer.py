"""The Transformer: one sequence into another by attention alone, without recurrence or convolution.

    Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser & Polosukhin, "Attention Is All You Need" (2017).

    source B S                                   target B T
       | embedding * sqrt(E) + positions            | embedding * sqrt(E) + positions
       v                                            v
    N times: self-attention                      N times: self-attention to the past
             feed-forward                                 attention to the memory  <---+
       |                                                  feed-forward                 |
       +----> memory B S E ------------------------------------------------------------+
                                                    |
                                                    v  times the embedding, transposed
                                                 logits B T V

    A layer computes all tokens at once; a mask hides the future from the target. For one token at a time, `step`
    caches the keys and values of the tokens before, so that the next token costs O(T), not O(T^2).

The layers are in nn/transformer.py, with the decoder's forward and step next to each other.

Differences:
- Embeddings are initialised normally with variance 1/E, and all other matrices after Glorot & Bengio (2010), as in the
  authors' program; the paper does not say.
- Dropout also acts on attention weights and on the hidden layer of the feed-forward part, as in that program.
- The small configuration is pre-norm (Xiong et al. 2020), with one more norm after each stack, and trains without a
  long warm-up; base and big are post-norm, as in the paper.
- Sines are in the even columns and cosines in the odd, as in the paper; the authors' program has them in two halves.

B batch, S source and T target tokens, E d_model, H heads of d numbers, V vocabulary, N layers, R rows
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

import handmade.nn.functional as F
from handmade.engine import Tensor, no_grad
from handmade.models.card import Card, Cost
from handmade.models.sequence_to_sequence import PAD, SequenceToSequence
from handmade.nn import (
    Dropout,
    Embedding,
    LayerNorm,
    SinusoidalPositions,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
    init,
)
from handmade.nn.attention import KeyValue


class State(NamedTuple):
    """The state between calls of `step`.

    memory: keys and values of the source for each decoder layer, (B, H, S, d).
    visible: (B, 1, 1, S), True where the source is not padding.
    past: keys and values of the target so far for each layer, (B, H, T, d); None before the first token.
    """

    memory: tuple[KeyValue, ...]
    visible: Bool[Tensor, "B 1 1 S"]
    past: tuple[KeyValue, ...] | None


class Transformer(SequenceToSequence):
    """One table of vectors serves the source, the target and the logits (section 3.4): they share a vocabulary.

    With `source_vocab_size` the source has a vocabulary and a table of its own, and two are shared.
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int = 512,
        num_heads: int = 8,
        num_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        norm_first: bool = False,
        source_vocab_size: int | None = None,
    ) -> None:
        super().__init__()
        self.d_model = d_model
        self.target_embedding = Embedding(vocab_size, d_model)
        self.source_embedding = (
            self.target_embedding if source_vocab_size is None else Embedding(source_vocab_size, d_model)
        )
        self.positions = SinusoidalPositions(d_model)
        self.dropout = Dropout(dropout)
        options: dict[str, Any] = {"batch_first": True, "norm_first": norm_first}
        encoder_layer = TransformerEncoderLayer(d_model, num_heads, dim_feedforward, dropout, **options)
        decoder_layer = TransformerDecoderLayer(d_model, num_heads, dim_feedforward, dropout, **options)
        final = lambda: LayerNorm(d_model) if norm_first else None
        self.encoder = TransformerEncoder(encoder_layer, num_layers, final())
        self.decoder = TransformerDecoder(decoder_layer, num_layers, final())
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise the weights of each layer."""
        for name, parameter in self.named_parameters():
            if name.endswith("embedding.weight"):
                init.normal_(parameter, std=self.d_model**-0.5)
            elif parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(self, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        padding = source == PAD
        memory = self._memory(source, padding)
        x = self._embed(self.target_embedding, target)
        x = self.decoder(x, memory, memory_key_padding_mask=padding, tgt_is_causal=True)
        return self._logits(x)

    def _memory(self, source: Int[Tensor, "B S"], padding: Bool[Tensor, "B S"]) -> Float[Tensor, "B S E"]:
        return self.encoder(self._embed(self.source_embedding, source), src_key_padding_mask=padding)

    def _embed(self, table: Embedding, tokens: Int[Tensor, "B T"], start: int = 0) -> Float[Tensor, "B T E"]:
        return self.dropout(self.positions(table(tokens) * math.sqrt(self.d_model), start))

    def _logits(self, x: Float[Tensor, "B T E"]) -> Float[Tensor, "B T V"]:
        return F.linear(x, self.target_embedding.weight)

    # --- one token after another --------------------------------------------------------------------------------------

    @no_grad()
    def encode(self, source: Int[Tensor, "B S"]) -> State:
        padding = source == PAD
        memory = self._memory(source, padding)
        keys_and_values = tuple(layer.multihead_attn.keys_and_values(memory, memory) for layer in self.decoder.layers)
        return State(keys_and_values, (~padding)[:, None, None], None)

    @no_grad()
    def step(self, tokens: Int[np.ndarray, "R time"], state: State) -> tuple[Float[np.ndarray, "R V"], State]:
        logits = None
        for token in tokens.T:
            logits, state = self._next(Tensor(token[:, None]), state)
        assert logits is not None, "step: there are no tokens"
        return logits.log_softmax(-1).array[:, 0], state

    def _next(self, token: Int[Tensor, "R 1"], state: State) -> tuple[Float[Tensor, "R 1 V"], State]:
        start = state.past[0][0].shape[2] if state.past else 0
        x = self._embed(self.target_embedding, token, start)  # R 1 E
        past = []
        for number, layer in enumerate(self.decoder.layers):
            before = state.past[number] if state.past else None
            x, kept = layer.step(x, before, state.memory[number], state.visible)
            past.append(kept)
        x = x if self.decoder.norm is None else self.decoder.norm(x)
        return self._logits(x), state._replace(past=tuple(past))

    @no_grad()
    def alignment(self, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> Float[np.ndarray, "B T S"]:
        """The mean over the heads of all decoder layers of their attention to the memory."""
        with F.recorded_attention() as weights:
            self(source, target)
        to_memory = weights[self.encoder.num_layers + 1 :: 2]  # a decoder layer attends to the past, then to the memory
        return np.mean([heads.mean(1) for heads in to_memory], axis=0)


class Configuration(NamedTuple):
    """The arguments of one of the paper's models (table 3), or of a smaller one."""

    d_model: int
    num_heads: int
    num_layers: int
    dim_feedforward: int
    dropout: float
    norm_first: bool = False


CONFIGURATIONS = {
    "base": Configuration(512, 8, 6, 2048, 0.1),
    "big": Configuration(1024, 16, 6, 4096, 0.3),
    "small": Configuration(256, 4, 3, 1024, 0.1, norm_first=True),
    "dates": Configuration(128, 4, 2, 256, 0.0, norm_first=True),
}


def parameter_count(configuration: Configuration, vocab_size: int) -> int:
    """V E + N (12 E^2 + 4 E F + 24 E + 2 F), F the hidden numbers of the feed-forward part; norms first add 4 E.

    Of each layer: three attentions of 4 E^2 + 4 E (one in the encoder, two in the decoder), two feed-forward parts of
    2 E F + E + F, five norms of 2 E. The paper's 37,000 tokens make 63,082,496 for base, where it says 65 million, and
    214,245,376 for big, where it says 213.
    """
    E, F, N = configuration.d_model, configuration.dim_feedforward, configuration.num_layers
    return vocab_size * E + N * (12 * E * E + 4 * E * F + 24 * E + 2 * F) + 4 * E * configuration.norm_first


def transformer(
    vocab_size: int = 37_000, configuration: str = "base", *, source_vocab_size: int | None = None, **changes: Any
) -> Transformer:
    """A configuration by name, with `changes` to its fields: transformer(8000, "small", dropout=0.3)."""
    if configuration not in CONFIGURATIONS:
        raise ValueError(f"configuration is {configuration!r}; expected one of {', '.join(CONFIGURATIONS)}")
    arguments = CONFIGURATIONS[configuration]._asdict() | changes
    return Transformer(vocab_size, source_vocab_size=source_vocab_size, **arguments)


PAPER = (
    2017,
    "Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser & Polosukhin: Attention Is All You Need",
)
CARDS = (
    Card(
        "transformer",  # of the sizes that learn dates
        transformer,
        *PAPER,
        672_000,
        (32,),
        arguments=(("vocab_size", 70), ("configuration", "dates")),
        input="pair",
        cost=Cost(21_258_240, 321_728),
        recipe="transformer",
    ),
    Card(
        "transformer-base",
        transformer,
        *PAPER,
        63_082_496,
        (32,),
        "27.3 BLEU, English to German (newstest2014)",
        source="table 2",
        input="pair",
        cost=Cost(2_015_494_144, 5_509_376),
    ),
    Card(
        "transformer-big",
        transformer,
        *PAPER,
        214_245_376,
        (32,),
        "28.4 BLEU, English to German (newstest2014)",
        (("configuration", "big"),),
        source="table 2",
        input="pair",
        cost=Cost(6_849_560_576, 9_834_752),
    ),
)
