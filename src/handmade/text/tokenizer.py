"""What every tokenizer is: a vocabulary, `encode`, `decode`, and one JSON file."""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

from handmade.errors import InputError
from handmade.files import write_text
from handmade.reading import read_bytes, read_json
from handmade.text.vocabulary import Vocabulary


class Tokenizer(ABC):
    """From text to numbers and back. `load_tokenizer(path)` reads what `save(path)` wrote, of any kind."""

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, Callable[..., "Tokenizer"]]] = {}
    vocabulary: Vocabulary

    def __init_subclass__(cls) -> None:
        """A tokenizer that names its kind can be loaded by it."""
        if "kind" in vars(cls):
            Tokenizer.kinds[cls.kind] = cls

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """The numbers of the tokens of `text`."""

    @abstractmethod
    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """The text of `ids`."""

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """What each token says on its own, special ones too."""
        return [self.decode([number], skip_special_tokens=False) for number in ids]

    def options(self) -> dict[str, Any]:
        """What the constructor takes beside the vocabulary, as JSON can hold it."""
        return {}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tokenizer to one JSON file, which appears whole or not at all."""
        path, vocabulary = Path(path), self.vocabulary
        if not path.parent.is_dir():
            raise InputError(f"{path}: the folder does not exist; make it first")
        fields = {
            "kind": self.kind,
            "tokens": vocabulary.tokens,
            "special": vocabulary.special,
            "unk": vocabulary.unk,
            **self.options(),
        }
        write_text(path, json.dumps(fields, indent=0))


def load_tokenizer(path: str | os.PathLike[str]) -> Tokenizer:
    """The tokenizer that `Tokenizer.save` wrote to `path`; InputError where the file is no such thing."""
    fields, kinds = read_json(path), Tokenizer.kinds
    if not isinstance(fields, dict) or not isinstance(fields.get("kind"), str) or fields["kind"] not in kinds:
        raise InputError(f'{path}: not a tokenizer file; expected a JSON object whose "kind" is one of {sorted(kinds)}')
    tokens = fields.get("tokens")
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise InputError(f'{path}: "tokens" is not a list of text; save the tokenizer again')
    try:
        vocabulary = Vocabulary(fields.pop("tokens"), special=fields.pop("special"), unk=fields.pop("unk"))
        return kinds[fields.pop("kind")](vocabulary, **fields)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (KeyError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise InputError(
            f"{path}: the tokenizer file lacks or adds a field, or one is of another kind ({error}); "
            "save the tokenizer again"
        ) from error


def read_text(path: str | os.PathLike[str]) -> str:
    """The UTF-8 text of a file; InputError where there is none."""
    try:
        return read_bytes(path).decode("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({error})") from error
