"""Character-level language models: five networks that predict the next character, with one interface.

    bigram  Shannon, "A Mathematical Theory of Communication" (1948), section 3; before him Markov, on Onegin (1913).
    MLP     Bengio, Ducharme, Vincent & Jauvin, "A Neural Probabilistic Language Model" (2003), equation 1.
    RNN     Elman, "Finding Structure in Time" (1990): letters one by one, and where the next is hard to predict.
    LSTM    Graves, "Generating Sequences With Recurrent Neural Networks" (2013), section 3.
    GRU     Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder" (2014), section 2.3: only the unit.

    tokens B T  --what the model knows of the past-->  B T H  --linear-->  logits B T V: the scores of the next token

    model(tokens, targets)     (logits, loss): the loss is -log p(target), in nats, averaged over the targets
    model.read(tokens, state)  (logits, state): a long text in pieces; `state` is what the model keeps from the last one

The MLP sees a window of the latest tokens, the recurrent networks see everything before, through their state:

                 bigram          MLP                     RNN, GRU        LSTM
    looks back   1 token         context tokens          without limit   without limit
    state        ()              (latest tokens,)        (h,)            (h, c)

Differences:
- Bigram: a table of logits learned by gradient descent; Markov and Shannon counted. The optimal probabilities are the
  relative frequencies.
- MLP: characters instead of words, and no direct connections from the vectors to the output (in the paper optional; its
  best network on the Brown corpus has none).
- RNN: trained by backpropagation through time; Elman went back one step only.
- LSTM: no connections from the input to every layer and from every layer to the output (Graves, figure 1), no
  peepholes.
- Each character has a learned vector; the recurrent networks of the papers read one-hot vectors, which is equivalent:
  the embedding is merged into the next matrix.

B batch, T time steps, V vocabulary size, E embedding size, H hidden size, L layers, n context
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float, Int

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.engine.functions import cat
from handmade.models.card import Card, Cost
from handmade.nn import GRU, LSTM, RNN, Embedding, Linear, Module, init

State = tuple[Tensor, ...]

IGNORED = -100
"""A target that does not count in the loss, for padding."""


class CharLM(Module):
    """The contract. A model gives `read`.

    block_size: how many of the latest tokens it can see; None where there is no limit.
    """

    block_size: int | None = None

    def read(self, tokens: Int[Tensor, "B T"], state: State | None = None) -> tuple[Float[Tensor, "B T V"], State]:
        """The scores of what follows each token, and the state after the last one.

        state: what `read` returned for the tokens before; None at the beginning of a text. Reading a text in pieces
            gives the same scores as reading it at once.
        """
        raise NotImplementedError

    def step(self, tokens: Int[Tensor, "B T"], state: Any = None) -> tuple[Float[Tensor, "B V"], Any]:
        """`read`, but only the scores of what follows the last token, as sampling needs."""
        logits, state = self.read(tokens, state)
        return logits[:, -1], state

    def forward(
        self, tokens: Int[Tensor, "B T"], targets: Int[Tensor, "B T"] | None = None
    ) -> tuple[Float[Tensor, "B T V"], Float[Tensor, ""] | None]:
        """The scores of what follows each token and, given what does follow (IGNORED does not count), the loss."""
        logits, _ = self.read(tokens)
        return logits, None if targets is None else next_token_loss(logits, targets)


def next_token_loss(logits: Float[Tensor, "B T V"], targets: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    """The mean of -log p(target) over all targets but those that are IGNORED, in nats."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)


