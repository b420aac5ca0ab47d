"""A sequence-to-sequence model in use.

S and T tokens of source and target
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, overload

import numpy as np
from jaxtyping import Float

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.models.sequence_to_sequence import BOS, EOS, SequenceToSequence
from handmade.nn.utils import evaluating
from handmade.tasks.translation.pairs import PairTokenizer, padded
from handmade.text import beam_search

AT_ONCE = 100
"""How many texts are translated at a time."""


@dataclass(frozen=True)
class Translator:
    """A model that turns one text into another, and its tokenizer.

        handmade.open("runs/seq2seq-attention-1").translate("3 May 2007")    # "2007-05-03"

    tokenizer: one for both sides.
    """

    name: str
    model: SequenceToSequence
    tokenizer: PairTokenizer
    trained: bool = True

    purpose: ClassVar[str] = "translate"

    @overload
    def translate(self, texts: str, *, beam: int = 1, alpha: float = 0.6) -> str: ...
    @overload
    def translate(self, texts: Sequence[str], *, beam: int = 1, alpha: float = 0.6) -> list[str]: ...
    def translate(self, texts: str | Sequence[str], *, beam: int = 1, alpha: float = 0.6) -> str | list[str]:
        """Each text in the other language, or form, by beam search (beam 1: greedy); one text alone gives one.

        alpha: of the length penalty; see text/decoding.py. A target has at most twice as many tokens as its source, and
        ten more. Raises InputError for empty texts, and options out of range.
        """
        if isinstance(texts, str):
            return self.translate([texts], beam=beam, alpha=alpha)[0]
        for number, text in enumerate(texts, 1):
            if not text.strip():
                raise InputError(f"text {number} of {len(texts)} is empty: there is nothing to translate.")
        sources = [self.tokenizer.source(text) for text in texts]
        order = sorted(range(len(sources)), key=lambda place: len(sources[place]))
        made = [""] * len(texts)
        for first in range(0, len(order), AT_ONCE):
            places = order[first : first + AT_ONCE]
            found = self._search([sources[place] for place in places], beam, alpha)
            for place, tokens in zip(places, found, strict=True):
                made[place] = self.tokenizer.text(tokens)
        return made

    @no_grad()
    def alignment(self, source: str, target: str) -> tuple[list[str], list[str], Float[np.ndarray, "T S"]] | None:
        """The tokens of both, and how much each target token looks at each source token; None without attention."""
        read, written = self.tokenizer.source(source), self.tokenizer.target(target)
        with evaluating(self.model):
            weights = self.model.alignment(Tensor(padded([read])), Tensor(padded([written[:-1]])))
        if weights is None:
            return None
        return self.tokenizer.pieces(read), self.tokenizer.pieces(written[1:]), weights[0]

    @no_grad()
    def _search(self, sources: Sequence[Sequence[int]], beam: int, alpha: float) -> list[list[int]]:
        """The tokens of the best hypothesis of each source."""
        limits = [2 * len(source) + 10 for source in sources]
        prompt = np.full((len(sources), 1), BOS)
        with evaluating(self.model):
            state = self.model.encode(Tensor(padded(sources)))
            found = beam_search(self.model.step, state, prompt, eos=EOS, beam=beam, max_len=max(limits), alpha=alpha)
        return [hypotheses[0].tokens[:limit] for hypotheses, limit in zip(found, limits, strict=True)]
