"""The characters of textgenrnn's published weights."""

from functools import cache
from pathlib import Path

from handmade.text import CharacterTokenizer, load_tokenizer


@cache
def textgenrnn_tokenizer() -> CharacterTokenizer:
    """The 463 characters that textgenrnn's published weights know, by their numbers (textgenrnn_tokenizer.LICENSE).

    Token 0 stands before a text, the last one at its beginning and end (NOTHING and START of models/textgenrnn.py).
    """
    tokenizer = load_tokenizer(Path(__file__).with_name("textgenrnn_tokenizer.json"))
    assert isinstance(tokenizer, CharacterTokenizer)
    return tokenizer
