"""BERT's WordPiece tokenizer: clean, split into words, then take the longest known pieces from the left.

Devlin et al. 2019 (arXiv 1810.04805), section 3; the algorithm of the tokenization.py published with it.

    "Héllo, unaffable!"  ->  hello , unaffable !  ->  [CLS] hello , un ##aff ##able ! [SEP]

**Differences** from Hugging Face's `tokenizers`, met in rare scripts only (386 of 20,000 strings of random code
points): that library asks Unicode 8's tables what is punctuation or an accent, this file Python's newer ones; and
it leaves out U+2B820 to U+2B91F from the Chinese characters, which the published code has.
"""

import os
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from handmade.errors import InputError
from handmade.text.categories import WHITESPACE
from handmade.text.tokenizer import Tokenizer, read_text
from handmade.text.vocabulary import Vocabulary

PAD, UNK, CLS, SEP, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
SPECIAL = (PAD, UNK, CLS, SEP, MASK)
PREFIX = "##"
"""Marks a piece that continues a word."""
LONGEST_WORD = 100
"""A longer word is unknown as a whole."""

# The blocks of Chinese characters, each of which is a word. Hangul, Hiragana and Katakana are not among them.
CHINESE = re.compile(
    "[\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0002a6df\U0002a700-\U0002b73f"
    "\U0002b740-\U0002b81f\U0002b820-\U0002ceaf\uf900-\ufaff\U0002f800-\U0002fa1f]"
)
SPACE = re.compile(f"[{WHITESPACE}]")
SPECIAL_IN_TEXT = re.compile("(" + "|".join(map(re.escape, SPECIAL)) + ")")


class WordPieceTokenizer(Tokenizer):
    """Text to the numbers of BERT's vocabulary: `WordPieceTokenizer.from_file("vocab.txt")`.

    `lowercase` also takes the accents off (the "uncased" models). What no pieces spell becomes [UNK], word by
    word. A special token written in the text, as "The [MASK] sat", is that token.
    """

    kind = "wordpiece"

    def __init__(self, vocabulary: Vocabulary, lowercase: bool = True):
        absent = next((token for token in (UNK, CLS, SEP) if token not in vocabulary), None)
        if absent is not None:
            raise InputError(f"vocabulary: {absent} is missing; is this a vocabulary of BERT?")
        self.vocabulary = vocabulary
        self.lowercase = lowercase
        self._special = frozenset(token for token in SPECIAL if token in vocabulary)

    @classmethod
    def from_file(cls, vocab_txt: str | os.PathLike[str], lowercase: bool = True) -> "WordPieceTokenizer":
        """Read BERT's vocab.txt: one token a line, numbered from 0."""
        tokens = [line.rstrip() for line in read_text(vocab_txt).removesuffix("\n").split("\n")]
        special = [token for token in SPECIAL if token in tokens]
        return cls(Vocabulary(tokens, special=special, unk=UNK if UNK in tokens else None), lowercase)

    def encode(self, text: str, max_length: int | None = None, add_special_tokens: bool = True) -> list[int]:
        """The token numbers, with [CLS] before and [SEP] behind unless `add_special_tokens` is False.

        At most `max_length` numbers: the text is cut at its end, [CLS] and [SEP] stay.
        """
        ids = [self.vocabulary[token] for token in self.tokenize(text)]
        around = 2 if add_special_tokens else 0
        if max_length is not None:
            if max_length < around:
                raise InputError(f"max_length: got {max_length}, expected at least {around}, for [CLS] and [SEP]")
            ids = ids[: max_length - around]
        return [self.vocabulary[CLS], *ids, self.vocabulary[SEP]] if add_special_tokens else ids

    def tokenize(self, text: str) -> list[str]:
        """The pieces as strings, without [CLS] and [SEP]."""
        pieces: list[str] = []
        for part in SPECIAL_IN_TEXT.split(text):
            if part in self._special:
                pieces.append(part)
            else:
                for word in split_words(part, self.lowercase):
                    pieces += self._pieces(word)
        return pieces

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """The pieces joined to words, with spaces between; case, accents and spacing of the text are lost."""
        return " ".join(self.vocabulary.decode(ids, skip_special_tokens)).replace(f" {PREFIX}", "")

    def options(self) -> dict[str, Any]:
        return {"lowercase": self.lowercase}

    def _pieces(self, word: str) -> list[str]:
        """The longest piece the word begins with, then the longest for what remains; [UNK] if there is none."""
        if len(word) > LONGEST_WORD:
            return [UNK]
        pieces, start = [], 0
        while start < len(word):
            prefix = PREFIX if start else ""
            candidates = (prefix + word[start:end] for end in range(len(word), start, -1))
            piece = next((candidate for candidate in candidates if candidate in self.vocabulary), None)
            if piece is None:
                return [UNK]
            pieces.append(piece)
            start += len(piece) - len(prefix)
        return pieces


def split_words(text: str, lowercase: bool = True) -> list[str]:
    """Words and punctuation marks of a text: control characters dropped, each Chinese character a word.

    With `lowercase`, letters lose their accents and become small.
    """
    text = "".join(character for character in text if not _is_dropped(character))
    text = CHINESE.sub(r" \g<0> ", text)
    if lowercase:
        decomposed = unicodedata.normalize("NFD", text)
        # Each character by itself: a final capital sigma becomes σ, as in the reference, not ς.
        text = "".join(letter.lower() for letter in decomposed if unicodedata.category(letter) != "Mn")
    spaced = "".join(f" {character} " if _is_punctuation(character) else character for character in text)
    return [word for word in SPACE.split(spaced) if word]


def _is_dropped(character: str) -> bool:
    """Control, format, private-use and surrogate code points and U+FFFD; not tab and line ends: they are space."""
    category = unicodedata.category(character)
    return character == "\ufffd" or (category in ("Cc", "Cf", "Co", "Cs") and character not in "\t\n\r")


def _is_punctuation(character: str) -> bool:
    """Unicode's punctuation, and every ASCII sign that is no letter, digit or space, as $ + < = > ^ ` | ~."""
    if character.isascii():
        return character.isprintable() and not character.isalnum() and character != " "
    return unicodedata.category(character)[0] == "P"