class BigramLM(CharLM):
    """p(next | latest token): a table with a row of logits for each token. It starts as the uniform distribution."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.logits = Embedding(vocab_size, vocab_size)
        init.zeros_(self.logits.weight)

    def read(self, tokens: Int[Tensor, "B T"], state: State | None = None) -> tuple[Float[Tensor, "B T V"], State]:
        return self.logits(tokens), ()


class MLPLM(CharLM):
    """p(next | latest n tokens) = softmax(b + U tanh(d + H x)), x the vectors of the n tokens, one after another.

    Before the beginning of a text stands token V, which is used for nothing else.
    """

    def __init__(self, vocab_size: int, context: int, embedding_dim: int, hidden_size: int) -> None:
        super().__init__()
        if context < 1:
            raise ValueError(f"context must be at least 1 token, got {context}")
        self.context = context
        self.vectors = Embedding(vocab_size + 1, embedding_dim)
        self.hidden = Linear(context * embedding_dim, hidden_size)
        self.out = Linear(hidden_size, vocab_size)

    def read(self, tokens: Int[Tensor, "B T"], state: State | None = None) -> tuple[Float[Tensor, "B T V"], State]:
        batch, time = tokens.shape
        before = self.context - 1
        past = state[0] if state else tokens.new_full((batch, before), self.out.out_features)
        tokens = cat([past, tokens], dim=1)  # B n-1+T
        vectors = self.vectors(tokens)  # B n-1+T E
        x = cat([vectors[:, place : place + time] for place in range(self.context)], dim=2)  # B T nE
        return self.out(self.hidden(x).tanh()), (tokens[:, time:],)


class RecurrentLM(CharLM):
    """The vectors of the tokens, a recurrent network over them, and a linear layer from its output to the logits."""

    def __init__(self, vocab_size: int, embedding_dim: int, network: RNN | LSTM | GRU) -> None:
        super().__init__()
        self.vectors = Embedding(vocab_size, embedding_dim)
        self.network = network
        self.out = Linear(network.hidden_size, vocab_size)

    def read(self, tokens: Int[Tensor, "B T"], state: State | None = None) -> tuple[Float[Tensor, "B T V"], State]:
        x = self.vectors(tokens)  # B T E
        if isinstance(self.network, LSTM):
            output, final = self.network(x, state)
        else:
            output, h = self.network(x, state[0] if state else None)
            final = (h,)
        return self.out(output), final  # B T H -> B T V


def char_bigram(vocab_size: int = 65) -> BigramLM:
    """The table: V² numbers."""
    return BigramLM(vocab_size)


def char_mlp(vocab_size: int = 65, context: int = 8, embedding_dim: int = 24, hidden_size: int = 128) -> MLPLM:
    """Bengio's network over the latest `context` characters."""
    return MLPLM(vocab_size, context, embedding_dim, hidden_size)


def char_rnn(vocab_size: int = 65, hidden_size: int = 256, num_layers: int = 2, embedding_dim: int = 64) -> RecurrentLM:
    """Elman's network."""
    return RecurrentLM(vocab_size, embedding_dim, RNN(embedding_dim, hidden_size, num_layers, batch_first=True))


def char_lstm(
    vocab_size: int = 65, hidden_size: int = 256, num_layers: int = 2, embedding_dim: int = 64
) -> RecurrentLM:
    """Long short-term memory."""
    return RecurrentLM(vocab_size, embedding_dim, LSTM(embedding_dim, hidden_size, num_layers, batch_first=True))


def char_gru(vocab_size: int = 65, hidden_size: int = 256, num_layers: int = 2, embedding_dim: int = 64) -> RecurrentLM:
    """The gated recurrent unit."""
    return RecurrentLM(vocab_size, embedding_dim, GRU(embedding_dim, hidden_size, num_layers, batch_first=True))


CHO = (2014, "Cho et al.: Learning Phrase Representations using RNN Encoder-Decoder")
CARDS = (
    Card(
        "char-bigram",
        char_bigram,
        1948,
        "Shannon: A Mathematical Theory of Communication",
        4_225,
        (64,),
        cost=Cost(0, 4_160),
    ),
    Card(
        "char-mlp",
        char_mlp,
        2003,
        "Bengio, Ducharme, Vincent & Jauvin: A Neural Probabilistic Language Model",
        34_673,
        (64,),
        "perplexity 252 on Brown's words",
        source="table 1, mixed with a trigram model",
        cost=Cost(2_105_344, 34_536),
    ),
    Card(
        "char-rnn",
        char_rnn,
        1990,
        "Elman: Finding Structure in Time",
        234_881,
        (64,),
        cost=Cost(14_696_448, 42_048),
        recipe="char_lm",
    ),
    Card(
        "char-lstm",
        char_lstm,
        2013,
        "Graves: Generating Sequences With Recurrent Neural Networks",
        876_929,
        (64,),
        "1.67 bits a character on Wikipedia",
        source="section 3.2, 7 layers of 700 cells",
        cost=Cost(55_590_912, 43_072),
        recipe="char_lm",
    ),
    Card("char-gru", char_gru, *CHO, 662_913, (64,), cost=Cost(41_959_424, 42_048), recipe="char_lm"),
    Card(
        "names-gru",
        char_gru,
        *CHO,
        66_555,
        (64,),
        arguments=(("vocab_size", 27), ("hidden_size", 128), ("num_layers", 1), ("embedding_dim", 32)),
        cost=Cost(4_153_344, 12_224),
        recipe="char_lm",
    ),
)
