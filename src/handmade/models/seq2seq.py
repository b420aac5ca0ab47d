"""Sequence to sequence with recurrent networks: one reads the source, another writes the target.

    Sutskever, Vinyals & Le, "Sequence to Sequence Learning with Neural Networks" (2014): only the last state is used.
    Bahdanau, Cho & Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate" (2015): attention.
    Luong, Pham & Manning, "Effective Approaches to Attention-based Neural Machine Translation" (2015): simpler scores.

    source B S --Embedding--> B S E --encoder--> memory B S M, the outputs of all steps,    and the last state
                                                    |                                         |
                                                attention                                     v
                                                    |  context B T M                          |
    target B T --Embedding--> B T E --decoder-------+-----------------------------> logits B T V

    weights_t = softmax over s of score(query_t, memory_s)          context_t = sum over s of weights_ts memory_s

                   Sutskever             Luong                            Bahdanau
    encoder        LSTM, layers          LSTM, layers                     GRU, both directions
    score          no attention          q·m, q·W m or v·tanh(W q + U m)  v·tanh(W q + U m)
    query_t        -                     the decoder's state at t         its state before t
    context_t      -                     joins the decoder's output       is part of its input
    so             all steps at once     all steps at once                step by step

Differences:
- Sutskever: any number of layers, of which the paper has 4; Adam instead of plain gradient descent.
- Luong: global attention without input feeding (section 3.3), so that the decoder can run over the whole target at
  once. The encoder may read in both directions, like Bahdanau's.
- Bahdanau: the output is computed from the state s_t, as in equation 4 (the appendix has s_(t-1)): here the state after
  reading y_(t-1) and context_t. The parameters of the gates are PyTorch's, with two biases.
- All: dropout on embeddings and outputs, which the papers do not have or (Luong) apply within the LSTM. The biases of
  the LSTMs' forget gates start at 1 (Jozefowicz, Zaremba & Sutskever 2015): without it a long source is forgotten
  before anything is learned from it.

B batch, S source and T target tokens, V vocabulary, E embedding size, H hidden size, M memory size, A attention size,
L layers, D directions
"""

import math
from abc import abstractmethod
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from handmade.engine import Tensor, no_grad
from handmade.engine.creation import arange
from handmade.engine.functions import cat, where
from handmade.models.card import Card, Cost
from handmade.models.sequence_to_sequence import PAD, SequenceToSequence
from handmade.nn import GRU, LSTM, Dropout, Embedding, Linear, Module, init

State = dict[str, Any]
"""h, c: of the decoder, B L H. With attention also memory, keys: B S M, B S A; visible: B S, where no padding is."""

Visible = Bool[Tensor, "B S"]


class Attention(Module):
    """A soft lookup in a memory. Subclasses define `keys`, from the memory alone, and `scores`."""

    @abstractmethod
    def keys(self, memory: Float[Tensor, "B S M"]) -> Float[Tensor, "B S K"]:
        """The part of the scores that depends on the memory alone: computed once for each source."""

    @abstractmethod
    def scores(self, query: Float[Tensor, "B T Q"], keys: Float[Tensor, "B S K"]) -> Float[Tensor, "B T S"]:
        """How well each position of the memory matches each query."""

    def forward(
        self, query: Float[Tensor, "B T Q"], memory: Float[Tensor, "B S M"], keys: Tensor, visible: Visible
    ) -> tuple[Float[Tensor, "B T M"], Float[Tensor, "B T S"]]:
        """The context of each query, and its weights over the memory, which are 0 where nothing is `visible`."""
        scores = self.scores(query, keys).masked_fill(~visible[:, None], -math.inf)
        weights = scores.softmax(-1)
        return weights @ memory, weights


class AdditiveAttention(Attention):
    """score(q, m) = v · tanh(W q + U m), a network of one hidden layer (Bahdanau et al. 2015, appendix A.1.2)."""

    def __init__(self, query_size: int, memory_size: int, attention_size: int) -> None:
        super().__init__()
        self.W = Linear(query_size, attention_size, bias=False)
        self.U = Linear(memory_size, attention_size, bias=False)
        self.v = Linear(attention_size, 1, bias=False)

    def keys(self, memory: Float[Tensor, "B S M"]) -> Float[Tensor, "B S A"]:
        return self.U(memory)

    def scores(self, query: Float[Tensor, "B T Q"], keys: Float[Tensor, "B S A"]) -> Float[Tensor, "B T S"]:
        hidden = (self.W(query).unsqueeze(2) + keys.unsqueeze(1)).tanh()  # B T 1 A + B 1 S A -> B T S A
        return self.v(hidden).squeeze(-1)


