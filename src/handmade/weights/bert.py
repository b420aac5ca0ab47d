"""BERT's tokenizer, and sentence embeddings by a published BERT.

Reimers & Gurevych, "Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks" (2019, arXiv 1908.10084).

N sentences, T tokens, D hidden size
"""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.models.bert import CONFIGURATIONS, BertModel
from handmade.models.minilm import mean_pooling
from handmade.text import WordPieceTokenizer
from handmade.text.wordpiece import PAD
from handmade.weights.loading import load

MAX_LENGTH = 256
"""Tokens of a sentence that are read: all-MiniLM-L6-v2 was not trained on longer ones."""


@cache
def bert_tokenizer() -> WordPieceTokenizer:
    """The WordPiece tokenizer of the uncased BERTs and of MiniLM, with its 30,522 pieces (bert_vocab.LICENSE)."""
    return WordPieceTokenizer.from_file(Path(__file__).with_name("bert_vocab.txt"))


class SentenceEncoder:
    """Sentences to vectors of length 1, near each other where the meanings are: their products are cosines."""

    def __init__(self, model: BertModel, tokenizer: WordPieceTokenizer, max_length: int = MAX_LENGTH) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.max_length = max_length

    @no_grad()
    def encode(self, sentences: Sequence[str], batch_size: int = 32) -> Float[np.ndarray, "N D"]:
        """One row for each sentence; what is longer than `max_length` tokens is cut at its end.

        Sentences of similar length are read together, so that little is padding. InputError for one string in place of
        a list.
        """
        if isinstance(sentences, str):
            raise InputError("sentences: got one string, expected a list of strings, as [text].")
        rows = [self.tokenizer.encode(sentence, self.max_length) for sentence in sentences]
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        vectors = np.empty((len(rows), self.model.config.hidden_size), np.float32)
        for first in range(0, len(rows), batch_size):
            chosen = order[first : first + batch_size]
            tokens, mask = self._padded([rows[row] for row in chosen])
            vectors[chosen] = mean_pooling(self.model(tokens, mask).last_hidden_state, mask).array
        return vectors

    def nearest(self, text: str, sentences: Sequence[str], count: int = 5) -> list[tuple[float, str]]:
        """The `count` sentences nearest in meaning to a text, each after its cosine with it; the nearest first."""
        vectors = self.encode([text, *sentences])
        cosines = (vectors[1:] @ vectors[0]).tolist()
        return sorted(zip(cosines, sentences, strict=True), key=lambda pair: -pair[0])[:count]

    def _padded(self, rows: list[list[int]]) -> tuple[Tensor, Tensor]:
        """Tokens and attention mask, each B T."""
        lengths = np.array([len(row) for row in rows])
        tokens = np.full((len(rows), lengths.max()), self.tokenizer.vocabulary[PAD])
        for padded, row in zip(tokens, rows, strict=True):
            padded[: len(row)] = row
        return Tensor(tokens), Tensor(np.arange(tokens.shape[1]) < lengths[:, None])


def sentence_encoder(path_or_name: str | os.PathLike[str] = "minilm") -> SentenceEncoder:
    """The published all-MiniLM-L6-v2, or weights for a network of its sizes in a file.

    Raises InputError where there are none, or they do not fit.
    """
    model = BertModel(CONFIGURATIONS["minilm"], pooler=False)
    load(model, path_or_name)
    return SentenceEncoder(model, bert_tokenizer())
