"""Masked language modelling: the recipe and the task of BERT.

B texts of a batch, T tokens of each, K hidden ones, V vocabulary size
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int64

import handmade
from handmade import data
from handmade.data import Text
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.bert import BertConfig, BertForMaskedLM
from handmade.nn import Module
from handmade.nn import functional as F
from handmade.nn.utils import evaluating
from handmade.optim import AdamW, LambdaLR, Optimizer
from handmade.reading import require
from handmade.tasks.decay import decay_groups
from handmade.tasks.masked.filler import Filler
from handmade.tasks.masked.masking import CLS, MASK, SEP, SPECIAL, Masked, MaskTokenizer, masked
from handmade.tasks.recipe import Recipe
from handmade.tasks.schedules import scheduled
from handmade.tasks.task import Outcome, Task


@dataclass(frozen=True, kw_only=True)
class MaskedRecipe(Recipe):
    """Settings for training a BERT.

    schedule: how the learning rate changes in the course of the run (see tasks/schedules.py).
    weight_decay: of matrices and tables; biases and norms have none.
    merges: how many byte pairs are learned from the text; with the 256 bytes they are what is guessed. Without any,
        these are characters (those beyond ASCII are several bytes).
    sequence_length: tokens that are read together, [CLS] and [SEP] included.
    hidden_size, num_layers, num_heads, dropout: of the network; see models/bert.py. Its inner layers are 4 hidden_size
        wide. First weights have the deviation 1 / sqrt(hidden_size): with BERT's 0.02, made for 768, a narrow network
        knows nothing but how frequent each token is for a long time.
    """

    schedule: Literal["constant", "steps", "cosine", "one-cycle", "polynomial"] = "one-cycle"
    weight_decay: float = 0.01
    max_norm: float = 1.0
    merges: int = 0
    sequence_length: int = 32
    hidden_size: int = 64
    num_layers: int = 3
    num_heads: int = 4
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(0, "weight_decay", "merges", "dropout")
        self.at_least(1, "hidden_size", "num_layers", "num_heads")
        self.at_least(3, "sequence_length")
        if self.hidden_size % self.num_heads:
            raise InputError(f"num_heads is {self.num_heads}, which does not divide hidden_size = {self.hidden_size}.")

    def make_optimizer(self, model: Module) -> AdamW:
        return AdamW(decay_groups(model, self.weight_decay), self.learning_rate)

    def make_schedule(self, optimizer: Optimizer, total_steps: int) -> LambdaLR:
        return scheduled(optimizer, self.schedule, total_steps)

    def build(self, vocab_size: int) -> BertForMaskedLM:
        """The model, with initial weights drawn from the global generator."""
        return BertForMaskedLM(
            BertConfig(
                vocab_size=vocab_size,
                hidden_size=self.hidden_size,
                num_hidden_layers=self.num_layers,
                num_attention_heads=self.num_heads,
                intermediate_size=4 * self.hidden_size,
                max_position_embeddings=self.sequence_length,
                type_vocab_size=1,
                hidden_dropout_prob=self.dropout,
                attention_probs_dropout_prob=self.dropout,
                initializer_range=self.hidden_size**-0.5,
            )
        )

    def task(self, facts: dict[str, Any] | None = None) -> "MaskedLanguageModelling":
        return MaskedLanguageModelling(self, facts)


class MaskedLanguageModelling(Task):
    """The task of a MaskedRecipe, on running text. Data sets are read when they are first needed.

    In every epoch the text is cut at other places, and other tokens are hidden; in the test always the same ones.
    """

    unit = "tokens"

    def __init__(self, recipe: MaskedRecipe, facts: dict[str, Any] | None = None) -> None:
        self.recipe: MaskedRecipe = recipe
        if facts is None:
            self.tokenizer = MaskTokenizer.learned(self._text("train"), recipe.merges)
        else:
            require(facts, {"merges": list[str]}, "facts")
            self.tokenizer = MaskTokenizer(facts["merges"])
        self.facts = self.tokenizer.facts
        handmade.manual_seed(recipe.seed)
        self.model: BertForMaskedLM = recipe.build(len(self.tokenizer))

    # --- training -------------------------------------------------------------------------------------------------

    @cached_property
    def train_tokens(self) -> Int64[np.ndarray, "N"]:
        return self._tokens("train")

    @cached_property
    def test_tokens(self) -> Int64[np.ndarray, "N"]:
        return self._tokens("test")

    @property
    def steps_per_epoch(self) -> int:
        return -(-self._count(self.train_tokens) // self.recipe.batch_size)

    def batches(self, epoch: int, start: int) -> Iterator[Masked]:
        rng = np.random.default_rng([self.recipe.seed, epoch])
        texts = self._cut(self.train_tokens, int(rng.integers(self._width)))
        order = rng.permutation(len(texts))
        for number in range(start, self.steps_per_epoch):
            chosen = order[number * self.recipe.batch_size :][: self.recipe.batch_size]
            rng = np.random.default_rng([self.recipe.seed, epoch, number])
            yield masked(texts[chosen], len(self.tokenizer), rng)

    def loss(self, batch: Masked) -> Outcome:
        """-log p(token), averaged over the hidden ones."""
        logits, targets = self._guess(batch), batch.targets.reshape(-1)
        right = float((logits.array.argmax(axis=1) == targets).sum())
        return Outcome(F.cross_entropy(logits, Tensor(targets)), len(targets), {"accuracy": right})

    def _guess(self, batch: Masked) -> Float[Tensor, "BK V"]:
        """The scores at the hidden places: the head need not run at others."""
        hidden = self.model.bert(Tensor(batch.tokens)).last_hidden_state  # B T D
        return self.model.cls(hidden[np.arange(len(batch.places))[:, None], batch.places].flatten(0, 1))

    # --- testing and use ------------------------------------------------------------------------------------------

    @cached_property
    def use(self) -> Filler:
        return Filler(self.recipe.model, self.model, self.tokenizer)

    def evaluate(self) -> dict[str, float]:
        """-log p of the hidden tokens of the test text, in nats, and how many of them are the most likely guess."""
        texts, size = self._cut(self.test_tokens, 0), self.recipe.batch_size
        rng = np.random.default_rng(self.recipe.seed)
        loss, right, count = 0.0, 0.0, 0
        with evaluating(self.model), handmade.no_grad():
            for first in range(0, len(texts), size):
                outcome = self.loss(masked(texts[first : first + size], len(self.tokenizer), rng))
                loss += outcome.loss.item() * outcome.count
                right += outcome.totals["accuracy"]
                count += outcome.count
        return {"loss": loss / count, "accuracy": right / count}

    def sample(self) -> str:
        """The beginning of the test text, every seventh token hidden and guessed: '[guess]' or '[guess, not token]'."""
        tokens = self._cut(self.test_tokens, 0)[0]
        hidden = tokens.copy()
        hidden[4:-1:7] = MASK
        guesses = tokens.copy()
        guesses[4:-1:7] = self.use.probabilities(hidden).argmax(axis=1)
        pieces, guessed = (self.tokenizer.pieces(row.tolist()) for row in (tokens, guesses))
        shown = ""
        for place, (piece, guess) in enumerate(zip(pieces, guessed, strict=True)):
            blank = " " if piece.startswith(" ") and piece != " " else ""
            marked = f"[{_named(piece)}]" if guess == piece else f"[{_named(guess)}, not {_named(piece)}]"
            shown += blank + marked if hidden[place] == MASK else piece
        return shown.removeprefix(SPECIAL[CLS]).removesuffix(SPECIAL[SEP]).strip()

    def draw(self, folder: Path) -> list[Path]:
        return []

    # --- data -----------------------------------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        """Tokens of the text that are read together."""
        return self.recipe.sequence_length - 2

    def _count(self, tokens: Int64[np.ndarray, "N"]) -> int:
        """How many texts `tokens` give, wherever they are cut."""
        count = (len(tokens) - self._width + 1) // self._width
        if count < 1:
            raise InputError(
                f"{self.recipe.data} has {len(tokens)} tokens in a part; sequence_length {self.recipe.sequence_length} "
                f"takes {2 * self._width - 1} at least: take a longer text, or a smaller sequence_length."
            )
        return count

    def _cut(self, tokens: Int64[np.ndarray, "N"], offset: int) -> Int64[np.ndarray, "texts T"]:
        """Texts of T tokens, from [CLS] to [SEP]; `offset` tokens at the beginning, and some at the end, are left."""
        count = self._count(tokens)
        texts = tokens[offset : offset + count * self._width].reshape(count, self._width)
        return np.pad(texts, ((0, 0), (1, 1)), constant_values=((0, 0), (CLS, SEP)))

    def _tokens(self, split: str) -> Int64[np.ndarray, "N"]:
        return np.array(self.tokenizer.encode(self._text(split)))

    def _text(self, split: str) -> str:
        loaded = data.load(self.recipe.data, split)
        if not isinstance(loaded, Text):
            raise InputError(f"{self.recipe.data} holds no running text; take a set such as shakespeare, or text:FILE.")
        return loaded.text


def _named(piece: str) -> str:
    """A token within brackets: blanks alone are made visible."""
    return piece.strip() or {"\n": "¶"}.get(piece, "␣")
