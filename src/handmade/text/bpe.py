"""Byte-pair encoding over bytes, as in GPT-2: trained here, or read from published files.

Sennrich, Haddow, Birch 2016 (arXiv 1508.07909) merge the most frequent pair of neighbouring symbols again and
again; Radford et al. 2019 (GPT-2, section 2.2) let the symbols be the 256 bytes of UTF-8, so that nothing is
unknown and every text comes back exactly.

    " lower"  ->  Ġ l o w e r  ->  Ġ low e r  ->  Ġlow er        merges: l+o, lo+w, Ġ+low, e+r

Merges stay inside a word; a word carries the space before it. The files write each byte as one printable
character (`BYTE_TO_CHARACTER`): the space is Ġ.
"""

import codecs
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any

from handmade.errors import InputError
from handmade.text.categories import WHITESPACE, category_class
from handmade.text.tokenizer import Tokenizer, read_json, read_text
from handmade.text.vocabulary import Vocabulary

Pair = tuple[int, int]

PRINTABLE = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
UNPRINTABLE = [byte for byte in range(256) if byte not in PRINTABLE]
BYTE_TO_CHARACTER = {byte: chr(byte) for byte in PRINTABLE} | {byte: chr(256 + n) for n, byte in enumerate(UNPRINTABLE)}
"""GPT-2's name of each byte, by id: itself where that is printable, else a character from U+0100 on."""
CHARACTER_TO_BYTE = {character: byte for byte, character in BYTE_TO_CHARACTER.items()}

CACHED_WORDS = 2**16
"""How many words' ids are cached."""


@cache
def word_pattern() -> re.Pattern[str]:
    """GPT-2's split into words: contractions; runs of letters, numbers or other signs, with a space before.

    Of several spaces before a word the last one belongs to the word.
    """
    L, N, S = category_class("L"), category_class("N"), WHITESPACE
    return re.compile(rf"'s|'t|'re|'ve|'m|'ll|'d| ?[{L}]+| ?[{N}]+| ?[^{S}{L}{N}]+|[{S}]+(?![^{S}])|[{S}]+")


class BPETokenizer(Tokenizer):
    """Byte-pair encoding: `train` makes one, `from_files` reads GPT-2's vocab.json and merges.txt.

    `merges` are pairs of tokens, the earliest first: where several apply in a word, the earliest is done
    first.

    A special token has a number and no text: `encode` never makes one ("<|endoftext|>" in a text is thirteen
    characters; this differs from libraries that look for it), so every text is equal to
    `decode(encode(text))`.
    """

    kind = "bpe"

    def __init__(self, vocabulary: Vocabulary, merges: Iterable[Sequence[str]]):
        self.vocabulary = vocabulary
        self.merges = [(left, right) for left, right in merges]
        needed = [
            *CHARACTER_TO_BYTE,
            *(part for left, right in self.merges for part in (left, right, left + right)),
        ]
        absent = next((token for token in needed if token not in vocabulary), None)
        if absent is not None:
            raise InputError(
                f"vocabulary: the token {absent!r} of the bytes or merges is missing; are they one model's?"
            )
        self._byte_ids = [vocabulary[BYTE_TO_CHARACTER[byte]] for byte in range(256)]
        self._merged: dict[Pair, tuple[int, int]] = {}  # pair of ids -> (rank, id of the merged token)
        for rank, (left, right) in enumerate(self.merges):
            self._merged.setdefault((vocabulary[left], vocabulary[right]), (rank, vocabulary[left + right]))
        self._bytes = [_token_bytes(token, token in vocabulary.special) for token in vocabulary.tokens]
        self._words: dict[str, list[int]] = {}

    @classmethod
    def train(cls, texts: str | Iterable[str], num_merges: int, special: Sequence[str] = ()) -> "BPETokenizer":
        """Learn `num_merges` merges (fewer, where no pair is left) from `texts`.

        Tokens: the 256 bytes, each merge's result, then the special ones. Of equally frequent pairs the one
        whose left token has the lower number is merged, then the lower right one: the result depends on
        nothing else.
        """
        if num_merges < 0:
            raise InputError(f"num_merges: got {num_merges}, expected 0 or more")
        find = word_pattern().findall
        texts = [texts] if isinstance(texts, str) else texts
        counts = Counter(word for text in texts for word in find(text))
        tokens, pairs = learn_merges(counts, num_merges)
        merges = [(tokens[left], tokens[right]) for left, right in pairs]
        return cls(Vocabulary([*tokens, *special], special=special), merges)

    @classmethod
    def from_files(cls, vocab_json: str | os.PathLike[str], merges_txt: str | os.PathLike[str]) -> "BPETokenizer":
        """GPT-2's tokenizer from its two files. Tokens that neither are a byte nor come of a merge are special."""
        ids = read_json(vocab_json)
        numbers = list(ids.values()) if isinstance(ids, dict) else []
        whole = isinstance(ids, dict) and all(type(number) is int for number in numbers)
        if not whole or sorted(numbers) != list(range(len(numbers))):
            raise InputError(f"{vocab_json}: expected a JSON object from tokens to the numbers 0, 1, 2, ..., each once")
        lines = read_text(merges_txt).split("\n")
        written = [line for line in lines if line and not line.startswith("#version")]
        merges = pairs_of_merges(written, os.fspath(merges_txt))
        made = {*CHARACTER_TO_BYTE, *("".join(merge) for merge in merges)}
        tokens = sorted(ids, key=ids.__getitem__)
        return cls(Vocabulary(tokens, special=[token for token in tokens if token not in made]), merges)

    def encode(self, text: str) -> list[int]:
        """The token numbers. InputError for half a surrogate pair, which is no character and has no UTF-8."""
        ids: list[int] = []
        words = self._words
        for word in word_pattern().findall(text):
            word_ids = words.get(word)
            if word_ids is None:
                word_ids = merge_word([self._byte_ids[byte] for byte in _utf8(word)], self._merged)
                if len(words) < CACHED_WORDS:
                    words[word] = word_ids
            ids += word_ids
        return ids

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """The text; bytes that are no UTF-8 (a character cut in two) become U+FFFD."""
        return b"".join(self._pieces(ids, skip_special_tokens)).decode("utf-8", errors="replace")

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """What each token says on its own; a byte that is a part of a character stands there as \\xe7."""
        return [piece.decode("utf-8", errors="backslashreplace") for piece in self._pieces(ids, False)]

    def stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of `ids` piece by piece, as they come; a character waits for the last of its bytes."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        for number in ids:
            yield decoder.decode(b"".join(self._pieces([number], True)))
        yield decoder.decode(b"", final=True)

    def options(self) -> dict[str, Any]:
        return {"merges": self.merges}

    def _pieces(self, ids: Iterable[int], skip_special_tokens: bool) -> list[bytes]:
        ids = list(ids)
        self.vocabulary.decode(ids)  # refuses numbers that are no tokens
        skipped = self.vocabulary.special_ids if skip_special_tokens else ()
        return [self._bytes[number] for number in ids if number not in skipped]


