"""Words as vectors: which are near each other, and what is to one word as a second is to a third.

V words, D size of the vectors
"""

import numpy as np
from jaxtyping import Float

from handmade.errors import InputError, suggestion
from handmade.text.vocabulary import Vocabulary


class WordVectors:
    """Words and their vectors, compared by the cosine of the angle between them.

        vectors = WordVectors(vocabulary, model.centre.numpy())       # of word2vec
        vectors.nearest("king")                                       # [("queen", 0.78), ...]
        vectors.analogy("man", "king", "woman")                       # man is to king as woman is to ...

    Raises InputError where vocabulary and vectors differ in number, and for words that are unknown.
    """

    def __init__(self, vocabulary: Vocabulary, vectors: Float[np.ndarray, "V D"]) -> None:
        if len(vocabulary) != len(vectors):
            raise InputError(f"the vocabulary has {len(vocabulary)} words, and there are {len(vectors)} vectors")
        self.vocabulary = vocabulary
        self.vectors = vectors
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        self._units = vectors / np.where(norms == 0, 1, norms)  # a vector of zeros is near to nothing

    def __getitem__(self, word: str) -> Float[np.ndarray, "D"]:
        return self.vectors[self._number(word)]

    def similarity(self, word: str, other: str) -> float:
        """The cosine of the angle between two words' vectors, from -1 to 1."""
        return float(self._units[self._number(word)] @ self._units[self._number(other)])

    def nearest(self, word: str, count: int = 10) -> list[tuple[str, float]]:
        """The words most like `word`, without itself, and their similarities."""
        number = self._number(word)
        return self._nearest(self._units[number], [number], count)

    def analogy(self, a: str, b: str, c: str, count: int = 10) -> list[tuple[str, float]]:
        """`a` is to `b` as `c` is to these: the words nearest to b - a + c, of unit vectors, the three left out.

        Mikolov, Yih & Zweig 2013 (ACL N13-1090), section 4.
        """
        numbers = [self._number(word) for word in (a, b, c)]
        ua, ub, uc = self._units[numbers]
        target = ub - ua + uc
        return self._nearest(target / max(float(np.linalg.norm(target)), 1e-12), numbers, count)

    def _nearest(self, unit: Float[np.ndarray, "D"], left_out: list[int], count: int) -> list[tuple[str, float]]:
        if count < 1:
            raise InputError(f"count is {count}, expected at least 1 word")
        similarities = self._units @ unit
        similarities[left_out] = -np.inf
        found = np.argsort(-similarities, kind="stable")[: min(count, len(similarities) - len(set(left_out)))]
        return [(self.vocabulary.tokens[number], float(similarities[number])) for number in found]

    def _number(self, word: str) -> int:
        if word not in self.vocabulary:
            meant = suggestion(word, self.vocabulary.tokens)
            raise InputError(f"no vector is known for the word {word!r}, of {len(self.vocabulary)} words{meant}")
        return self.vocabulary[word]
