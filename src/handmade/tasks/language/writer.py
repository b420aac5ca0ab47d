"""A language model and its tokenizer, writing: a trained run's, or a published GPT-2 from its files."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import handmade
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.char_lm import CharLM
from handmade.models.gpt import CONFIGS, GPT
from handmade.models.gpt_files import configured, least_numbers
from handmade.nn import init
from handmade.nn.utils import evaluating
from handmade.text import BPETokenizer, CharacterTokenizer
from handmade.text.decoding import Step
from handmade.text.sampling import check_choice, generate, until

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""What the file of the weights is called in a published folder."""
END_OF_TEXT = "<|endoftext|>"
LINE_END = "\n"

Seed = int | np.random.Generator | None


@dataclass
class Writer:
    """`model` continues texts of `tokenizer`.

        handmade.open("runs/gpt-1").write("ROMEO:")

    start: the token that a text without a prompt continues. end: the token that ends a text, which has no text.
    """

    model: CharLM
    tokenizer: CharacterTokenizer | BPETokenizer
    start: int = 0
    end: int | None = None
    name: str = "the model"
    trained: bool = True

    purpose: ClassVar[str] = "write text"

    def encode(self, prompt: str) -> list[int]:
        """The tokens that are continued; InputError for what the tokenizer does not know."""
        return self.tokenizer.encode(prompt) or [self.start]

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text that the model reads. InputError for what the tokenizer does not know."""
        return self.tokenizer.encode(text)

    def pieces(self, tokens: Iterable[int]) -> list[str]:
        """What each token says."""
        return [self.tokenizer.decode([token], skip_special_tokens=False) for token in tokens]

    def write(self, prompt: str = "", length: int = 500, seed: Seed = None, **options: Any) -> str:
        """`prompt` and the text that follows, as `stream` draws it."""
        return "".join(self.stream(prompt, length, seed, **options))

    def stream(
        self, prompt: str = "", length: int = 500, seed: Seed = None, *, stop: Sequence[str] = (), **choice: Any
    ) -> Iterator[str]:
        """`prompt` and up to `length` tokens that follow, as they are drawn.

        seed: a number, to draw the same text again; or the generator that draws.
        choice: temperature, top_k, top_p, repetition_penalty, as of text.generate.

        The text ends before the first of the strings `stop`, and where the model ends it.
        Raises InputError for characters the model does not know, and options that cannot be used, before writing
        anything.
        """
        check_choice(length, stop, **choice)
        rows = self._rows(prompt, 1, length, seed, choice)
        yield prompt
        yield from until(self.tokenizer.stream(int(row[0]) for row in rows), stop)

    def write_several(
        self,
        prompt: str,
        samples: int,
        length: int = 500,
        seed: Seed = None,
        *,
        stop: Sequence[str] = (),
        **choice: Any,
    ) -> list[str]:
        """`samples` texts as of `write`, computed together."""
        check_choice(length, stop, **choice)
        if samples < 1:
            raise InputError(f"samples is {samples}, expected at least 1.")
        rows = np.array(list(self._rows(prompt, samples, length, seed, choice)))  # length samples
        return [prompt + "".join(until(self.tokenizer.stream(column), stop)) for column in rows.T.tolist()]

    def forgets(self, prompt: str) -> str | None:
        """How a prompt is read that is longer than what the model sees at once, in words; None for a shorter one."""
        block = self.model.block_size
        tokens = len(self.tokenizer.encode(prompt))
        if block is None or tokens <= block:
            return None
        return (
            f"The prompt has {tokens} tokens, and the model sees at most {block} at once: it reads the prompt in "
            f"a window that moves on by {block - block // 2}, and forgets what has left the window."
        )

    def _rows(self, prompt: str, samples: int, length: int, seed: Seed, choice: dict[str, Any]) -> Iterator[np.ndarray]:
        tokens, rng = np.array([self.encode(prompt)] * samples), np.random.default_rng(seed)
        return generate(step_of(self.model), None, tokens, rng, max_len=length, eos=self.end, **choice)


@dataclass
class LineWriter(Writer):
    """A model of lines, such as names: it writes one line after another."""

    def tokens(self, text: str) -> list[int]:
        """As `Writer.tokens`: a line begins after a line end."""
        return self.tokenizer.encode(f"{LINE_END}{text}")

    def stream(
        self, prompt: str = "", length: int = 500, seed: Seed = None, *, stop: Sequence[str] = (), **choice: Any
    ) -> Iterator[str]:
        """Lines, each of which begins with the prompt, until `length` characters are drawn; else as `Writer.stream`."""
        check_choice(length, stop, **choice)
        if LINE_END in prompt:
            raise InputError("the prompt holds a line end, and this model writes lines: give the beginning of one.")
        yield from until(self._lines(prompt, length, np.random.default_rng(seed), choice), stop)

    def write_several(self, *_: Any, **__: Any) -> list[str]:
        """No: InputError."""
        raise InputError("several texts are for running text; this model writes one line after another: see length.")

    def _lines(self, prompt: str, length: int, rng: np.random.Generator, choice: dict[str, Any]) -> Iterator[str]:
        line_end = self.tokenizer.vocabulary[LINE_END]
        begun = np.array([[line_end, *self.tokenizer.encode(prompt)]])
        while length > 0:
            yield prompt
            rows = generate(step_of(self.model), None, begun, rng, max_len=length, eos=line_end, **choice)
            for character in self.tokenizer.stream(int(row[0]) for row in rows):
                yield character
                length -= 1


def published_writer(name: str, weights: str | Path | None) -> Writer:
    """A GPT-2 (`name` is its configuration's) with the weights in a file or folder, and the tokenizer beside them.

    Where config.json lies beside them, it has the sizes that it says.

    Raises InputError where there are none, where they are of another configuration, and where vocab.json or merges.txt
    is missing.
    """
    from handmade.weights.loading import configured_beside, load

    if weights is None:
        raise InputError(
            f"{name} writes with published weights: download model.safetensors, vocab.json and merges.txt "
            f"(huggingface.co/openai-community/{name}) into one folder and give it as weights."
        )
    weights = Path(weights)
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
    config = configured_beside(weights, partial(configured, like=CONFIGS[name]), least_numbers) or CONFIGS[name]
    vocabulary, known = tokenizer.vocabulary, config.vocab_size
    if len(vocabulary) != known:
        raise InputError(f"{vocab} has {len(vocabulary):,} tokens, {name} {known:,}: it is another model's tokenizer.")
    with init.drawing(False):
        model = GPT(config)
    load(model, weights)
    if END_OF_TEXT not in vocabulary:
        return Writer(model, tokenizer, name=name)
    end = vocabulary[END_OF_TEXT]
    return Writer(model, tokenizer, start=end, end=end, name=name)


def step_of(model: CharLM) -> Step:
    """What `text.generate` and the searches of `text.decoding` ask of a model."""

    @handmade.no_grad()
    def step(tokens: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        with evaluating(model):
            logits, state = model.step(Tensor(tokens), state)
        return logits.array, state

    return step
