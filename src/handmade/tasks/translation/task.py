"""Translation: the recipe and the task of every sequence-to-sequence model.

B pairs of a batch, S and T tokens of source and target, V vocabulary size
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Int

import handmade
from handmade import data
from handmade.data import Pairs
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.sequence_to_sequence import PAD, SequenceToSequence
from handmade.nn import functional as F
from handmade.nn.utils import evaluating
from handmade.optim import Optimizer
from handmade.optim.lr_scheduler import LRScheduler
from handmade.reading import require
from handmade.tasks.recipe import Recipe
from handmade.tasks.schedules import scheduled
from handmade.tasks.task import Outcome, Task
from handmade.tasks.translation.alignment import draw_alignment, draw_exact_by_length
from handmade.tasks.translation.pairs import PairBatches, PairTokenizer
from handmade.tasks.translation.translator import Translator
from handmade.text import corpus_bleu

TRANSLATED, SHOWN = 500, 3
"""How many test pairs are translated after each epoch, and how many are shown."""

Batch = tuple[Tensor, Tensor]
"""Sources, B S, and targets from BOS to EOS, B T."""


@dataclass(frozen=True, kw_only=True)
class TranslationRecipe(Recipe):
    """Settings for training a sequence-to-sequence model. A family of models gives `build`.

    batch_size: in tokens; pairs of similar length, each counted with the tokens of its longer side and padding.
    test: the test pairs, 'SOURCE,TARGET', where they have files of their own, as parallel:SOURCE,TARGET has for
        training; otherwise every tenth pair is kept for the test.
    tokens: what texts are cut into; 'auto' takes characters for dates and byte pairs for all else.
    merges: how many byte pairs are learned, from both sides together.
    schedule: how the learning rate changes in the course of the run (see tasks/schedules.py).
    label_smoothing: the probability that the targets spread evenly over all tokens.
    """

    schedule: Literal["constant", "steps", "cosine", "one-cycle", "polynomial", "inverse-square-root"] = "one-cycle"
    test: str | None = None
    tokens: Literal["auto", "characters", "byte-pairs"] = "auto"
    merges: int = 4000
    label_smoothing: float = 0.0
    max_norm: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(0, "merges", "label_smoothing")
        if self.label_smoothing >= 1:
            raise InputError(f"label_smoothing is {self.label_smoothing}, expected a number below 1.")

    def build(self, vocab_size: int) -> SequenceToSequence:
        """The model, with initial weights drawn from the global generator."""
        raise NotImplementedError

    def tested_on(self, data: str) -> "TranslationRecipe":
        """Of two files, all pairs."""
        form, _, files = data.partition(":")
        return replace(self, test=files) if form == "parallel" else replace(self, data=data, test=None)

    def make_schedule(self, optimizer: Optimizer, total_steps: int) -> LRScheduler:
        return scheduled(optimizer, self.schedule, total_steps)

    def task(self, facts: dict[str, Any] | None = None) -> "TranslationTask":
        return TranslationTask(self, facts)


class TranslationTask(Task):
    """The task of a TranslationRecipe. Data sets are read when they are first needed.

    What is spelled by characters is judged by how many targets come out exactly, other texts by BLEU; both of the
    most likely tokens one by one (greedy), on the first TRANSLATED of the test pairs.
    """

    unit = "tokens"

    def __init__(self, recipe: TranslationRecipe, facts: dict[str, Any] | None = None) -> None:
        self.recipe: TranslationRecipe = recipe
        if facts is None:
            self.tokenizer = self._learned_tokenizer()
        else:
            kind = list[str] | None
            require(facts, {"characters": kind, "merges": kind}, "facts")
            self.tokenizer = PairTokenizer(facts["characters"], facts["merges"])
        self.facts = self.tokenizer.facts
        handmade.manual_seed(recipe.seed)
        self.model: SequenceToSequence = recipe.build(len(self.tokenizer))

    # --- training -------------------------------------------------------------------------------------------------

    @cached_property
    def train_pairs(self) -> Pairs:
        return load_pairs(self.recipe.data, "all" if self.recipe.test else "train")

    @cached_property
    def test_pairs(self) -> Pairs:
        test = self.recipe.test
        return load_pairs(f"parallel:{test}", "all") if test else load_pairs(self.recipe.data, "test")

    @cached_property
    def train_set(self) -> PairBatches:
        return self._batches(self.train_pairs, self.recipe.seed)

    @property
    def steps_per_epoch(self) -> int:
        return len(self.train_set)

    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        for source, target in self.train_set.batches(epoch, start):
            yield Tensor(source), Tensor(target)

    def loss(self, batch: Batch) -> Outcome:
        """-log p(token) averaged over the target tokens; with the recipe's label smoothing."""
        return self._outcome(batch, self.recipe.label_smoothing)

    def _outcome(self, batch: Batch, label_smoothing: float) -> Outcome:
        source, target = batch
        logits = self.model(source, target[:, :-1])  # B T-1 V: the scores of target[:, 1:]
        wanted = target[:, 1:].flatten()
        loss = F.cross_entropy(logits.flatten(0, 1), wanted, ignore_index=PAD, label_smoothing=label_smoothing)
        return Outcome(loss, int((wanted.array != PAD).sum()), {})

    # --- testing and use ------------------------------------------------------------------------------------------

    @cached_property
    def use(self) -> Translator:
        return Translator(self.recipe.model, self.model, self.tokenizer)

    def evaluate(self) -> dict[str, float]:
        """The loss without smoothing, in nats a token, on the whole test set, and how good translations are."""
        made, wanted = self._translated()
        if self.tokenizer.by_characters:
            return {"loss": self._test_loss(), "exact": float(np.mean(self._right(made, wanted)))}
        return {"loss": self._test_loss(), "bleu": corpus_bleu(made, [[text] for text in wanted]).score}

    def sample(self) -> str:
        """The first test pairs: source, what the model makes of it, and the target where that is another."""
        pairs, lines = self.test_pairs, []
        sources, targets = pairs.sources[:SHOWN], pairs.targets[:SHOWN]
        for source, made, wanted in zip(sources, self.use.translate(sources), targets, strict=True):
            lines.append(f"{source} -> {made}" + ("" if made == wanted else f" (expected: {wanted})"))
        return "\n".join(lines)

    def draw(self, folder: Path) -> list[Path]:
        """alignment.png of the first test pair, if there is attention; exact.png by input length, of characters."""
        paths = []
        source = self.test_pairs.sources[0]
        aligned = self.use.alignment(source, self.use.translate([source])[0])
        if aligned is not None:
            paths.append(folder / "alignment.png")
            draw_alignment(paths[-1], *aligned, f"{self.recipe.model}: where each written token looks")
        if self.tokenizer.by_characters:
            paths.append(folder / "exact.png")
            draw_exact_by_length(paths[-1], {self.recipe.model: self.exact_by_length()})
        return paths

    def exact_by_length(self, count: int = TRANSLATED) -> tuple[Int[np.ndarray, "N"], Bool[np.ndarray, "N"]]:
        """The length of each of the first `count` test sources in characters, and whether it comes out right."""
        made, wanted = self._translated(count)
        lengths = np.array([len(source) for source in self.test_pairs.sources[: len(made)]])
        return lengths, self._right(made, wanted)

    def _translated(self, count: int = TRANSLATED) -> tuple[list[str], Sequence[str]]:
        pairs = self.test_pairs
        return self.use.translate(pairs.sources[:count]), pairs.targets[:count]

    def _right(self, made: Sequence[str], wanted: Sequence[str]) -> Bool[np.ndarray, "N"]:
        return np.array([one == other for one, other in zip(made, wanted, strict=True)])

    def _test_loss(self) -> float:
        total, count = 0.0, 0
        with evaluating(self.model), handmade.no_grad():
            for source, target in self._batches(self.test_pairs, None).batches(0, 0):
                outcome = self._outcome((Tensor(source), Tensor(target)), 0.0)
                total, count = total + outcome.loss.item() * outcome.count, count + outcome.count
        return total / count

    # --- data -----------------------------------------------------------------------------------------------------

    def _learned_tokenizer(self) -> PairTokenizer:
        recipe, pairs = self.recipe, self.train_pairs
        texts = [*pairs.sources, *pairs.targets]
        if recipe.tokens == "byte-pairs" or (recipe.tokens == "auto" and recipe.data != "dates"):
            return PairTokenizer.of_byte_pairs(texts, recipe.merges)
        return PairTokenizer.of_characters([*texts, *self.test_pairs.sources, *self.test_pairs.targets])

    def _batches(self, pairs: Pairs, seed: int | None) -> PairBatches:
        self._require_known(pairs)
        sources = [self.tokenizer.source(text) for text in pairs.sources]
        targets = [self.tokenizer.target(text) for text in pairs.targets]
        return PairBatches(sources, targets, self.recipe.batch_size, seed)

    def _require_known(self, pairs: Pairs) -> None:
        """Raise InputError for targets with characters outside the vocabulary."""
        unknown = self.tokenizer.unknown("".join(pairs.targets))
        if unknown:
            named = ", ".join(map(repr, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
            raise InputError(
                f"{pairs.name} does not fit this model's vocabulary: {len(unknown)} characters of its targets are not "
                f"among those that {self.recipe.model} has learned to write ({named}). Train a model on {pairs.name}."
            )


def load_pairs(name: str, split: str) -> Pairs:
    """The data set `name`, which must be one of pairs."""
    loaded = data.load(name, split)
    if not isinstance(loaded, Pairs):
        raise InputError(f"{name} holds no pairs of texts; take dates, or parallel:SOURCE,TARGET for two files.")
    if not len(loaded):
        raise InputError(
            f"{name} has no pairs for {split}: of fewer than ten, none is kept; give files with test=SOURCE,TARGET."
        )
    return loaded
