"""One layer of the Transformer's encoder, as in the paper: normalisation after each sum.

    x = norm1(x + attention(x)),   x = norm2(x + linear2(relu(linear1(x))))

x is (S, D) or (N, S, D). params are named and laid out as PyTorch's TransformerEncoderLayer (weights are (out, in)):
self_attn.in_proj_weight (3D, D) with queries, keys and values stacked, self_attn.in_proj_bias,
self_attn.out_proj.weight and .bias, linear1, linear2, norm1, norm2 with .weight and .bias. Layer normalisation is over
D with eps 1e-5 and biased variance; head h has D / num_heads consecutive columns. mask, where given, is boolean (S, S):
query i may look at key j where mask[i, j] is True. No dropout.
"""

import math
from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.faults import (
    EPS_OUTSIDE,
    MASK_AFTER_SOFTMAX,
    MASKED_WITH_ZERO,
    MAXIMUM_OF_THE_HIDDEN,
    MERGED_WITHOUT_SWAP,
    NO_SCALE,
    ONE_MAXIMUM,
    RESHAPED_NOT_SPLIT,
    ROOT_OF_D_MODEL,
    SOFTMAX_OVER_QUERIES,
    UNBIASED_VARIANCE,
)
from handmade.workshop.switches import convention, wrong


def encoder_layer(x, params, num_heads, mask=None):
    """x (S, D) or (N, S, D), mask (S, S), True where it may look -> the shape of x."""
    first, second = ("norm2", "norm1") if wrong("norms exchanged") else ("norm1", "norm2")
    if wrong("norms before the sublayers"):
        x = x + self_attention(norm(x, params, first), params, num_heads, mask)
        return x + feed_forward(norm(x, params, second), params)
    attended = self_attention(x, params, num_heads, mask)
    if not wrong("no residual around attention"):
        attended = x + attended
    y = norm(attended, params, first)
    out = feed_forward(y, params)
    if not wrong("no residual around the feed-forward"):
        out = out + (x if wrong("second residual from the input") else y)
    return out if wrong("no second norm") else norm(out, params, second)


def self_attention(x, params, num_heads, mask):
    """x (..., S, D) -> (..., S, D)."""
    qkv = x @ params["self_attn.in_proj_weight"].T
    if not wrong("attention's input bias forgotten"):
        qkv = qkv + params["self_attn.in_proj_bias"]
    q, k, v = (split(part, num_heads) for part in np.split(qkv, 3, axis=-1))  # ... H S d_k
    if wrong("queries and keys exchanged"):
        q, k = k, q
    d_k = x.shape[-1] if wrong("divides by the root of d_model") else q.shape[-1]
    scores = q @ k.swapaxes(-1, -2) / (1.0 if wrong("no scale") else np.sqrt(d_k))  # ... H S S
    unmasked = scores
    if wrong("ignores the mask"):
        mask = None
    if mask is not None:
        if convention("True hides"):
            mask = ~mask
        if convention("added mask"):
            scores = scores + mask
        elif wrong("masked with zero"):
            scores = scores * mask
        elif not wrong("mask after the softmax"):
            scores = np.where(mask, scores, -np.inf)
    axis = -2 if wrong("softmax over the queries") else -1
    largest = (unmasked if wrong("maximum taken before the mask") else scores).max(axis, keepdims=True)
    if wrong("one maximum for all scores"):
        largest = scores.max()
    exponentials = np.exp(scores - largest)
    weights = exponentials / exponentials.sum(axis, keepdims=True)
    if mask is not None and wrong("mask after the softmax"):
        weights = weights * mask
    heads = weights @ v  # ... H S d_k
    if not wrong("merged without swapping"):
        heads = heads.swapaxes(-2, -3)
    return heads.reshape(x.shape) @ params["self_attn.out_proj.weight"].T + params["self_attn.out_proj.bias"]


