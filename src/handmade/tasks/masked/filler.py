"""A BERT in use: it fills in what is hidden in a text.

T tokens, K masks, V vocabulary size
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int64

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError, printable
from handmade.models.bert import BertForMaskedLM
from handmade.nn.utils import evaluating
from handmade.tasks.masked.masking import MaskTokenizer
from handmade.tasks.masked.pieces import WordPieces
from handmade.text.wordpiece import PREFIX

MASK = "[MASK]"


@dataclass(frozen=True)
class Filler:
    """A model that guesses hidden tokens, and its tokenizer.

        handmade.open("runs/bert-1").fill("To be, or n[MASK]t to be")    # [[("o", 0.97), ...]]

    tokenizer: byte pairs of a run, or WordPiece of a published BERT.
    """

    name: str
    model: BertForMaskedLM
    tokenizer: MaskTokenizer | WordPieces
    trained: bool = True

    purpose: ClassVar[str] = "fill in masks"

    def fill(self, text: str, count: int = 5) -> list[list[tuple[str, float]]]:
        """For each [MASK] of `text` the `count` most likely tokens, as text, with their probabilities.

        Raises InputError where nothing is masked, or the text is longer than the model can see.
        """
        tokens, longest = self.tokenizer.around(text), self.model.config.max_position_embeddings
        if self.tokenizer.mask not in tokens:
            raise InputError(f"{text!r} holds no {MASK}: put one where the model shall fill in.")
        if len(tokens) > longest:
            raise InputError(
                f"the text has {len(tokens) - 2} tokens, and this model sees {longest - 2} at once: shorten it."
            )
        probabilities = self.probabilities(np.array(tokens))
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
        return [
            [(piece, float(row[token])) for piece, token in zip(self.tokenizer.pieces(likely), likely, strict=True)]
            for row, likely in zip(probabilities, best.tolist(), strict=True)
        ]

    def describe(self, text: str) -> str:
        """The text with its masks filled in, then a line for each mask: the most likely tokens, their probabilities."""
        guesses, (filled, *parts) = self.fill(text), text.split(MASK)
        for best, part in zip(guesses, parts, strict=True):
            before = filled.removesuffix(" ") if self.tokenizer.spaces_belong_to_words else filled
            filled = f"{before}{best[0][0].removeprefix(PREFIX)}{part}"
        lines = [printable(filled.replace("\n", "¶"))]
        for number, best in enumerate(guesses, 1):
            likely = ", ".join(
                f"{printable(token.strip()) or repr(token)} {100 * share:.1f} %" for token, share in best
            )
            lines.append(f"  mask {number}: {likely}")
        return "\n".join(lines)

    @no_grad()
    def probabilities(self, tokens: Int64[np.ndarray, "T"]) -> Float[np.ndarray, "K V"]:
        """The probability of every token at each mask; special tokens are no text and have none."""
        with evaluating(self.model):
            logits = self.model(Tensor(tokens[None]))[0, np.flatnonzero(tokens == self.tokenizer.mask)]
        logits.array[:, self.tokenizer.special] = -np.inf
        return logits.softmax(dim=1).array
