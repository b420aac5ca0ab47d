"""BERT's training data: text with some of its tokens masked (Devlin et al. 2019, section 3.1, task 1).

B texts of a batch, T tokens of each, K hidden ones
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int64

from handmade.text import BPETokenizer, Vocabulary
from handmade.text.bpe import CHARACTER_TO_BYTE, pairs_of_merges

SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")
PAD, CLS, SEP, MASK = range(len(SPECIAL))
"""The special tokens are the first of the vocabulary."""

SHARE, MASKED, RANDOM = 0.15, 0.8, 0.1
"""The share of tokens to guess; of these, the share replaced by [MASK], and by a random token. The rest
stays as it is: in use there are no masks, and the model must not count on them."""


class Masked(NamedTuple):
    """A batch to learn from: the tokens with K hidden in each row, where these stand, and what they were."""

    tokens: Int64[np.ndarray, "B T"]
    places: Int64[np.ndarray, "B K"]
    targets: Int64[np.ndarray, "B K"]


def masked(tokens: Int64[np.ndarray, "B T"], vocab_size: int, rng: np.random.Generator) -> Masked:
    """Hide 15 % of the tokens of each row, at least one; special tokens in the row stay and are not guessed.

    Every row must have the same number of special tokens.
    """
    rows = np.arange(len(tokens))[:, None]
    chance = np.where(tokens < len(SPECIAL), 2.0, rng.random(tokens.shape))  # special tokens come last
    words = int((tokens[0] >= len(SPECIAL)).sum())
    places = np.sort(np.argsort(chance, axis=1)[:, : max(1, round(SHARE * words))], axis=1)
    targets = tokens[rows, places]
    drawn = rng.random(places.shape)
    others = rng.integers(len(SPECIAL), vocab_size, places.shape)
    hidden = np.where(drawn < MASKED, MASK, np.where(drawn < MASKED + RANDOM, others, targets))
    seen = tokens.copy()
    seen[rows, places] = hidden
    return Masked(seen, places, targets)


class MaskTokenizer:
    """Byte pairs, learned from the text, and BERT's special tokens. In a text, "[MASK]" is that token.

    merges: in the order of their merging, as 'left right'.
    """

    mask = MASK
    special = tuple(range(len(SPECIAL)))
    spaces_belong_to_words = True  # a word of byte pairs carries the space before it

    def __init__(self, merges: Sequence[str]) -> None:
        self.facts: dict[str, Any] = {"merges": list(merges)}
        pairs = pairs_of_merges(merges)
        tokens = [*SPECIAL, *CHARACTER_TO_BYTE, *(left + right for left, right in pairs)]
        self.tokenizer = BPETokenizer(Vocabulary(tokens, special=SPECIAL), pairs)

    @classmethod
    def learned(cls, text: str, merges: int) -> "MaskTokenizer":
        """With `merges` merges learned from `text`."""
        return cls([" ".join(pair) for pair in BPETokenizer.train(text, merges).merges])

    def __len__(self) -> int:
        return len(self.tokenizer.vocabulary)

    def encode(self, text: str) -> list[int]:
        """The tokens, without [CLS] and [SEP]. A word carries the space before it, and so does a mask."""
        first, *rest = text.split(SPECIAL[MASK])
        parts = [*(part.removesuffix(" ") for part in [first, *rest][:-1]), [first, *rest][-1]]
        tokens = self.tokenizer.encode(parts[0])
        for part in parts[1:]:
            tokens += [MASK, *self.tokenizer.encode(part)]
        return tokens

    def around(self, text: str) -> list[int]:
        """The tokens as the model reads them, from [CLS] to [SEP]."""
        return [CLS, *self.encode(text), SEP]

    def decode(self, tokens: Iterable[int]) -> str:
        """The text, special tokens left out."""
        return self.tokenizer.decode(tokens)

    def pieces(self, tokens: Iterable[int]) -> list[str]:
        """What each token says."""
        return self.tokenizer.pieces(tokens)
