"""The heads of a model while it reads a text: where each looks, what it looks with, and what the model is without it.

    Michel, Levy & Neubig, "Are Sixteen Heads Really Better than One?" (2019), section 2.3: a head is switched off by a
    factor of zero on what it gives.

L layers, H heads, T tokens, D the size of a head, V vocabulary size
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from handmade import draw
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.hooks import Attention, attention_replaced, attentions, undisturbed
from handmade.lens.token_loss import log_probabilities, losses_of, most_likely
from handmade.models.gpt import GPT
from handmade.nn import Module
from handmade.nn.functional import recorded_attention

Place = tuple[int, int]
"""A head: its layer and its number there."""


class Heads(NamedTuple):
    """Of a GPT. maps: the weights of every head, row i for what token i looks at. queries, keys, values: of every head.

    log_probabilities: of each token of the vocabulary after each token of the text, in nats.
    """

    maps: Float[np.ndarray, "L H T T"]
    queries: Float[np.ndarray, "L H T D"]
    keys: Float[np.ndarray, "L H T D"]
    values: Float[np.ndarray, "L H T D"]
    log_probabilities: Float[np.ndarray, "T V"]

    def losses(self, tokens: Int64[np.ndarray, "T"]) -> Float[np.ndarray, "N"]:
        """-log p(token | all before it) of the second token to the last."""
        return losses_of(self.log_probabilities, tokens[1:])

    def likeliest(self, count: int) -> tuple[Int64[np.ndarray, "T n"], Float[np.ndarray, "T n"]]:
        """The `count` most likely next tokens after each token, and their probabilities."""
        return most_likely(self.log_probabilities, count)


class Attended(NamedTuple):
    """What the heads of one part did. maps: row i for what token i looks at, of H heads."""

    maps: Float[np.ndarray, "H S_q S_k"]
    queries: Float[np.ndarray, "H S_q D"]
    keys: Float[np.ndarray, "H S_k D"]
    values: Float[np.ndarray, "H S_k D"]


def read_attention(
    model: Module, *inputs: Tensor, sharpness: float = 1.0, off: Collection[Place] = ()
) -> tuple[list[Attended], Any]:
    """What all heads of any model do with its inputs, a batch of one, by the parts of `attentions`; and its output.

    sharpness: what all scores are multiplied by before the softmax. off: heads that give nothing.
    Raises InputError for a head that is not there, and for a model without attention.
    """
    seen: list[list[np.ndarray]] = []

    def replace(layer: int, own: Attention) -> Attention:
        def attention(query: Tensor, key: Tensor, value: Tensor, *rest: object, **options: object) -> Tensor:
            seen.append([x.array[0] for x in (query, key, value)])
            return _without(own(query * sharpness, key, value, *rest, **options), [h for at, h in off if at == layer])

        return attention

    _require_heads(model, off)
    with undisturbed(model), no_grad(), recorded_attention() as maps, attention_replaced(model, replace):
        output = model(*inputs)
    return [Attended(layer[0], *parts) for layer, parts in zip(maps, seen, strict=True)], output


def read_heads(
    model: GPT, tokens: Int64[np.ndarray, "T"], sharpness: float = 1.0, off: Collection[Place] = ()
) -> Heads:
    """What all heads of a GPT do while it reads `tokens`; see `read_attention`.

    Raises InputError for a text that is empty, or longer than the model can see, and for a head that is not there.
    """
    _require_room(model, tokens)
    layers, (logits, _) = read_attention(model, Tensor(tokens[None]), sharpness=sharpness, off=off)
    maps, queries, keys, values = (np.stack(part) for part in zip(*layers, strict=True))
    return Heads(maps, queries, keys, values, log_probabilities(logits)[0])


class Ablated(NamedTuple):
    """The mean losses without some heads of one part of `attentions`, the `first` and those that follow, each alone."""

    part: int
    first: int
    losses: Float[np.ndarray, "n"]


AT_ONCE = 512
"""Tokens that go through the model together while heads are left out one by one: their scores take the memory."""


def ablations(
    model: Module,
    *inputs: Tensor,
    losses: Callable[[Any], Float[np.ndarray, "rows"]],
    sharpness: float = 1.0,
    off: Collection[Place] = (),
    at_once: int = AT_ONCE,
) -> Iterator[Ablated]:
    """`without_each_head`, a few heads after another. Between two of them the model is as it was before.

    at_once: tokens that go through the model together, at least those of one head.
    """
    _require_heads(model, off)
    rows, tokens = inputs[0].shape[0], sum(x.numel() for x in inputs)
    for part, H in enumerate(head_counts(model)):
        count = max(1, min(H, at_once // max(tokens, 1)))
        for first in range(0, H, count):
            ablated = range(first, min(H, first + count))
            kept = np.repeat(1 - np.eye(H)[ablated], rows, axis=0)[:, :, None, None]  # row h without head h

            def replace(layer: int, own: Attention, part: int = part, kept: np.ndarray = kept) -> Attention:
                def attention(query: Tensor, *rest: object, **options: object) -> Tensor:
                    y = _without(own(query * sharpness, *rest, **options), [h for at, h in off if at == layer])
                    return y * Tensor(kept.astype(y.dtype)) if layer == part else y

                return attention

            repeated = [Tensor(np.tile(x.array, (len(ablated), 1))) for x in inputs]
            with undisturbed(model), no_grad(), attention_replaced(model, replace):
                output = model(*repeated)
            yield Ablated(part, first, losses(output).reshape(len(ablated), rows).mean(1))


def without_each_head(
    model: Module,
    *inputs: Tensor,
    losses: Callable[[Any], Float[np.ndarray, "rows"]],
    sharpness: float = 1.0,
    off: Collection[Place] = (),
) -> list[Float[np.ndarray, "H"]]:
    """The mean loss without each head, for each part of `attentions`, beside those heads that are `off` anyway.

    inputs: rows of a batch. losses: of the model's output, which has all rows for each of some heads in turn, the loss
    of each row.
    """
    found: list[list[np.ndarray]] = [[] for _ in head_counts(model)]
    for made in ablations(model, *inputs, losses=losses, sharpness=sharpness, off=off):
        found[made.part].append(made.losses)
    return [np.concatenate(parts) for parts in found]


def mean_loss(
    model: Module,
    *inputs: Tensor,
    losses: Callable[[Any], Float[np.ndarray, "rows"]],
    sharpness: float = 1.0,
    off: Collection[Place] = (),
) -> float:
    """The mean of `losses`, with scores multiplied by `sharpness`, and without the heads that are `off`."""

    def replace(layer: int, own: Attention) -> Attention:
        def attention(query: Tensor, *rest: object, **options: object) -> Tensor:
            return _without(own(query * sharpness, *rest, **options), [h for at, h in off if at == layer])

        return attention

    _require_heads(model, off)
    with undisturbed(model), no_grad(), attention_replaced(model, replace):
        return float(losses(model(*inputs)).mean())


def losses_without_heads(
    model: GPT, tokens: Int64[np.ndarray, "T"], sharpness: float = 1.0, off: Collection[Place] = ()
) -> Float[np.ndarray, "L H"]:
    """The mean loss of a GPT's text without each head; see `without_each_head`."""
    _require_room(model, tokens, least=2)
    losses = lambda output: losses_of(log_probabilities(output[0]), tokens[1:]).mean(-1)
    return np.stack(without_each_head(model, Tensor(tokens[None]), losses=losses, sharpness=sharpness, off=off))