class LuongAttention(Attention):
    """Three scores (Luong et al. 2015, section 3.1).

    dot       q · m
    general   q · W m
    concat    v · tanh(W [q; m]), which is the additive score, W cut in two
    """

    def __init__(self, query_size: int, memory_size: int, method: str = "general") -> None:
        super().__init__()
        if method not in ("dot", "general", "concat"):
            raise ValueError(f"LuongAttention: method must be 'dot', 'general' or 'concat', got {method!r}")
        if method == "dot" and query_size != memory_size:
            raise ValueError(
                f"LuongAttention: 'dot' needs a memory of the query's size, got {memory_size} and {query_size}; "
                "take 'general'"
            )
        self.W = Linear(memory_size, query_size, bias=False) if method == "general" else None
        self.additive = AdditiveAttention(query_size, memory_size, query_size) if method == "concat" else None

    def keys(self, memory: Float[Tensor, "B S M"]) -> Float[Tensor, "B S K"]:
        if self.additive is not None:
            return self.additive.keys(memory)
        return memory if self.W is None else self.W(memory)

    def scores(self, query: Float[Tensor, "B T Q"], keys: Float[Tensor, "B S K"]) -> Float[Tensor, "B T S"]:
        return query @ keys.mT if self.additive is None else self.additive.scores(query, keys)


