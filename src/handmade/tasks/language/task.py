"""Learning what comes next in a text: the recipe and the task of the language models of characters.

B sequences of a batch, T characters of each, V vocabulary size
"""

from collections.abc import Iterator, Sequence
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
from handmade.optim import Adam, CosineAnnealingLR, Optimizer
from handmade.optim.lr_scheduler import LRScheduler
from handmade.tasks.language.sequences import EveryWindow, PaddedLines, Streams, Tokens, Windows
from handmade.tasks.language.surprise import draw_surprise
from handmade.tasks.language.writer import Writer, evaluating, step_of
from handmade.tasks.recipe import Recipe
from handmade.tasks.task import Outcome, Task
from handmade.text import CharacterTokenizer, Vocabulary
from handmade.text.sampling import check_choice, generate, until

LINE_END = "\n"

SAMPLE, DRAWN = 120, 1200
"""So many characters are written after each epoch, and so many of the test text are drawn."""

Batch = tuple[Tensor, Tensor, State | None]
"""Inputs and targets, B T, and the state that the inputs go on from."""


@dataclass(frozen=True, kw_only=True)
class LanguageRecipe(Recipe):
    """What the training of a language model is decided by. A family of models gives `build`.

    learning_rate: of Adam, at the start; it falls to 0 along half a cosine wave until the end of the run.
    sequence_length: how many characters of running text are learned from at once; beyond them gradients are cut, while
        the state goes on. Lines are learned whole.
    max_norm: gradients are scaled down together to this norm at most.
    """

    learning_rate: float
    sequence_length: int = 64
    max_norm: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(0, "learning_rate", "max_norm")
        self.at_least(1, "sequence_length")

    def build(self, vocab_size: int) -> CharLM:
        """The model, with first weights drawn from the global generator."""
        raise NotImplementedError

    def cut(self, tokens: Int64[np.ndarray, "N"]) -> Streams | Windows:
        """Running text for training, in batches."""
        return Streams(tokens, self.batch_size, self.sequence_length)

    def cut_for_test(self, tokens: Int64[np.ndarray, "N"]) -> Streams | EveryWindow:
        """Running text for testing; a short one has room for fewer streams."""
        return Streams(tokens, max(1, min(self.batch_size, len(tokens) - 1)), self.sequence_length)

    def optimizer(self, model: CharLM) -> Optimizer:
        return Adam(model.parameters(), self.learning_rate)

    def schedule(self, optimizer: Optimizer, total_steps: int) -> LRScheduler:
        return CosineAnnealingLR(optimizer, T_max=total_steps)

    def task(self, facts: dict[str, Any] | None = None) -> "LanguageModelling":
        return LanguageModelling(self, facts)


class LanguageModelling(Task):
    """The task of a LanguageRecipe, on running text or on lines. Sets are read when they are first needed.

    The vocabulary is every character of the set, those of its test part included. Of lines, the line end is the
    character that each begins after and ends with.
    """

    unit = "characters"
    usage = "handmade sample {}"

    def __init__(self, recipe: LanguageRecipe, facts: dict[str, Any] | None = None) -> None:
        self.recipe = recipe
        self.facts = facts or text_facts(recipe.data)
        self.learns_lines = bool(self.facts["lines"])
        self.tokenizer = CharacterTokenizer(Vocabulary(self.facts["characters"]))
        handmade.manual_seed(recipe.seed)
        self.model: CharLM = recipe.build(len(self.tokenizer.vocabulary))
        self.writer = Writer(self.model, self.tokenizer)
        self.carried: State | None = None

    # --- training -------------------------------------------------------------------------------------------------

    @cached_property
    def train_set(self) -> Streams | Windows | EveryWindow | PaddedLines:
        return self._sequences("train", self.recipe.seed)

    @property
    def steps_per_epoch(self) -> int:
        return len(self.train_set)

    @property
    def total_steps(self) -> int:
        return self.recipe.steps or self.recipe.epochs * self.steps_per_epoch

    @cached_property
    def optimizer(self) -> Optimizer:
        return self.recipe.optimizer(self.model)

    @cached_property
    def schedule(self) -> LRScheduler:
        return self.recipe.schedule(self.optimizer, self.total_steps)

    @property
    def max_norm(self) -> float:
        return self.recipe.max_norm

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
        carried = state["carried"]
        self.carried = None if carried is None else tuple(Tensor(array) for array in carried)

    # --- testing and use ------------------------------------------------------------------------------------------

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
        text = "".join(self.write("", SAMPLE, np.random.default_rng(self.recipe.seed), temperature=0.8))
        whole = text.rpartition(LINE_END)[0] if self.learns_lines else text
        return (whole or text).strip(LINE_END)

    def write(
        self,
        prompt: str,
        length: int,
        rng: np.random.Generator,
        *,
        stop: Sequence[str] = (),
        **choice: Any,
    ) -> Iterator[str]:
        """`prompt` and `length` characters that follow, as they are drawn; `choice` goes to text.generate.

        Without a prompt, running text goes on from the first character of the vocabulary, usually the line end.
        Of lines, one is written after another, each of which begins with the prompt. What comes from the first of the
        strings `stop` on is left out.
        Raises InputError for characters the model does not know, and options it cannot use, before writing anything.
        """
        if not self.learns_lines:
            yield from self.writer.write(prompt, length, rng, stop=stop, **choice)
            return
        check_choice(length, stop, **choice)
        if LINE_END in prompt:
            raise InputError("the prompt holds a line end, and this model writes lines: give the beginning of one.")
        yield from until(self._lines(prompt, length, rng, choice), stop)

    def _lines(self, prompt: str, length: int, rng: np.random.Generator, choice: dict[str, Any]) -> Iterator[str]:
        line_end = self.tokenizer.vocabulary[LINE_END]
        begun = np.array([[line_end, *self.tokenizer.encode(prompt)]])
        while length > 0:
            yield prompt
            rows = generate(step_of(self.model), None, begun, rng, max_len=length, eos=line_end, **choice)
            for character in self.tokenizer.stream(int(row[0]) for row in rows):
                yield character
                length -= 1

    def draw(self, folder: Path) -> list[Path]:
        """surprise.png, of the beginning of the test text."""
        if self.learns_lines:
            test_set = self._sequences("test", batch_size=128)
        else:
            test_set = Streams(self._tokens("test")[: DRAWN + 1], 1, DRAWN)
        tokens, targets = next(test_set.batches(0, 0))
        nats, _ = self._nats(tokens, targets, None)
        path = folder / "surprise.png"
        draw_surprise(path, self.tokenizer.decode(targets[targets != IGNORED].tolist()), nats)
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
                f"text, or train a model on it: handmade train {self.recipe.model} --data {self.recipe.data}"
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
