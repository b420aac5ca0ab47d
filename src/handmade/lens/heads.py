"""The heads of a GPT while it reads a text: where each looks, what it looks with, and what the model is without it.

    Michel, Levy & Neubig, "Are Sixteen Heads Really Better than One?" (2019), section 2.3: a head is switched off by a
    factor of zero on what it gives.

L layers, H heads, T tokens, D the size of a head, V vocabulary size
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.hooks import Attention, attention_replaced, undisturbed
from handmade.models.gpt import GPT
from handmade.nn.functional import recorded_attention

Place = tuple[int, int]
"""A head: its layer and its number there."""


class Heads(NamedTuple):
    """maps: the weights of every head, row i for what token i looks at. queries, keys, values: of every head.

    log_probabilities: of each token of the vocabulary after each token of the text, in nats.
    """

    maps: Float[np.ndarray, "L H T T"]
    queries: Float[np.ndarray, "L H T D"]
    keys: Float[np.ndarray, "L H T D"]
    values: Float[np.ndarray, "L H T D"]
    log_probabilities: Float[np.ndarray, "T V"]

    def losses(self, tokens: Int64[np.ndarray, "T"]) -> Float[np.ndarray, "N"]:
        """-log p(token | all before it) of the second token to the last."""
        return _losses(self.log_probabilities, tokens)

    def likeliest(self, count: int) -> tuple[Int64[np.ndarray, "T n"], Float[np.ndarray, "T n"]]:
        """The `count` most likely next tokens after each token, and their probabilities."""
        order = np.argsort(-self.log_probabilities, axis=-1, kind="stable")[:, :count]
        return order, np.exp(np.take_along_axis(self.log_probabilities, order, axis=-1))


def read_heads(
    model: GPT, tokens: Int64[np.ndarray, "T"], sharpness: float = 1.0, off: Collection[Place] = ()
) -> Heads:
    """What all heads do while the model reads `tokens`.

    sharpness: what all scores are multiplied by before the softmax. off: heads that give nothing.
    Raises InputError for a text that is empty, or longer than the model can see, and for a head that is not there.
    """
    _require_room(model, tokens)
    _require_heads(model, off)
    seen: list[list[np.ndarray]] = []

    def replace(layer: int, own: Attention) -> Attention:
        def attention(query: Tensor, key: Tensor, value: Tensor, *rest: object, **options: object) -> Tensor:
            seen.append([x.array[0] for x in (query, key, value)])
            return _without(own(query * sharpness, key, value, *rest, **options), [h for at, h in off if at == layer])

        return attention

    with undisturbed(model), no_grad(), recorded_attention() as maps, attention_replaced(model, replace):
        logits, _ = model(Tensor(tokens[None]))
    queries, keys, values = (np.stack(part) for part in zip(*seen, strict=True))
    return Heads(np.stack([layer[0] for layer in maps]), queries, keys, values, _log_probabilities(logits)[0])


def losses_without_heads(
    model: GPT, tokens: Int64[np.ndarray, "T"], sharpness: float = 1.0, off: Collection[Place] = ()
) -> Float[np.ndarray, "L H"]:
    """The mean loss of the text without each head, beside those that are `off` anyway: all heads of a layer at once."""
    _require_room(model, tokens, least=2)
    _require_heads(model, off)
    H, losses = model.config.n_head, []
    for ablated in range(model.config.n_layer):

        def replace(layer: int, own: Attention, ablated: int = ablated) -> Attention:
            def attention(query: Tensor, *rest: object, **options: object) -> Tensor:
                y = _without(own(query * sharpness, *rest, **options), [h for at, h in off if at == layer])
                return y * Tensor(1 - np.eye(H, dtype=y.dtype)[:, :, None, None]) if layer == ablated else y

            return attention

        with undisturbed(model), no_grad(), attention_replaced(model, replace):
            logits, _ = model(Tensor(np.tile(tokens, (H, 1))))  # row h without head h
        losses.append(_losses(_log_probabilities(logits), tokens).mean(-1))
    return np.stack(losses)


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
    return float(_losses(_log_probabilities(logits)[0], tokens).mean())


def _without(output: Tensor, heads: list[int]) -> Tensor:
    """What the heads give, B H T D, with zeros from these."""
    if not heads:
        return output
    keep = np.ones((1, output.shape[1], 1, 1), output.dtype)
    keep[:, heads] = 0
    return output * Tensor(keep)


def _log_probabilities(logits: Float[Tensor, "*B T V"]) -> Float[np.ndarray, "*B T V"]:
    return logits.double().log_softmax(-1).array


def _losses(log_probabilities: Float[np.ndarray, "*B T V"], tokens: Int64[np.ndarray, "T"]) -> np.ndarray:
    """-log p(token | all before it) of the second token to the last, (*B, T - 1)."""
    return -log_probabilities[..., np.arange(len(tokens) - 1), tokens[1:]]


def _require_room(model: GPT, tokens: np.ndarray, least: int = 1) -> None:
    """least: 2 where the loss is asked for, since the first token follows none."""
    most = model.config.block_size
    if not least <= len(tokens) <= most:
        raise InputError(
            f"the text has {len(tokens)} tokens, expected {least} to {most}, which the model sees at once."
        )


def _require_heads(model: GPT, heads: Collection[Place]) -> None:
    L, H = model.config.n_layer, model.config.n_head
    for layer, h in heads:
        if not (0 <= layer < L and 0 <= h < H):
            raise InputError(f"there is no head {h} in layer {layer}: there are {L} layers of {H} heads each.")
