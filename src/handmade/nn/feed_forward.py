"""Feed-forward layers of a Transformer: applied to each token separately."""

from __future__ import annotations

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.nn.linear import Linear
from handmade.nn.module import Module


class SwiGLU(Module):
    """(silu(x Wg) * x Wu) Wd: Wg gives each hidden unit a gate (Shazeer 2020, "GLU Variants Improve Transformer").

    (..., embed_dim) -> (..., embed_dim). Three matrices instead of two: with hidden_dim = 8/3 embed_dim it has as many
    parameters as a plain feed-forward layer with 4 embed_dim. gate_proj, up_proj and down_proj are Llama's names.
    """

    def __init__(self, embed_dim: int, hidden_dim: int, bias: bool = False) -> None:
        super().__init__()
        self.gate_proj = Linear(embed_dim, hidden_dim, bias)
        self.up_proj = Linear(embed_dim, hidden_dim, bias)
        self.down_proj = Linear(hidden_dim, embed_dim, bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
