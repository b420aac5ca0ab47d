"""A language model and its tokenizer, writing: a trained run's, or a published GPT-2 from its files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import handmade
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.char_lm import CharLM
from handmade.models.gpt import CONFIGS, gpt
from handmade.text import BPETokenizer, CharacterTokenizer
from handmade.text.decoding import Step
from handmade.text.sampling import check_choice, generate, until

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""What the file of the weights is called in a published folder."""
END_OF_TEXT = "<|endoftext|>"


@dataclass
class Writer:
    """`model` continues texts of `tokenizer`.

    start: the token that a text without a prompt goes on from. end: the token that ends a text, which has no text.
    """

    model: CharLM
    tokenizer: CharacterTokenizer | BPETokenizer
    start: int = 0
    end: int | None = None

    def encode(self, prompt: str) -> list[int]:
        """The tokens that are gone on from; InputError for what the tokenizer does not know."""
        return self.tokenizer.encode(prompt) or [self.start]

    def write(
        self, prompt: str, length: int, rng: np.random.Generator, *, stop: Sequence[str] = (), **choice: Any
    ) -> Iterator[str]:
        """`prompt` and up to `length` tokens that follow, as they are drawn; `choice` goes to text.generate.

        The text ends before the first of the strings `stop`, and where the model ends it.
        Raises InputError for options that cannot be used, before writing anything.
        """
        check_choice(length, stop, **choice)
        rows = self._rows(prompt, 1, length, rng, choice)
        yield prompt
        yield from until(self.tokenizer.stream(int(row[0]) for row in rows), stop)

    def write_several(
        self,
        prompt: str,
        samples: int,
        length: int,
        rng: np.random.Generator,
        *,
        stop: Sequence[str] = (),
        **choice: Any,
    ) -> list[str]:
        """`samples` texts as of `write`, computed together."""
        check_choice(length, stop, **choice)
        if samples < 1:
            raise InputError(f"samples is {samples}, expected at least 1.")
        rows = np.array(list(self._rows(prompt, samples, length, rng, choice)))  # length samples
        return [prompt + "".join(until(self.tokenizer.stream(column), stop)) for column in rows.T.tolist()]

    def _rows(
        self, prompt: str, samples: int, length: int, rng: np.random.Generator, choice: dict[str, Any]
    ) -> Iterator[np.ndarray]:
        tokens = np.array([self.encode(prompt)] * samples)
        return generate(step_of(self.model), None, tokens, rng, max_len=length, eos=self.end, **choice)


def published_writer(name: str, weights: Path | None) -> Writer:
    """A GPT-2 (`name` is its configuration's) with the weights in a file or folder, and the tokenizer beside them.

    Raises InputError where there are none, where they are of another configuration, and where vocab.json or merges.txt
    is missing.
    """
    from handmade.weights import load

    if weights is None:
        raise InputError(
            f"{name} writes with published weights: download model.safetensors, vocab.json and merges.txt "
            f"(huggingface.co/openai-community/{name}) into one folder and give it: "
            f"handmade sample {name} --weights FOLDER"
        )
    if weights.is_dir():
        found = [weights / file for file in WEIGHTS if (weights / file).exists()]
        if not found:
            raise InputError(f"{weights} holds no weights: expected {' or '.join(WEIGHTS)} in it.")
        weights = found[0]
    elif not weights.exists():
        raise InputError(f"{weights}: there is no such file or folder.")
    vocab, merges = weights.with_name("vocab.json"), weights.with_name("merges.txt")
    missing = [path.name for path in (vocab, merges) if not path.exists()]
    if missing:
        raise InputError(
            f"there is no {' and no '.join(missing)} beside {weights}: GPT-2's tokenizer is these two files, which are "
            "published with the weights; put them there."
        )
    tokenizer = BPETokenizer.from_files(vocab, merges)
    vocabulary, known = tokenizer.vocabulary, CONFIGS[name].vocab_size
    if len(vocabulary) != known:
        raise InputError(f"{vocab} has {len(vocabulary):,} tokens, {name} {known:,}: it is another model's tokenizer.")
    model = gpt(name)
    load(model, weights)
    end = vocabulary[END_OF_TEXT]
    return Writer(model, tokenizer, start=end, end=end)


@contextmanager
def evaluating(model: CharLM) -> Iterator[None]:
    """Inside, dropout passes everything."""
    training = model.training
    try:
        model.eval()
        yield
    finally:
        model.train(training)


def step_of(model: CharLM) -> Step:
    """What `text.generate` and the searches of `text.decoding` ask of a model."""

    @handmade.no_grad()
    def step(tokens: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        with evaluating(model):
            logits, state = model.step(Tensor(tokens), state)
        return logits.array, state

    return step
