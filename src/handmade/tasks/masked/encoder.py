"""A BERT without a head in use: it turns texts into vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from handmade.models.bert import BertModel
from handmade.nn.utils import evaluating
from handmade.tasks.masked.pieces import WordPieces
from handmade.weights import SentenceEncoder


@dataclass(frozen=True)
class Encoder:
    """A model that reads texts, and its tokenizer.

        encoder = handmade.open("minilm", weights="minilm")
        one, other = encoder.encode(["A cat sleeps.", "The kitten is asleep."])

    one @ other is the cosine of the angle between them, near 1 where the meanings are.
    """

    name: str
    model: BertModel
    tokenizer: WordPieces
    trained: bool = True

    purpose: ClassVar[str] = "turn texts into vectors"

    def encode(self, sentences: Sequence[str]) -> Float[np.ndarray, "N D"]:
        """Each sentence as a vector of length 1, near to those of the same meaning; see weights.SentenceEncoder."""
        with evaluating(self.model):
            return SentenceEncoder(self.model, self.tokenizer.tokenizer).encode(sentences)