class RecurrentSeq2Seq(SequenceToSequence):
    """What the recurrent models share. A model defines `encode` and `decode`."""

    @abstractmethod
    def decode(
        self, target: Int[Tensor, "B T"], state: State
    ) -> tuple[Float[Tensor, "B T V"], Float[Tensor, "B T S"] | None, State]:
        """The scores of what follows each target token, the attention weights if any, and the state after the last."""

    def forward(self, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        return self.decode(target, self.encode(source))[0]

    @no_grad()
    def step(self, tokens: Int[np.ndarray, "R time"], state: State) -> tuple[Float[np.ndarray, "R V"], State]:
        logits, _, state = self.decode(Tensor(tokens), state)
        return logits[:, -1].log_softmax(-1).array, state

    @no_grad()
    def alignment(self, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> Float[np.ndarray, "B T S"] | None:
        weights = self.decode(target, self.encode(source))[1]
        return None if weights is None else weights.array


class LSTMSeq2Seq(RecurrentSeq2Seq):
    """Sutskever's network, or with `attention` ('dot', 'general' or 'concat') Luong's.

    reverse_source: the source is read from its end: its beginning is then near the target's (Sutskever, section 3.3).
    bidirectional: half of the encoder's hidden units read forwards, half backwards.
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_dim: int,
        hidden_size: int,
        num_layers: int = 1,
        dropout: float = 0.0,
        *,
        bidirectional: bool = False,
        reverse_source: bool = False,
        attention: str | None = None,
    ) -> None:
        super().__init__()
        if bidirectional and hidden_size % 2:
            raise ValueError(f"hidden_size must be even, for the two directions to share it, got {hidden_size}")
        self.reverse_source = reverse_source
        size = hidden_size // 2 if bidirectional else hidden_size
        between = dropout if num_layers > 1 else 0.0
        self.source_vectors = Embedding(vocab_size, embedding_dim)
        self.encoder = LSTM(
            embedding_dim, size, num_layers, batch_first=True, dropout=between, bidirectional=bidirectional
        )
        self.target_vectors = Embedding(vocab_size, embedding_dim)
        self.decoder = LSTM(embedding_dim, hidden_size, num_layers, batch_first=True, dropout=between)
        for network in (self.encoder, self.decoder):
            remember(network)
        self.attention = LuongAttention(hidden_size, hidden_size, attention) if attention else None
        self.combine = Linear(2 * hidden_size, hidden_size, bias=False) if attention else None
        self.dropout = Dropout(dropout)
        self.out = Linear(hidden_size, vocab_size)

    def encode(self, source: Int[Tensor, "B S"]) -> State:
        visible = source != PAD
        lengths = visible.sum(1)
        rows, order = arange(len(source), device=source.device)[:, None], reversed_places(lengths, source.shape[1])
        if self.reverse_source:
            source = source[rows, order]
        memory, (h, c) = self.encoder(self.dropout(self.source_vectors(source)), lengths=lengths)
        state = {"h": self._rows_first(h), "c": self._rows_first(c)}
        if self.attention is None:
            return state
        if self.reverse_source:
            memory = memory[rows, order]
        return {**state, "memory": memory, "keys": self.attention.keys(memory), "visible": visible}

    def decode(
        self, target: Int[Tensor, "B T"], state: State
    ) -> tuple[Float[Tensor, "B T V"], Float[Tensor, "B T S"] | None, State]:
        before = state["h"].transpose(0, 1), state["c"].transpose(0, 1)  # B L H -> L B H
        output, (h, c) = self.decoder(self.dropout(self.target_vectors(target)), before)
        weights = None
        if self.attention is not None and self.combine is not None:
            context, weights = self.attention(output, state["memory"], state["keys"], state["visible"])
            output = self.combine(cat([context, output], dim=2)).tanh()  # equation 5
        after = {**state, "h": h.transpose(0, 1), "c": c.transpose(0, 1)}
        return self.out(self.dropout(output)), weights, after

    def _rows_first(self, final: Float[Tensor, "LD B h"]) -> Float[Tensor, "B L H"]:
        """A final state of the encoder as one of the decoder: the directions' units side by side."""
        layers = self.encoder.num_layers
        _, batch, size = final.shape
        return final.reshape(layers, -1, batch, size).permute(2, 0, 1, 3).flatten(2)  # L D B h -> B L D h -> B L H


class BahdanauSeq2Seq(RecurrentSeq2Seq):
    """The network of Bahdanau et al. (2015, appendix A): what it attends to is part of what it reads next."""

    def __init__(self, vocab_size: int, embedding_dim: int, hidden_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        H, E = hidden_size, embedding_dim
        self.source_vectors = Embedding(vocab_size, E)
        self.encoder = GRU(E, H, batch_first=True, bidirectional=True, reset_after=False)
        self.begin = Linear(H, H)
        self.target_vectors = Embedding(vocab_size, E)
        self.attention = AdditiveAttention(H, 2 * H, H)
        self.decoder = GRU(E + 2 * H, H, batch_first=True, reset_after=False)
        self.maxout = Linear(H + E + 2 * H, 2 * E)
        self.dropout = Dropout(dropout)
        self.out = Linear(E, vocab_size)

    def encode(self, source: Int[Tensor, "B S"]) -> State:
        visible = source != PAD
        memory, final = self.encoder(self.dropout(self.source_vectors(source)), lengths=visible.sum(1))  # B S 2H
        h = self.begin(final[1]).tanh().unsqueeze(1)  # the backward state at the first token -> B 1 H
        return {"h": h, "memory": memory, "keys": self.attention.keys(memory), "visible": visible}

    def decode(
        self, target: Int[Tensor, "B T"], state: State
    ) -> tuple[Float[Tensor, "B T V"], Float[Tensor, "B T S"], State]:
        y = self.dropout(self.target_vectors(target))  # B T E
        h, hs, contexts, weights = state["h"], [], [], []
        for t in range(target.shape[1]):
            context, weight = self.attention(h, state["memory"], state["keys"], state["visible"])  # B 1 2H, B 1 S
            h, _ = self.decoder(cat([y[:, t : t + 1], context], dim=2), h.transpose(0, 1))  # B 1 H
            for values, value in ((hs, h), (contexts, context), (weights, weight)):
                values.append(value)
        joined = self.maxout(cat([cat(hs, dim=1), y, cat(contexts, dim=1)], dim=2))  # B T 2E
        pairs = joined.reshape(*joined.shape[:2], -1, 2)
        output = pairs.amax(-1)  # B T E: of each two the greater
        return self.out(self.dropout(output)), cat(weights, dim=1), {**state, "h": h}


def remember(network: LSTM) -> None:
    """Initialise the forget gates' biases, the second of four blocks, with 1."""
    for name, bias in network.named_parameters():
        if name.startswith("bias_ih"):
            init.ones_(bias.detach()[network.hidden_size : 2 * network.hidden_size])


def reversed_places(lengths: Int[Tensor, "B"], steps: int) -> Int[Tensor, "B S"]:
    """The positions of each row from its last token to its first; padding stays where it is."""
    places = arange(steps, device=lengths.device)
    return where(places < lengths[:, None], lengths[:, None] - 1 - places, places)


def seq2seq(
    vocab_size: int, embedding_dim: int = 64, hidden_size: int = 256, num_layers: int = 1, dropout: float = 0.0
) -> LSTMSeq2Seq:
    """Sutskever's network: the source, reversed, goes into one state."""
    return LSTMSeq2Seq(vocab_size, embedding_dim, hidden_size, num_layers, dropout, reverse_source=True)


def seq2seq_attention(
    vocab_size: int,
    embedding_dim: int = 64,
    hidden_size: int = 256,
    num_layers: int = 1,
    dropout: float = 0.0,
    attention: str = "general",
) -> RecurrentSeq2Seq:
    """With attention: Luong's 'dot', 'general' or 'concat', or 'additive', which is Bahdanau's network of one layer."""
    if attention == "additive":
        if num_layers > 1:
            raise ValueError(f"num_layers is {num_layers}; Bahdanau's network, of additive attention, has one layer")
        return BahdanauSeq2Seq(vocab_size, embedding_dim, hidden_size, dropout)
    return LSTMSeq2Seq(
        vocab_size, embedding_dim, hidden_size, num_layers, dropout, bidirectional=True, attention=attention
    )


# The paper's networks are far larger; these sizes are for dates.
SIZES = (("vocab_size", 70), ("embedding_dim", 32), ("hidden_size", 128))
CARDS = (
    Card(
        "seq2seq",
        seq2seq,
        2014,
        "Sutskever, Vinyals & Le: Sequence to Sequence Learning with Neural Networks",
        179_398,
        (32,),
        arguments=SIZES,
        input="pair",
        cost=Cost(5_529_600, 13_504),
        recipe="seq2seq",
    ),
    Card(
        "seq2seq-attention",
        seq2seq_attention,
        2015,
        "Luong, Pham & Manning: Effective Approaches to Attention-based Neural Machine Translation",
        195_782,
        (32,),
        arguments=SIZES,
        input="pair",
        cost=Cost(6_053_888, 45_248),
        recipe="seq2seq",
    ),
)
