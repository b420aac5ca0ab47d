"""Networks for speech: which word is said in a clip, and when a trigger word is said in a stream.

    SpeechClassifier  Schuster & Paliwal, "Bidirectional Recurrent Neural Networks" (1997), with GRUs.
    TriggerWord       the network of the course Sequence Models (Ng, Katanforoosh & Mourri 2018), smaller.

    SpeechClassifier  B T M  --GRU in both directions-->  B T 2H  --mean over the clip-->  B 2H  --linear-->  B K
    TriggerWord       B T M  --convolution, stride 4-->  B T' C  --GRU, forwards-->  B T' H  --linear-->  B T'

The first can read a whole clip before it answers; the second must answer while the stream continues, so it sees only
the past (and, through its convolution, a few frames ahead).

Differences: the course's network has two GRUs of 128, 196 channels and dropout of 0.8 after each layer, for a fixed set
of sounds of 10 s; this one has one GRU, and its streams are composed anew for every batch.

B clips of a batch, T frames, M mel bands, H hidden size, K classes, C channels, T' = ceil(T / 4) steps
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from handmade.engine import Tensor
from handmade.models.card import Card, Cost
from handmade.nn import GRU, BatchNorm1d, Conv1d, Dropout, Linear, Module


class SpeechClassifier(Module):
    """Log-mel features of clips, and how many frames of each count -> scores of the classes."""

    def __init__(self, num_classes: int = 10, mels: int = 40, hidden_size: int = 64) -> None:
        super().__init__()
        self.network = GRU(mels, hidden_size, batch_first=True, bidirectional=True)
        self.out = Linear(2 * hidden_size, num_classes)

    def forward(self, features: Float[Tensor, "B T M"], lengths: Int[np.ndarray, " B"]) -> Float[Tensor, "B K"]:
        output, _ = self.network(features, lengths=lengths)  # B T 2H, zero in the padding
        return self.out(output.sum(dim=1) / lengths[:, None])


class TriggerWord(Module):
    """Log-mel features of a stream -> at every `STRIDE` frames, how sure (as a logit) that the word was just said."""

    STRIDE = 4

    def __init__(self, mels: int = 40, channels: int = 64, hidden_size: int = 64, dropout: float = 0.2) -> None:
        super().__init__()
        self.convolution = Conv1d(mels, channels, kernel_size=7, stride=self.STRIDE, padding=3)
        self.norm = BatchNorm1d(channels)
        self.dropout = Dropout(dropout)
        self.network = GRU(channels, hidden_size, batch_first=True)
        self.out = Linear(hidden_size, 1)

    def forward(self, features: Float[Tensor, "B T M"]) -> Float[Tensor, "B steps"]:
        x = self.convolution(features.transpose(1, 2))  # B T M -> B M T -> B C T'
        x = self.dropout(self.norm(x).relu()).transpose(1, 2)  # B T' C
        output, _ = self.network(x)  # B T' H
        return self.out(self.dropout(output))[:, :, 0]


def spoken_digits(num_classes: int = 10, mels: int = 40, hidden_size: int = 64) -> SpeechClassifier:
    """The classifier of clips."""
    return SpeechClassifier(num_classes, mels, hidden_size)


def trigger_word(mels: int = 40, channels: int = 64, hidden_size: int = 64, dropout: float = 0.2) -> TriggerWord:
    """The detector of one word in a stream."""
    return TriggerWord(mels, channels, hidden_size, dropout)


CARDS = (
    Card(
        "spoken-digits",
        spoken_digits,
        1997,
        "Schuster & Paliwal: Bidirectional Recurrent Neural Networks",
        41_994,
        (48, 40),
        input="clip",
        cost=Cost(1_918_208, 12_811),
        recipe="speech",
    ),
    Card(
        "trigger-word",
        trigger_word,
        2018,
        "Ng, Katanforoosh & Mourri: Sequence Models (course)",
        43_137,
        (200, 40),
        input="stream",
        cost=Cost(2_128_000, 12_978, 7),
        recipe="speech",
    ),
)
