"""What the cache of keys and values saves a GPT that writes, and what it takes (see models/gpt.py).

L layers, C channels, V vocabulary size, T tokens read so far
"""

from typing import NamedTuple

from handmade.models.gpt import GPTConfig


class CacheCost(NamedTuple):
    """After T tokens: the numbers in the cache; the multiply-adds that the scores of the next token take, with the
    cache and when the whole text is read again."""

    numbers: int
    cached: int
    again: int


def cache_cost(config: GPTConfig, tokens: int) -> CacheCost:
    """The cache holds a key and a value of C numbers for each token and layer: 2 L T C.

    With it only the last token is read: L (12 C² + 2 T C) + V C multiply-adds, the second for its products with T keys
    and the mean of T values. Without it all T are: L (12 T C² + T (T + 1) C) + V C, as token t sees t keys.
    """
    L, C, T = config.n_layer, config.n_embd, tokens
    last = config.vocab_size * C
    cached = L * (12 * C * C + 2 * T * C) + last
    return CacheCost(2 * L * T * C, cached, L * (12 * T * C * C + T * (T + 1) * C) + last)
