"""textgenrnn: a character-level LSTM with skip connections and attention over the last 40 characters.

    Woolf, "textgenrnn" (2018), github.com/minimaxir/textgenrnn; its weights were trained on titles of Reddit posts.
    The attention is DeepMoji's: Felbo, Mislove, Søgaard, Rahwan & Lehmann, "Using millions of emoji occurrences to
    learn any-domain representations" (2017), section 3.2.

    last 40 characters  B 40  --Embedding-->  x  B 40 100  --LSTM-->  h1  B 40 128  --LSTM-->  h2  B 40 128
    z = [x, h1, h2]     B 40 356              skip connections: the output sees every layer
    a = softmax over the 40 of (z · w)        how much each character counts
    Σ a z               B 356  --Linear-->  scores of the next character  B 465

A text begins and ends with the token START. Before its beginning the input is padded with token 0, which the network
reads like any other: there is no mask.

Differences: DeepMoji's LSTMs read in both directions; this one generates text, and sees the past only.

B texts of a batch, T characters of each, V vocabulary size, F = 100 + 128 + 128 features
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.engine.functions import cat
from handmade.models.card import Card, Cost, Published
from handmade.nn import LSTM, Embedding, Linear, Module

NOTHING, START = 0, 464
"""The tokens that are not characters: the padding before a text, and the mark of its beginning and end."""

KERAS_NAMES = {
    "embedding/embedding/embeddings:0": "embedding.weight",
    "attention/attention/attention_W:0": "attention.weight",
    "output/output/kernel:0": "output.weight",
    "output/output/bias:0": "output.bias",
}


class TextGenRNN(Module):
    """The network: tokens -> scores of the one that follows. Of a longer text it sees the last `window` tokens."""

    def __init__(
        self, vocab_size: int = 465, embedding_dim: int = 100, hidden_size: int = 128, window: int = 40
    ) -> None:
        super().__init__()
        self.window = window
        self.embedding = Embedding(vocab_size, embedding_dim)
        self.rnn_1 = LSTM(embedding_dim, hidden_size, batch_first=True)
        self.rnn_2 = LSTM(hidden_size, hidden_size, batch_first=True)
        features = embedding_dim + 2 * hidden_size
        self.attention = Linear(features, 1, bias=False)
        self.output = Linear(features, vocab_size)

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        x = self.embedding(self._last(tokens))  # B 40 E
        h1, _ = self.rnn_1(x)
        h2, _ = self.rnn_2(h1)
        z = cat([x, h1, h2], dim=2)  # B 40 F
        a = self.attention(z).softmax(dim=1)  # B 40 1
        return self.output((a * z).sum(dim=1))  # B F -> B V

    def _last(self, tokens: Int[Tensor, "B T"]) -> Int[Tensor, "B window"]:
        """The last tokens, with NOTHING before a text that has fewer."""
        last = tokens[:, -self.window :]
        return F.pad(last, (self.window - last.shape[1], 0), value=NOTHING)

    def from_published(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The arrays of textgenrnn_weights.hdf5 under the names and in the layout used here.

        Keras keeps matrices as (in, out). The LSTMs were trained with cuDNN, whose gates lie side by side: each a
        matrix (H, I), in memory, of which Keras took the numbers in order as one of (I, H). Biases are b_ih, then b_hh.
        """
        found = {}
        for name, array in arrays.items():
            layer, _, kind = name.rpartition("/")
            layer = layer.rpartition("/")[2]
            if name in KERAS_NAMES:
                turned = name.endswith(("kernel:0", "attention_W:0"))
                found[KERAS_NAMES[name]] = array.T if turned else array
            elif kind in ("kernel:0", "recurrent_kernel:0"):
                gates = np.split(array, 4, axis=1)  # each I H
                which = "weight_hh_l0" if kind.startswith("recurrent") else "weight_ih_l0"
                found[f"{layer}.{which}"] = np.concatenate([gate.reshape(gate.shape[::-1]) for gate in gates])
            elif kind == "bias:0":
                found[f"{layer}.bias_ih_l0"], found[f"{layer}.bias_hh_l0"] = np.split(array, 2)
            else:
                found[name] = array
        return found


def textgenrnn(vocab_size: int = 465) -> TextGenRNN:
    """The published configuration."""
    return TextGenRNN(vocab_size)


CARDS = (
    Card(
        "textgenrnn",
        textgenrnn,
        2018,
        "Woolf: textgenrnn",
        462_717,
        (40,),
        cost=Cost(10_092_100, 44_645),
        published=Published(
            url="https://github.com/minimaxir/textgenrnn/raw/master/textgenrnn/textgenrnn_weights.hdf5",
            sha256="6a89ca4235ed9f00be7b2acd65d5fe4a099967d676bfe20afb696106286ffbca",
            licence="MIT",
            package="textgenrnn/textgenrnn_weights.hdf5",
        ),
    ),
)