def draw_head_ablation(
    path: Path,
    without: Float[np.ndarray, "L H"],
    loss: float,
    names: Sequence[str],
    title: str,
    unit: str = "token",
) -> None:
    """Draw to `path` by how much the loss rises without each head. without: the losses without it; loss: with all."""
    draw.head_ablation(without - loss, names, loss, title, unit).save(path)


def pooled(maps: Float[np.ndarray, "*H S_q S_k"], most: int) -> Float[np.ndarray, "*H q k"]:
    """Means over square parts, so that no side has more than `most`: large maps, seen from afar."""
    side = -(-max(maps.shape[-2:]) // most)
    if side == 1:
        return maps
    starts = [np.arange(0, size, side) for size in maps.shape[-2:]]
    sums = np.add.reduceat(np.add.reduceat(maps, starts[0], axis=-2), starts[1], axis=-1)
    counts = [np.diff([*start, size]) for start, size in zip(starts, maps.shape[-2:], strict=True)]
    return sums / (counts[0][:, None] * counts[1])


def loss_with(
    model: GPT, tokens: Int64[np.ndarray, "T"], attention: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
) -> float:
    """The mean loss of the text where every head computes its output by `attention(Q, K, V)`, arrays (T, D)."""
    _require_room(model, tokens, least=2)

    def replace(layer: int, own: Attention) -> Attention:
        def everywhere(query: Tensor, key: Tensor, value: Tensor, *rest: object, **options: object) -> Tensor:
            heads = zip(query.array[0], key.array[0], value.array[0], strict=True)
            made = np.stack([attention(Q, K, V) for Q, K, V in heads])
            return Tensor(made[None].astype(value.dtype))

        return everywhere

    with undisturbed(model), no_grad(), attention_replaced(model, replace):
        logits, _ = model(Tensor(tokens[None]))
    return float(losses_of(log_probabilities(logits)[0], tokens[1:]).mean())


def _without(output: Tensor, heads: list[int]) -> Tensor:
    """What the heads give, B H T D, with zeros from these."""
    if not heads:
        return output
    keep = np.ones((1, output.shape[1], 1, 1), output.dtype)
    keep[:, heads] = 0
    return output * Tensor(keep)


def _require_room(model: GPT, tokens: np.ndarray, least: int = 1) -> None:
    """least: 2 where the loss is asked for, since the first token follows none."""
    most = model.config.block_size
    if not least <= len(tokens) <= most:
        raise InputError(
            f"the text has {len(tokens)} tokens, expected {least} to {most}, which the model sees at once."
        )


def head_counts(model: Module) -> list[int]:
    """How many heads each part of `attentions` has."""
    parts: list[Any] = list(attentions(model).values())
    if not parts:
        raise InputError(f"{type(model).__name__} has no attention.")
    return [getattr(part, "n_head", None) or part.num_heads for part in parts]


def _require_heads(model: Module, heads: Collection[Place]) -> None:
    counts = head_counts(model)
    for layer, h in heads:
        if not (0 <= layer < len(counts) and 0 <= h < counts[layer]):
            raise InputError(
                f"there is no head {h} in layer {layer}: there are {len(counts)} layers of {max(counts)} heads each."
            )