def pairs_of_merges(written: Iterable[str], source: str = "merges") -> list[tuple[str, str]]:
    """The two tokens of each merge, which is written 'left right'. InputError, which names `source`, for another."""
    pairs = [tuple(merge.split(" ")) for merge in written]
    wrong = next((pair for pair in pairs if len(pair) != 2), None)
    if wrong is not None:
        raise InputError(f"{source}: expected two tokens and one space in each merge, got {' '.join(wrong)!r}")
    return [(left, right) for left, right in pairs]


def learn_merges(counts: Counter[str], num_merges: int) -> tuple[list[str], list[Pair]]:
    """The tokens and the merges, as pairs of token numbers, learned from words and how often each occurs.

    Words that occur often are looked at once; a merge changes the counts of the pairs in the words that hold
    it, and no others. The heap gives the most frequent pair: an entry whose count is no longer true is passed
    over, for another was pushed when the count changed.
    """
    tokens = list(CHARACTER_TO_BYTE)
    number = {byte: number for number, byte in enumerate(BYTE_TO_CHARACTER)}
    words = [[number[byte] for byte in _utf8(word)] for word in counts]
    word_counts = list(counts.values())
    pair_counts: Counter[Pair] = Counter()
    words_with: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, word in enumerate(words):
        for pair in pairwise(word):
            pair_counts[pair] += word_counts[index]
            words_with[pair].add(index)
    heap = [(-count, pair) for pair, count in pair_counts.items()]
    heapify(heap)

    merges: list[Pair] = []
    while heap and len(merges) < num_merges:
        count, best = heappop(heap)
        if -count != pair_counts[best]:
            continue
        merges.append(best)
        token = len(tokens)
        tokens.append(tokens[best[0]] + tokens[best[1]])
        changes: Counter[Pair] = Counter()
        for index in words_with.pop(best):
            old, words[index] = words[index], _replace(words[index], best, token)
            for pair in pairwise(old):
                changes[pair] -= word_counts[index]
            for pair in pairwise(words[index]):
                changes[pair] += word_counts[index]
                words_with[pair].add(index)
        for pair, change in changes.items():
            if change:
                pair_counts[pair] += change
                if pair_counts[pair]:
                    heappush(heap, (-pair_counts[pair], pair))
    return tokens, merges


def merge_word(ids: list[int], merged: dict[Pair, tuple[int, int]]) -> list[int]:
    """Apply the merges to one word, the earliest learned first, from left to right; O(n log n) for n bytes.

    `merged`: pair of ids -> (rank, id of the result). The word is a linked list over positions: `after[p]` is
    where the right neighbour of the token at p begins.
    """
    tokens, end = list(ids), len(ids)
    before, after = list(range(-1, end - 1)), list(range(1, end + 1))
    heap = [(*merged[pair], position, pair) for position, pair in enumerate(pairwise(ids)) if pair in merged]
    heapify(heap)
    while heap:
        _, result, left, pair = heappop(heap)
        right = after[left]
        if right >= end or (tokens[left], tokens[right]) != pair:  # a neighbour was merged away meanwhile
            continue
        tokens[left], tokens[right] = result, -1
        after[left] = after[right]
        if after[left] < end:
            before[after[left]] = left
        for position in (before[left], left):
            if position >= 0 and after[position] < end:
                pair = tokens[position], tokens[after[position]]
                if pair in merged:
                    heappush(heap, (*merged[pair], position, pair))
    return [token for token in tokens if token >= 0]


def _replace(word: list[int], pair: Pair, token: int) -> list[int]:
    result, position = [], 0
    while position < len(word):
        if tuple(word[position : position + 2]) == pair:
            result.append(token)
            position += 2
        else:
            result.append(word[position])
            position += 1
    return result


def _utf8(word: str) -> bytes:
    try:
        return word.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"text: {word!r} holds half a surrogate pair, which is no character; read the file as UTF-8"
        ) from error


def _token_bytes(token: str, is_special: bool) -> bytes:
    return _utf8(token) if is_special else bytes(CHARACTER_TO_BYTE[character] for character in token)