def split(projected, num_heads):
    """(..., S, D) -> (..., num_heads, S, d_k)."""
    *batch, S, D = projected.shape
    if wrong("reshaped instead of split"):
        return projected.reshape(*batch, num_heads, S, D // num_heads)
    return projected.reshape(*batch, S, num_heads, D // num_heads).swapaxes(-2, -3)


def feed_forward(x, params):
    """x (..., D) -> (..., D)."""
    hidden = x @ params["linear1.weight"].T + params["linear1.bias"]
    if wrong("GELU in place of ReLU"):
        hidden = hidden * (1 + np.vectorize(math.erf)(hidden / math.sqrt(2))) / 2
    elif not wrong("no ReLU"):
        hidden = np.maximum(hidden, 0)
    return hidden @ params["linear2.weight"].T + params["linear2.bias"]


def norm(x, params, name):
    """x (..., D) -> (..., D), each vector normalised, then scaled and shifted."""
    variance = x.var(-1, keepdims=True, ddof=1 if wrong("unbiased variance") else 0)
    eps = 0.0 if wrong("no eps") else 1e-5
    root = np.sqrt(variance) + eps if wrong("eps outside the root") else np.sqrt(variance + eps)
    return (x - x.mean(-1, keepdims=True)) / root * params[f"{name}.weight"] + params[f"{name}.bias"]


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """With and without a batch, several heads, a mask that is not symmetric, scores that lie thousands apart, small
    inputs in which eps shows."""
    for label, batch, S, num_heads, d_k, F, masked, size in [
        ("one sequence", (), 4, 2, 3, 5, False, 1),
        ("a batch", (2,), 3, 3, 2, 7, False, 1),
        ("a mask", (), 5, 2, 2, 6, True, 1),
        ("a batch with a mask", (3,), 4, 2, 3, 4, True, 1),
        ("small inputs", (2,), 3, 1, 4, 8, False, 0.02),
    ]:
        D = num_heads * d_k
        shapes = {
            "self_attn.in_proj_weight": (3 * D, D),
            "self_attn.in_proj_bias": (3 * D,),
            "self_attn.out_proj.weight": (D, D),
            "self_attn.out_proj.bias": (D,),
            "linear1.weight": (F, D),
            "linear1.bias": (F,),
            "linear2.weight": (D, F),
            "linear2.bias": (D,),
        }
        params = {name: size * rng.standard_normal(shape) / shape[-1] ** 0.5 for name, shape in shapes.items()}
        for name in ("norm1", "norm2"):
            params[f"{name}.weight"], params[f"{name}.bias"] = rng.uniform(0.5, 2, D), rng.standard_normal(D)
        options = {}
        if masked:
            mask = rng.random((S, S)) < 0.5
            mask[range(S), range(S)], mask[range(S), np.arange(1, S + 1) % S] = True, False
            options["mask"] = mask
        yield Case(label, (size * rng.standard_normal((*batch, S, D)), params, num_heads), options)
        if label == "a batch with a mask":
            for name, high, flat in [("rows far apart", 0, 1), ("keys far apart", 1, 0)]:
                # queries (or keys) of about 17 and -17 in turn, against keys (or queries) of about 17
                projections, biases = rng.standard_normal((3, D, D)) / D**0.5, np.zeros((3, D))
                projections[:2] *= 0.03
                projections[high, :, 0], biases[flat] = 17, 17
                joint = {
                    "self_attn.in_proj_weight": projections.reshape(3 * D, D),
                    "self_attn.in_proj_bias": biases.ravel(),
                }
                apart = rng.standard_normal((*batch, S, D))
                apart[..., 0] = (-1.0) ** np.arange(1, S + 1)
                yield Case(name, (apart, {**params, **joint}, num_heads), {"mask": np.tri(S, dtype=bool)})


EXERCISE = Exercise(
    title="Transformer encoder layer",
    paper="Vaswani et al. 2017, Attention Is All You Need, sections 3.1 and 3.3",
    minutes=25,
    functions=(encoder_layer,),
    outputs=("out",),
    cases=cases,
    conventions={
        "True hides": "True in the mask means that a key is hidden, as in torch.nn.MultiheadAttention.",
        "added mask": "The mask is added to the scores: it expects 0 where it may look and -inf where not.",
    },
    faults={
        "maximum taken before the mask": MAXIMUM_OF_THE_HIDDEN,
        "one maximum for all scores": ONE_MAXIMUM,
        "no residual around attention": Fault(
            "x is not added to attention's output.",
            "Each position loses itself among the others, and gradients have no short path down: deep stacks do "
            "not train.",
            "norm1(x + attention(x)).",
        ),
        "no residual around the feed-forward": Fault(
            "The feed-forward's input is not added to its output.",
            "What attention found must pass through a ReLU, and deep stacks do not train.",
            "norm2(y + feed_forward(y)).",
        ),
        "second residual from the input": Fault(
            "The second sum adds the layer's input, not the first sublayer's output.",
            "What attention found reaches the output through the feed-forward alone.",
            "y = norm1(x + attention(x)); norm2(y + feed_forward(y)).",
        ),
        "norms before the sublayers": Fault(
            "The normalisation comes before each sublayer (pre-norm, as in GPT-2), not after each sum.",
            "It trains, even more easily, but it is another network: published weights do not fit.",
            "norm1(x + attention(x)), norm2(y + feed_forward(y)).",
        ),
        "norms exchanged": Fault(
            "norm1's parameters are used in the second place and norm2's in the first.",
            "Pretrained weights do not fit.",
            "norm1 follows attention, norm2 the feed-forward.",
        ),
        "no second norm": Fault(
            "There is no normalisation after the second sum.",
            "The residual stream grows from layer to layer.",
            "norm2(y + feed_forward(y)).",
        ),
        "GELU in place of ReLU": Fault(
            "The activation is GELU, as in BERT and GPT.",
            "It trains as well, but the weights of this network were trained with ReLU and do not fit.",
            "np.maximum(hidden, 0).",
        ),
        "no ReLU": Fault(
            "There is no ReLU between the two linear layers.",
            "Two linear layers in a row are one: the layer can only compute linear functions of each position.",
            "linear2(np.maximum(linear1(y), 0)).",
        ),
        "attention's input bias forgotten": Fault(
            "self_attn.in_proj_bias is not used.",
            "Pretrained weights do not fit.",
            "x @ in_proj_weight.T + in_proj_bias, then cut into queries, keys and values.",
        ),
        "ignores the mask": Fault(
            "The mask is not used.",
            "Padding, or the future, is seen.",
            "Set the scores to -inf where mask is False, before the softmax.",
        ),
        "mask after the softmax": MASK_AFTER_SOFTMAX,
        "masked with zero": MASKED_WITH_ZERO,
        "queries and keys exchanged": Fault(
            "The first third is taken for the keys and the second for the queries.",
            "The scores are transposed: a position looks at those that should look at it.",
            "The order is queries, keys, values.",
        ),
        "no scale": NO_SCALE,
        "divides by the root of d_model": ROOT_OF_D_MODEL,
        "softmax over the queries": SOFTMAX_OVER_QUERIES,
        "reshaped instead of split": RESHAPED_NOT_SPLIT,
        "merged without swapping": MERGED_WITHOUT_SWAP,
        "unbiased variance": UNBIASED_VARIANCE,
        "eps outside the root": EPS_OUTSIDE,
        "no eps": Fault(
            "eps is missing from the normalisation, or far below 1e-5.",
            "Vectors of little variance come out larger than they should, and one of none gives nan.",
            "Divide by np.sqrt(variance + 1e-5).",
        ),
    },
    hints=(
        "Two sublayers, each added to its input and then normalised. Write attention and the normalisation as "
        "functions.",
        "PyTorch's weights are (out, in): x @ W.T + b. in_proj_weight has queries, keys and values one below the "
        "other. "
        "Swap axes from behind (-2, -3), and a batch needs no extra code.",
        "y = norm1(x + attention(x)); out = norm2(y + relu(y @ W1.T + b1) @ W2.T + b2)",
    ),
    forbidden=(
        "torch.nn.TransformerEncoderLayer",
        "torch.nn.MultiheadAttention",
        "torch.nn.functional.multi_head_attention_forward",
    ),
)
