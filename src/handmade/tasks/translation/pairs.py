"""Pairs of texts for models that turn one into the other: as tokens, and cut into batches of similar lengths.

B pairs of a batch, S and T tokens of source and target
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int64

from handmade.errors import InputError
from handmade.models.sequence_to_sequence import BOS, EOS, PAD
from handmade.text import BPETokenizer, CharacterTokenizer, Vocabulary, vocabulary
from handmade.text.bpe import CHARACTER_TO_BYTE, pairs_of_merges

Tokens = Int64[np.ndarray, "B N"]

SPECIAL = (vocabulary.PAD, vocabulary.BOS, vocabulary.EOS)
FIRST = (*SPECIAL, vocabulary.UNK)
"""The tokens PAD, BOS, EOS and UNKNOWN, in the order of their numbers."""


class PairTokenizer:
    """One vocabulary for both sides: characters, or byte pairs learned from both.

    characters: those of the vocabulary; any other becomes UNKNOWN.
    merges: byte pairs in the order of their merging, as 'left right'; every text can be written with them. A text is
        read with a space before it, so that a word is the same at the beginning and in the middle.
    """

    def __init__(self, characters: Sequence[str] | None = None, merges: Sequence[str] | None = None) -> None:
        self.facts: dict[str, Any] = {"characters": characters, "merges": merges}
        if characters is not None:
            known = Vocabulary([*FIRST, *characters], special=SPECIAL, unk=vocabulary.UNK)
            self.tokenizer: CharacterTokenizer | BPETokenizer = CharacterTokenizer(known)
        else:
            pairs = pairs_of_merges(merges or ())
            tokens = [*FIRST, *CHARACTER_TO_BYTE, *(left + right for left, right in pairs)]
            self.tokenizer = BPETokenizer(Vocabulary(tokens, special=FIRST), pairs)
        self.by_characters = characters is not None

    @classmethod
    def of_characters(cls, texts: Sequence[str]) -> "PairTokenizer":
        """With every character of `texts`, by code point."""
        return cls(characters=sorted(set().union(*texts)))

    @classmethod
    def of_byte_pairs(cls, texts: Sequence[str], merges: int) -> "PairTokenizer":
        """With `merges` merges learned from `texts`."""
        learned = BPETokenizer.train((f" {text}" for text in texts), merges).merges
        return cls(merges=[" ".join(pair) for pair in learned])

    def __len__(self) -> int:
        return len(self.tokenizer.vocabulary)

    def unknown(self, text: str) -> list[str]:
        """The characters of `text` that are read as UNKNOWN, each once."""
        return sorted(set(text).difference(self.tokenizer.vocabulary.tokens)) if self.by_characters else []

    def source(self, text: str) -> list[int]:
        """The tokens of a source, which ends with EOS."""
        return [*self.tokenizer.encode(text if self.by_characters else f" {text}"), EOS]

    def target(self, text: str) -> list[int]:
        """The tokens of a target, from BOS to EOS."""
        return [BOS, *self.source(text)]

    def text(self, tokens: Sequence[int]) -> str:
        """What tokens say, without the special ones."""
        return self.tokenizer.decode(tokens) if self.by_characters else self.tokenizer.decode(tokens).strip()

    def pieces(self, tokens: Sequence[int]) -> list[str]:
        """What each token says, to be written beside it: a space alone is ␣, the end of the text ■."""
        said = self.tokenizer.pieces(tokens)
        return ["■" if token == EOS else "␣" if text == " " else text for token, text in zip(tokens, said, strict=True)]


class PairBatches:
    """Batches of pairs whose lengths are similar, so that there is little padding.

    A batch is filled until its pairs, each as long as the longest side of any, have `batch_tokens` tokens; a pair that
    is longer is a batch of its own. `seed` and the epoch decide which of equally long pairs stand together, and the
    order of the batches; where `seed` is None, batches come from short to long.

    Raises InputError where there are no pairs.
    """

    def __init__(
        self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], batch_tokens: int, seed: int | None
    ) -> None:
        if not sources:
            raise InputError("there are no pairs to learn from; a file of fewer than ten lines has no test part.")
        self.sources, self.targets, self.seed = sources, targets, seed
        self.lengths = np.array([[len(target), len(source)] for source, target in zip(sources, targets, strict=True)])
        self.cuts = _cuts(np.sort(self.lengths.max(axis=1)), batch_tokens)

    def __len__(self) -> int:
        return len(self.cuts) - 1

    def batches(self, epoch: int, start: int) -> Iterator[tuple[Tokens, Tokens]]:
        """Sources B S and targets B T, padded, from batch number `start` on."""
        chance, numbers = np.zeros(len(self.lengths)), np.arange(len(self))
        if self.seed is not None:
            rng = np.random.default_rng([self.seed, epoch])
            chance, numbers = rng.random(len(self.lengths)), rng.permutation(numbers)
        order = np.lexsort((chance, *self.lengths.T, self.lengths.max(axis=1)))
        for number in numbers[start:]:
            rows = order[self.cuts[number] : self.cuts[number + 1]]
            yield padded([self.sources[row] for row in rows]), padded([self.targets[row] for row in rows])


def padded(rows: Sequence[Sequence[int]]) -> Tokens:
    """The rows in one array, the shorter ones filled up with PAD."""
    tokens = np.full((len(rows), max(map(len, rows))), PAD)
    for row, values in zip(tokens, rows, strict=True):
        row[: len(values)] = values
    return tokens


def _cuts(lengths: Int64[np.ndarray, "N"], batch_tokens: int) -> list[int]:
    """Where batches begin and end in pairs of ascending lengths."""
    cuts = [0]
    for place, length in enumerate(lengths.tolist()):
        if place > cuts[-1] and (place + 1 - cuts[-1]) * length > batch_tokens:
            cuts.append(place)
    return [*cuts, len(lengths)]
