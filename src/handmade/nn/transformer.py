"""The Transformer's layers and stacks (Vaswani et al. 2017, section 3), under PyTorch's names and defaults.

    encoder layer:  self-attention,                                feed-forward
    decoder layer:  causal self-attention, attention to the memory, feed-forward

Around each sublayer goes a residual connection, with a layer norm after the sum as in the paper (post-norm), or with
`norm_first` before the sublayer (pre-norm; Xiong et al. 2020), which leaves the residual path clear from end to end:

    post-norm  x = norm(x + dropout(sublayer(x)))          pre-norm  x = x + dropout(sublayer(norm(x)))

Masks are PyTorch's: True hides, see `MultiheadAttention`. `is_causal` needs no mask here; PyTorch requires both.

B batch, S source tokens (those of the memory), T target tokens, E d_model. With batch_first=False, the default as in
PyTorch, tensors are (S, B, E) and (T, B, E).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.engine.creation import full
from handmade.engine.functions import cat
from handmade.nn.attention import KeyValue, MultiheadAttention
from handmade.nn.containers import ModuleList
from handmade.nn.init import xavier_uniform_
from handmade.nn.linear import Dropout, Linear
from handmade.nn.module import Module
from handmade.nn.normalization import LayerNorm

Activation = str | Callable[[Tensor], Tensor]
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


class TransformerEncoderLayer(Module):
    """Self-attention and feed-forward: (S, B, E) -> (S, B, E).

    >>> from handmade import nn, randn
    >>> nn.TransformerEncoderLayer(16, nhead=4, batch_first=True)(randn(2, 5, 16)).shape
    (2, 5, 16)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.activation = _activation(activation)
        self.norm_first = norm_first
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """src_mask (S, S) or (B H, S, S), src_key_padding_mask (B, S): True hides; see `MultiheadAttention`."""

        def attend(x: Tensor) -> Tensor:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]

        x = _residual(src, attend, self.norm1, self.dropout1, self.norm_first)
        return _residual(x, self._feed_forward, self.norm2, self.dropout2, self.norm_first)

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerDecoderLayer(Module):
    """Self-attention, attention to the encoder's output (the memory), feed-forward: (T, B, E), (S, B, E) -> (T, B, E).

    `step` does the same one token at a time, and caches the keys and values of earlier tokens.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.activation = _activation(activation)
        self.norm_first = norm_first
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """tgt_mask (T, T), memory_mask (T, S) and the padding masks (B, T) and (B, S): True hides."""

        def attend(x: Tensor) -> Tensor:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def look_up(x: Tensor) -> Tensor:
            padding, mask = memory_key_padding_mask, memory_mask
            return self.multihead_attn(x, memory, memory, padding, False, mask, is_causal=memory_is_causal)[0]

        return self._sublayers(tgt, attend, look_up)

    def step(
        self, tgt: Tensor, past: KeyValue | None, memory: KeyValue, memory_visible: Tensor | None = None
    ) -> tuple[Tensor, KeyValue]:
        """The output for the next target token only, and the keys and values up to and including it.

        Args:
            tgt: (1, B, E), or (B, 1, E) with batch_first.
            past: what the last call returned; None for the first token.
            memory: `multihead_attn.keys_and_values(memory, memory)`, the same for all tokens.
            memory_visible: broadcasts to (B, H, 1, S); True for the tokens of the memory that may be attended to.
        """
        kept = []

        def attend(x: Tensor) -> Tensor:
            k, v = self.self_attn.keys_and_values(x, x)
            kept[:] = (k, v) if past is None else (cat([past[0], k], dim=2), cat([past[1], v], dim=2))  # B H T d
            return self.self_attn.attend(self.self_attn.queries(x), *kept)

        def look_up(x: Tensor) -> Tensor:
            return self.multihead_attn.attend(self.multihead_attn.queries(x), *memory, memory_visible)

        output = self._sublayers(tgt, attend, look_up)
        return output, (kept[0], kept[1])

    def _sublayers(self, x: Tensor, attend: Sublayer, look_up: Sublayer) -> Tensor:
        x = _residual(x, attend, self.norm1, self.dropout1, self.norm_first)
        x = _residual(x, look_up, self.norm2, self.dropout2, self.norm_first)
        return _residual(x, self._feed_forward, self.norm3, self.dropout3, self.norm_first)

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoder(Module):
    """`num_layers` copies of a layer in sequence, then `norm`, which pre-norm layers need at the end.

    The copies start with equal weights, as in PyTorch; a model should initialise them again. enable_nested_tensor and
    mask_check are ways of PyTorch's to compute the same.
    """

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = ModuleList(copy.deepcopy(encoder_layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, is_causal)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """`num_layers` copies of a layer in sequence, then `norm`, as in TransformerEncoder."""

    def __init__(self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList(copy.deepcopy(decoder_layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal, memory_is_causal
        for layer in self.layers:
            tgt = layer(tgt, memory, *masks)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """Encoder and decoder (Vaswani et al. 2017): src (S, B, E) and tgt (T, B, E) -> (T, B, E), each ended by a norm."""

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        options = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        norm = lambda: LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*options), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*options), num_decoder_layers, norm()
        )
        for parameter in self.parameters():
            if parameter.ndim > 1:
                xavier_uniform_(parameter)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool = False,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal, memory_is_causal
        return self.decoder(tgt, memory, *masks)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """(sz, sz): 0 where query i may attend to key j <= i, else -inf."""
        return full((sz, sz), -float("inf"), dtype=dtype).triu(1)


Sublayer = Callable[[Tensor], Tensor]


def _residual(x: Tensor, sublayer: Sublayer, norm: Module, dropout: Module, norm_first: bool) -> Tensor:
    return x + dropout(sublayer(norm(x))) if norm_first else norm(x + dropout(sublayer(x)))


def _activation(activation: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(activation, str):
        return activation
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; expected {' or '.join(map(repr, ACTIVATIONS))}, or a function")
    return ACTIVATIONS[activation]
