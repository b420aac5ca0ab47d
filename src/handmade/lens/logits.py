"""What each part of a GPT adds to the scores of the next token: the direct contributions to its logits.

    Elhage et al., "A Mathematical Framework for Transformer Circuits" (2021), "The output of a head is added to the
    residual stream"; nostalgebraist, "interpreting GPT: the logit lens" (2020).

The stream at the last layer is a sum: the vectors of token and place, and what each head and each MLP added. Given the
deviation that the final norm divides by, the logits are linear in it, so each part has its share of every logit:

    logit[t] = sum over parts of  (part - mean(part)) / deviation * gamma . (u[t] - mean of u)  + that of biases

u[t] is the unembedding of token t. Taking the mean of u away leaves probabilities as they are: a share says how much
the part raises t above the mean of all tokens.

T tokens, L layers, H heads, C channels, N tokens whose logits are asked for
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from handmade import draw
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.hooks import undisturbed
from handmade.models.gpt import GPT


class Contributions(NamedTuple):
    """What the parts add to the logits of N tokens at one place, above the mean of all tokens.

    token, position: the two vectors that the stream begins with. heads, mlps: of every layer. biases: of the
    attention's output projections and of the final norm, together; zero without any. They sum to `logits`.
    """

    token: Float[np.ndarray, "N"]
    position: Float[np.ndarray, "N"]
    heads: Float[np.ndarray, "L H N"]
    mlps: Float[np.ndarray, "L N"]
    biases: Float[np.ndarray, "N"]
    logits: Float[np.ndarray, "N"]


def contributions(
    model: GPT, tokens: Int64[np.ndarray, "T"], place: int, targets: Int64[np.ndarray, "N"]
) -> Contributions:
    """What each part adds at `place` to the logits of `targets`. InputError for a place that is not in the text."""
    if not 0 <= place < len(tokens):
        raise InputError(f"there is no place {place} in the text: it has {len(tokens)} tokens.")
    merged, mlps, last = _recorded(model, tokens, place)
    config, transformer = model.config, model.transformer
    H, D = config.n_head, config.n_embd // config.n_head
    weights = [np.asarray(block.attn.c_proj.weight.array, np.float64) for block in transformer.h]
    heads = np.stack(
        [
            [layer[h * D : (h + 1) * D] @ weight[h * D : (h + 1) * D] for h in range(H)]
            for layer, weight in zip(merged, weights, strict=True)
        ]
    )  # L H C
    biases = [block.attn.c_proj.bias for block in transformer.h]
    projection_bias = sum((bias.array for bias in biases if bias is not None), np.zeros(config.n_embd))
    norm: Any = transformer.ln_f  # it has weights always, a bias sometimes
    u = model.lm_head.weight.array.astype(np.float64)
    directions = (u[targets] - u.mean(0)).T  # C N
    deviation = np.sqrt(last.var() + norm.eps)
    share: Callable[[np.ndarray], np.ndarray] = lambda part: (
        (part - part.mean(-1, keepdims=True)) / deviation * norm.weight.array @ directions
    )
    norm_bias = 0.0 if norm.bias is None else norm.bias.array @ directions
    parts = (
        share(transformer.wte.weight.array[tokens[place]].astype(np.float64)),
        share(transformer.wpe.weight.array[place].astype(np.float64)),
        share(heads),
        share(mlps),
        share(projection_bias) + norm_bias,
    )
    return Contributions(*parts, share(last) + norm_bias)


@no_grad()
def _recorded(model: GPT, tokens: np.ndarray, place: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At the place: what the heads of each layer give, side by side, L C; what each MLP adds, L C; the last stream."""
    merged: list[np.ndarray] = []
    mlps: list[np.ndarray] = []
    last: list[np.ndarray] = []
    keep_input = lambda into: lambda module, inputs, output: into.append(inputs[0].array[0, place].astype(np.float64))

    def keep_output(module: Any, inputs: tuple, output: Tensor) -> None:
        mlps.append(output.array[0, place].astype(np.float64))

    handles = [block.attn.c_proj.register_forward_hook(keep_input(merged)) for block in model.transformer.h]
    handles += [block.mlp.register_forward_hook(keep_output) for block in model.transformer.h]
    handles.append(model.transformer.ln_f.register_forward_hook(keep_input(last)))
    try:
        with undisturbed(model):
            model(Tensor(tokens[None]))
    finally:
        for handle in handles:
            handle.remove()
    return np.stack(merged), np.stack(mlps), last[0]


def draw_contributions(path: Path, made: Contributions, title: str) -> None:
    """Draw to `path` what the parts add to the logit of the first target."""
    others = {"token": made.token, "position": made.position}
    if np.any(made.biases):
        others["biases"] = made.biases
    named = {name: float(share[0]) for name, share in others.items()}
    draw.contributions(made.heads[:, :, 0], made.mlps[:, 0], named, title).save(path)
