"""GloVe's word vectors, as published (Pennington, Socher & Manning 2014, ACL D14-1162).

A text file, a word a line and its numbers after it, separated by single spaces:

    the 0.418 0.24968 -0.41242 ...
    . . . 0.15164 0.30177 ...           (in the 840B file a few words hold spaces)
"""

import io
import os

import numpy as np

from handmade.errors import InputError
from handmade.reading import open_file
from handmade.text.embeddings import WordVectors
from handmade.text.vocabulary import Vocabulary


def read_glove(path: str | os.PathLike[str], max_words: int | None = None) -> WordVectors:
    """The vectors of a GloVe text file, float32; of the first `max_words` lines only, which hold the frequent words.

    How many numbers a vector has is told by the first line. Raises InputError, with the line's number, where there are
    more or fewer, or something that is no finite number, or a word that stood there before; and for a file that cannot
    be read as UTF-8, or is empty.
    """
    if max_words is not None and max_words < 1:
        raise InputError(f"max_words is {max_words}, expected at least 1")
    words: dict[str, int] = {}
    vectors: list[np.ndarray] = []
    size = 0
    try:
        with io.TextIOWrapper(open_file(path), "utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                fields = line.rstrip("\r\n").split(" ")
                size = size or len(fields) - 1
                word, vector = _parse(fields, size, f"{path}, line {number}")
                if word in words:
                    raise InputError(f"{path}, line {number}: {word!r} stands in line {words[word]} already")
                words[word] = number
                vectors.append(vector)
                if number == max_words:
                    break
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    if not words:
        raise InputError(f"{path} is empty; expected a word and its numbers in each line")
    return WordVectors(Vocabulary(words), np.stack(vectors))


def _parse(fields: list[str], size: int, place: str) -> tuple[str, np.ndarray]:
    """The word and its `size` numbers; what stands before the numbers is the word, with spaces or without."""
    if size < 1 or len(fields) < size + 1:
        raise InputError(
            f"{place}: expected a word and {size or 'its'} numbers, separated by spaces, got {len(fields) - 1} numbers"
        )
    word = " ".join(fields[:-size])
    try:
        with np.errstate(over="ignore"):  # told below
            vector = np.array(fields[-size:], np.float32)
    except ValueError as error:
        raise InputError(f"{place}: not all that follows {word!r} is a number ({error})") from error
    if not np.isfinite(vector).all():
        raise InputError(f"{place}: the vector of {word!r} holds a number that is not finite")
    return word, vector
