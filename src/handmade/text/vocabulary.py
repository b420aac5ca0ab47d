"""A vocabulary: tokens and their numbers, in both directions."""

from collections.abc import Iterable, Sequence

from handmade.errors import InputError

PAD, UNK, BOS, EOS = "<pad>", "<unk>", "<bos>", "<eos>"
"""Padding, unknown, beginning and end of a sequence, as our own tokenizers write them."""


class Vocabulary:
    """Tokens numbered 0, 1, 2, ... in the order given.

    `special` names the tokens that are no text (padding, beginning, end): decoding leaves them out. They must
    be among `tokens`. `unk`, one of the tokens, stands for everything unknown; without it, what is unknown is
    an error.

        vocabulary["cat"]           # the number of a token
        vocabulary.tokens[3]        # the token of a number
    """

    def __init__(self, tokens: Iterable[str], *, special: Sequence[str] = (), unk: str | None = None):
        self.tokens = list(tokens)
        self.special = tuple(special)
        self.unk = unk
        self._ids = {token: number for number, token in enumerate(self.tokens)}
        if len(self._ids) < len(self.tokens):
            twice = next(token for number, token in enumerate(self.tokens) if self._ids[token] != number)
            raise InputError(f"tokens: {twice!r} occurs twice; every token needs one number")
        for token in (*self.special, *([] if unk is None else [unk])):
            if token not in self._ids:
                raise InputError(f"special token {token!r} is not among the {len(self.tokens)} tokens; add it there")
        self.special_ids = frozenset(self._ids[token] for token in self.special)
        self.unk_id = None if unk is None else self._ids[unk]

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    def __getitem__(self, token: str) -> int:
        number = self._ids.get(token, self.unk_id)
        if number is None:
            raise InputError(
                f"token {token!r} is not in the vocabulary of {len(self)} tokens, which has no unknown token"
            )
        return number

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return (self.tokens, self.special, self.unk) == (other.tokens, other.special, other.unk)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} tokens, special={self.special}, unk={self.unk!r})"

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> list[str]:
        """The tokens of `ids`, special ones left out unless `skip_special_tokens` is False.

        Raises InputError where a number is not one of the vocabulary's.
        """
        tokens = []
        for position, number in enumerate(ids):
            if not 0 <= number < len(self.tokens):
                raise InputError(
                    f"ids[{position}] is {number}, expected 0 to {len(self) - 1}; are the ids of another vocabulary?"
                )
            if not (skip_special_tokens and number in self.special_ids):
                tokens.append(self.tokens[number])
        return tokens

    def require_same(self, other: "Vocabulary") -> None:
        """Raise InputError, naming what differs, unless `other` gives every token the number it has here.

        For a checkpoint that meets a text prepared elsewhere:
        `checkpoint_vocabulary.require_same(data_vocabulary)`.
        """
        if self.tokens == other.tokens:
            return
        missing = [token for token in self.tokens if token not in other]
        unexpected = [token for token in other.tokens if token not in self]
        difference = f"expected {len(self)} tokens, got {len(other)}"
        if missing:
            difference += f"; {_some(missing)} missing"
        if unexpected:
            difference += f"; {_some(unexpected)} unexpected"
        if not missing and not unexpected:
            number = next(n for n, token in enumerate(self.tokens) if token != other.tokens[n])
            here, there = self.tokens[number], other.tokens[number]
            difference += f"; the order differs: number {number} is {here!r} here, {there!r} there"
        raise InputError(
            f"vocabularies differ: {difference}. Encode the text with the tokenizer saved beside the model"
        )


def _some(tokens: list[str], most: int = 5) -> str:
    named = ", ".join(map(repr, tokens[:most]))
    return named if len(tokens) <= most else f"{named} and {len(tokens) - most} more"
