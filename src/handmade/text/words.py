"""Tokenizers whose token is a character or a word."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from handmade.errors import InputError
from handmade.text.tokenizer import Tokenizer
from handmade.text.vocabulary import BOS, EOS, PAD, UNK, Vocabulary

# What a keyboard or a word processor puts where plain text has something simpler.
PLAIN = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"}  # quotes, dashes


class CharacterTokenizer(Tokenizer):
    """One token a character (a Unicode code point).

    A character that the vocabulary does not know is an InputError that names it and its place, unless the
    vocabulary has an unknown token: then it becomes that. Special tokens are never read out of a text:
    "<eos>" is five characters.
    """

    kind = "character"

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self._ids = {token: number for number, token in enumerate(vocabulary.tokens) if len(token) == 1}

    @classmethod
    def train(cls, text: str, special: Sequence[str] = (), unk: str | None = None) -> "CharacterTokenizer":
        """The special tokens, the unknown token if one is wanted, and the characters of `text` by code point."""
        tokens = [*special, *([unk] if unk else []), *sorted(set(text))]
        return cls(Vocabulary(tokens, special=special, unk=unk))

    def encode(self, text: str) -> list[int]:
        """One number a character. InputError at the first unknown one, unless there is an unknown token."""
        unk = self.vocabulary.unk_id
        if unk is not None:
            return [self._ids.get(character, unk) for character in text]
        try:
            return [self._ids[character] for character in text]
        except KeyError:
            raise self._unknown(text) from None

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        return "".join(self.vocabulary.decode(ids, skip_special_tokens))

    def stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of `ids` piece by piece, as they come."""
        return (self.decode([number]) for number in ids)

    def _unknown(self, text: str) -> InputError:
        position, character = next((p, c) for p, c in enumerate(text) if c not in self._ids)
        likely = (
            PLAIN.get(character),
            unicodedata.normalize("NFKD", character)[0],
            character.lower(),
            character.upper(),
        )
        instead = next((c for c in likely if c in self._ids), None)
        hint = f"write {instead!r} instead" if instead else "leave it out, or make the vocabulary with an unknown token"
        name = unicodedata.name(character, "unnamed")
        return InputError(
            f"text: character {character!r} (U+{ord(character):04X} {name}) at position {position} is not "
            f"among the {len(self._ids)} characters of the vocabulary; {hint}"
        )


class WordTokenizer(Tokenizer):
    """One token a word or a punctuation mark; what the vocabulary does not know becomes its unknown token.

    A word is a run of letters, digits and underscores, apostrophes inside it included (geht's); spaces only
    separate. Decoding puts one space between two tokens, so the spacing of the text is not kept.
    """

    kind = "word"
    WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")

    def __init__(self, vocabulary: Vocabulary):
        if vocabulary.unk is None:
            raise InputError("vocabulary: a WordTokenizer needs an unknown token; make the vocabulary with unk=UNK")
        self.vocabulary = vocabulary

    @classmethod
    def train(
        cls, texts: str | Iterable[str], max_words: int | None = None, special: Sequence[str] = (PAD, BOS, EOS)
    ) -> "WordTokenizer":
        """The special tokens, `UNK`, and the `max_words` most frequent words of `texts` (all, if None).

        Of equally frequent words the one met first comes first.
        """
        texts = [texts] if isinstance(texts, str) else texts
        counts = Counter(word for text in texts for word in cls.WORD.findall(text))
        words = [word for word, _ in counts.most_common(max_words)]
        return cls(Vocabulary([*special, UNK, *words], special=special, unk=UNK))

    def encode(self, text: str) -> list[int]:
        return [self.vocabulary[word] for word in self.WORD.findall(text)]

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        return " ".join(self.vocabulary.decode(ids, skip_special_tokens))

    def stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of `ids` piece by piece, as they come."""
        space = ""
        for number in ids:
            for word in self.vocabulary.decode([number]):
                yield space + word
                space = " "
