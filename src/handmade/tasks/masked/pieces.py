"""The tokenizer of published BERTs, in the form in which a BERT is used here."""

from collections.abc import Iterable

from handmade.text import WordPieceTokenizer
from handmade.text.wordpiece import MASK, SPECIAL


class WordPieces:
    """WordPiece with BERT's special tokens. In a text, "[MASK]" is that token."""

    spaces_belong_to_words = False

    def __init__(self, tokenizer: WordPieceTokenizer) -> None:
        self.tokenizer = tokenizer
        words = tokenizer.vocabulary
        self.mask = words[MASK]
        self.special = tuple(words[token] for token in SPECIAL)

    def around(self, text: str) -> list[int]:
        """The tokens as the model reads them, from [CLS] to [SEP]."""
        return self.tokenizer.encode(text)

    def pieces(self, tokens: Iterable[int]) -> list[str]:
        """What each token says; a piece that continues a word begins with ##."""
        return self.tokenizer.vocabulary.decode(tokens, False)
