"""Language modelling: the recipe and the task of character-level language models.

B sequences of a batch, T characters of each, V vocabulary size
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

import handmade
from handmade import data
from handmade.data import Lines, Text
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.char_lm import IGNORED, CharLM, State, next_token_loss
from handmade.nn import functional as F
from handmade.nn.utils import evaluating, laid_out_like
from handmade.reading import require
from handmade.tasks.language.sequences import EveryWindow, PaddedLines, Streams, Tokens, Windows
from handmade.tasks.language.surprise import draw_surprise
from handmade.tasks.language.writer import LINE_END, LineWriter, Writer
from handmade.tasks.recipe import Recipe
from handmade.tasks.task import Outcome, Task
from handmade.text import CharacterTokenizer, Vocabulary

SAMPLE, DRAWN = 120, 1200
"""How many characters are written after each epoch, and how many of the test text are drawn."""

Batch = tuple[Tensor, Tensor, State | None]
"""Inputs and targets, B T, and the state that the inputs continue from."""


@dataclass(frozen=True, kw_only=True)
class LanguageRecipe(Recipe):
    """Settings for training a language model. A family of models gives `build`.

    sequence_length: characters that gradients go back through (truncated backpropagation through time); the state is
        carried on beyond them. Lines are never cut.
    """

    sequence_length: int = 64
    max_norm: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "sequence_length")

    def build(self, vocab_size: int) -> CharLM:
        """The model, with initial weights drawn from the global generator."""
        raise NotImplementedError

    def cut(self, tokens: Int64[np.ndarray, "N"]) -> Streams | Windows:
        """Running text for training, in batches."""
        return Streams(tokens, self.batch_size, self.sequence_length)

    def cut_for_test(self, tokens: Int64[np.ndarray, "N"]) -> Streams | EveryWindow:
        """Running text for testing; a short one has room for fewer streams."""
        return Streams(tokens, max(1, min(self.batch_size, len(tokens) - 1)), self.sequence_length)

    def task(self, facts: dict[str, Any] | None = None) -> "LanguageModelling":
        return LanguageModelling(self, facts)


class LanguageModelling(Task):
    """The task of a LanguageRecipe, on running text or on lines. Data sets are read when they are first needed.

    The vocabulary is every character of the set, those of its test part included. Of lines, the line end is the
    character that each begins after and ends with.
    """

    unit = "characters"

    def __init__(self, recipe: LanguageRecipe, facts: dict[str, Any] | None = None) -> None:
        self.recipe: LanguageRecipe = recipe
        self.facts = text_facts(recipe.data) if facts is None else facts
        require(self.facts, {"lines": bool, "characters": list[str]}, "facts")
        self.learns_lines: bool = self.facts["lines"]
        self.tokenizer = CharacterTokenizer(Vocabulary(self.facts["characters"]))
        handmade.manual_seed(recipe.seed)
        self.model: CharLM = recipe.build(len(self.tokenizer.vocabulary))
        self.carried: State | None = None

    # --- training -------------------------------------------------------------------------------------------------

    @cached_property
    def train_set(self) -> Streams | Windows | EveryWindow | PaddedLines:
        return self._sequences("train", self.recipe.seed)

    @property
    def steps_per_epoch(self) -> int:
        return len(self.train_set)

    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        if start == 0:
            self.carried = None
        for tokens, targets in self.train_set.batches(epoch, start):
            yield Tensor(tokens), Tensor(targets), self.carried

    def loss(self, batch: Batch) -> Outcome:
        """Of the batch alone: no gradient goes back into the state that it begins with."""
        tokens, targets, before = batch
        count = int((targets.array != IGNORED).sum())
        if not self.train_set.carries:
            _, loss = self.model(tokens, targets)
            return Outcome(loss, count, {})
        logits, after = self.model.read(tokens, before)
        self.carried = tuple(tensor.detach() for tensor in after)
        return Outcome(next_token_loss(logits, targets), count, {})

    def state(self) -> dict[str, Any]:
        return {"carried": None if self.carried is None else [tensor.array for tensor in self.carried]}

    def load_state(self, state: dict[str, Any]) -> None:
        require(state, {"carried": list | None}, "its task's state")
        self.carried = None if state["carried"] is None else self._carried_by(state["carried"])

    def _carried_by(self, arrays: list[Any]) -> State:
        """The state that they hold, of the sizes and with the layout in memory that this model's has."""
        if not self.train_set.carries:
            raise ValueError("its task's state carries something, but every batch of this recipe begins anew")
        tokens, _ = next(iter(self.train_set.batches(0, 0)))
        with evaluating(self.model), handmade.no_grad():
            _, like = self.model.read(Tensor(tokens[:, :1]))
        expected = [(tensor.shape, tensor.dtype) for tensor in like]
        found = [(array.shape, array.dtype) if isinstance(array, np.ndarray) else array for array in arrays]
        if found != expected:
            raise ValueError(f"its task's state carries {found}, expected {expected}")
        return tuple(Tensor(laid_out_like(array, tensor.array)) for array, tensor in zip(arrays, like, strict=True))

    # --- testing and use ------------------------------------------------------------------------------------------

    @cached_property
    def use(self) -> Writer:
        kind = LineWriter if self.learns_lines else Writer
        return kind(self.model, self.tokenizer, name=self.recipe.model)

    def evaluate(self) -> dict[str, float]:
        """The mean of -log p(character) over the test text, in nats."""
        test_set, state = self._sequences("test"), None
        total, count = 0.0, 0
        for tokens, targets in test_set.batches(0, 0):
            nats, after = self._nats(tokens, targets, state)
            state = after if test_set.carries else None
            total, count = total + float(nats.sum(dtype=np.float64)), count + len(nats)
        return {"loss": total / count}

    def sample(self) -> str:
        """The same draws after every epoch; what differs is the model's."""
        text = self.use.write("", SAMPLE, self.recipe.seed, temperature=0.8)
        whole = text.rpartition(LINE_END)[0] if self.learns_lines else text
        return (whole or text).strip(LINE_END)

    def draw(self, folder: Path) -> list[Path]:
        """surprise.png, of the beginning of the test text."""
        if self.learns_lines:
            test_set = self._sequences("test", batch_size=128)
        else:
            test_set = Streams(self._tokens("test")[: DRAWN + 1], 1, DRAWN)
        tokens, targets = next(test_set.batches(0, 0))
        nats, _ = self._nats(tokens, targets, None)
        path = folder / "surprise.png"
        text = self.tokenizer.decode(targets[targets != IGNORED].tolist())
        draw_surprise(path, text, nats, title=f"{self.recipe.model}, how surprised it is by its test text")
        return [path]

    @handmade.no_grad()
    def _nats(self, tokens: Tokens, targets: Tokens, state: Any) -> tuple[np.ndarray, Any]:
        """-log p of each target that counts, row by row, and the state after the last."""
        with evaluating(self.model):
            logits, state = self.model.read(Tensor(tokens), state)
        flat = targets.reshape(-1)
        nats = F.cross_entropy(logits.flatten(0, 1), Tensor(flat), ignore_index=IGNORED, reduction="none")
        return nats.array[flat != IGNORED], state

    # --- data -----------------------------------------------------------------------------------------------------

    def _sequences(
        self, split: str, seed: int | None = None, batch_size: int | None = None
    ) -> Streams | Windows | EveryWindow | PaddedLines:
        """A part of the set, as the recipe cuts it."""
        if self.learns_lines:
            line_end = self.tokenizer.vocabulary[LINE_END]
            lines = [self.tokenizer.encode(line) for line in self._load(split).lines]
            return PaddedLines(lines, batch_size or self.recipe.batch_size, line_end, seed)
        tokens = self._tokens(split)
        return self.recipe.cut_for_test(tokens) if split == "test" else self.recipe.cut(tokens)

    def _tokens(self, split: str) -> Int64[np.ndarray, "N"]:
        """Running text as the numbers of its characters."""
        return np.array(self.tokenizer.encode(self._load(split).text))

    def _load(self, split: str) -> Any:
        """A part of the set, Text or Lines, as the model learns; InputError where it does not fit the model."""
        loaded = load_text(self.recipe.data, split)
        if isinstance(loaded, Lines) != self.learns_lines:
            forms = ("running text", "lines")
            raise InputError(
                f"the model learned {forms[self.learns_lines]}, and {self.recipe.data} holds "
                f"{forms[not self.learns_lines]}."
            )
        self._require_known("".join(loaded.lines) if isinstance(loaded, Lines) else loaded.text)
        return loaded

    def _require_known(self, text: str) -> None:
        """Raise InputError unless the model knows every character of `text`."""
        vocabulary = self.tokenizer.vocabulary
        unknown = sorted(set(text).difference(vocabulary.tokens))
        if unknown:
            named = ", ".join(map(repr, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
            raise InputError(
                f"{self.recipe.data} does not fit this model's vocabulary: {len(unknown)} of its characters are not "
                f"among the {len(vocabulary)} that {self.recipe.model} has learned ({named}). Take them out of the "
                f"text, or train a {self.recipe.model} on {self.recipe.data}."
            )


def text_facts(name: str) -> dict[str, Any]:
    """What a model must know of a set of text: whether it is lines, and its characters, by code point."""
    characters: set[str] = set()
    lines = False
    for loaded in (load_text(name, "train"), load_text(name, "test")):
        lines = isinstance(loaded, Lines)
        characters.update(*([*loaded.lines, LINE_END] if isinstance(loaded, Lines) else [loaded.text]))
    return {"lines": lines, "characters": sorted(characters)}


def load_text(name: str, split: str) -> Text | Lines:
    """The data set `name`, which must be one of text."""
    loaded = data.load(name, split)
    if not isinstance(loaded, Text | Lines):
        raise InputError(f"{name} holds no text to go on with; take a set such as shakespeare, names or text:FILE.")
    return loaded
