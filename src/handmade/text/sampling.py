"""The next token drawn by chance: temperature, top-k, top-p, repetition penalty; and a text of such tokens.

V is the size of the vocabulary.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from handmade.errors import InputError
from handmade.text.decoding import Step


def sample_probabilities(
    logits: Float[np.ndarray, "*rows V"],
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[np.ndarray, "*rows V"]:
    """The distribution to draw from, in float64: softmax(logits / temperature), then top-k, then top-p.

    - `temperature` 0 puts all on the greatest logit (the first of equals); below 0 is an InputError.
    - `top_k` keeps the k most probable tokens and renormalises.
    - `top_p`, in (0, 1], keeps of those the fewest most probable tokens whose probabilities reach p, the
      token that crosses it included, and renormalises (nucleus sampling, Holtzman et al. 2020, arXiv
      1904.09751).

    Of equally probable tokens the one with the lower number is kept. A logit of -inf has probability 0.
    """
    _check_options(temperature, top_k, top_p)
    logits = np.asarray(logits, dtype=np.float64)
    greatest = logits.max(axis=-1, keepdims=True)
    if not np.isfinite(greatest).all():
        raise ValueError("logits: expected a finite greatest logit in each row, got nan or inf, or -inf alone")
    if temperature == 0:
        return (np.arange(logits.shape[-1]) == logits.argmax(axis=-1)[..., None]).astype(np.float64)

    with np.errstate(over="ignore"):  # a tiny temperature takes what is below the greatest to -inf
        probabilities = np.exp((logits - greatest) / temperature)
    if top_k is None and (top_p is None or top_p == 1):
        return _normalised(probabilities)

    order = np.argsort(-probabilities, axis=-1, kind="stable")
    descending = np.take_along_axis(probabilities, order, axis=-1)
    if top_k is not None:
        descending[..., top_k:] = 0
    descending = _normalised(descending)
    if top_p is not None and top_p < 1:
        before = np.cumsum(descending, axis=-1) - descending
        descending = _normalised(np.where(before < top_p, descending, 0))
    np.put_along_axis(probabilities, order, descending, axis=-1)
    return probabilities


def penalise_repetition(
    logits: Float[np.ndarray, "rows V"], tokens: Int[np.ndarray, "rows time"], penalty: float
) -> Float[np.ndarray, "rows V"]:
    """Make tokens that occur already less likely: divide positive logits, multiply negative ones by `penalty`.

    CTRL, Keskar et al. 2019 (arXiv 1909.05858), section 4.1, where it is 1.2; 1 changes nothing. InputError
    unless above 0.
    """
    if not 0 < penalty < np.inf:
        raise InputError(f"repetition_penalty: got {penalty}, expected above 0 (1 changes nothing, 1.2 is usual)")
    seen = np.take_along_axis(logits, tokens, axis=-1)
    result = logits.copy()
    np.put_along_axis(result, tokens, np.where(seen > 0, seen / penalty, seen * penalty), axis=-1)
    return result


def sample(probabilities: Float[np.ndarray, "*rows V"], rng: np.random.Generator) -> Int[np.ndarray, "*rows"]:
    """Draw one token from each row of probabilities, with one uniform number a row."""
    reached = np.cumsum(probabilities, axis=-1)
    threshold = rng.random((*probabilities.shape[:-1], 1)) * reached[..., -1:]
    return (reached > threshold).argmax(axis=-1)


def generate(
    step: Step,
    state: Any,
    prompt: Int[np.ndarray, "rows time"],
    rng: np.random.Generator,
    *,
    max_len: int,
    eos: int | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    repetition_penalty: float = 1.0,
) -> Iterator[Int[np.ndarray, "rows"]]:
    """Continue each row of `prompt`, and yield the new tokens, one of each row at a time, as they are drawn.

    `step(tokens, state) -> (logits, state)` is described in decoding.py. A row that has drawn `eos` goes on
    with `eos`; after `max_len` tokens, or when every row has ended, no more come.
    """
    ended = np.zeros(len(prompt), dtype=bool)
    seen = tokens = prompt
    for _ in range(max_len):
        logits, state = step(tokens, state)
        if repetition_penalty != 1:
            logits = penalise_repetition(logits, seen, repetition_penalty)
        drawn = sample(sample_probabilities(logits, temperature=temperature, top_k=top_k, top_p=top_p), rng)
        if eos is not None:
            drawn = np.where(ended, eos, drawn)
            ended |= drawn == eos
        yield drawn
        if ended.all():
            return
        tokens = drawn[:, None]
        seen = np.concatenate([seen, tokens], axis=1)


def until(pieces: Iterable[str], stop: Sequence[str]) -> Iterator[str]:
    """The text of `pieces`, as it comes, up to the first of the strings `stop`, which is left out with all behind it.

    An end that could be the beginning of one waits for what follows.
    """
    if not stop:
        yield from pieces
        return
    text = ""
    for piece in pieces:
        text += piece
        found = [text.index(end) for end in stop if end in text]
        if found:
            yield text[: min(found)]
            return
        longest = max(len(end) for end in stop) - 1
        waits = (n for n in range(min(longest, len(text)), 0, -1) if any(end.startswith(text[-n:]) for end in stop))
        sure = len(text) - next(waits, 0)
        yield text[:sure]
        text = text[sure:]
    yield text


def check_choice(length: int, stop: Sequence[str] = (), *, repetition_penalty: float = 1.0, **choice: Any) -> None:
    """Raise InputError for a length, stop strings, or options of `generate` that cannot be used."""
    if length < 1:
        raise InputError(f"length is {length}, expected at least 1 character or token.")
    if "" in stop:
        raise InputError("stop: got an empty string, which occurs everywhere; leave it out to stop nowhere")
    sample_probabilities(np.zeros(1), **choice)
    penalise_repetition(np.zeros((1, 1)), np.zeros((1, 1), int), repetition_penalty)


def _normalised(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum(axis=-1, keepdims=True)


def _check_options(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not 0 <= temperature < np.inf:
        raise InputError(f"temperature: got {temperature}, expected 0 (always the most probable token) or more")
    if top_k is not None and top_k < 1:
        raise InputError(f"top_k: got {top_k}, expected 1 or more; leave it out to keep every token")
    if top_p is not None and not 0 < top_p <= 1:
        raise InputError(f"top_p: got {top_p}, expected above 0 and at most 1; leave it out to keep every token")
