"""One block of GPT-2: normalisation before each sublayer, and a residual stream that nothing normalises.

    x = x + attention(ln_1(x)),   x = x + mlp(ln_2(x)),   mlp(x) = c_proj(gelu(c_fc(x)))

x is (T, C) or (B, T, C); attention is causal and has num_heads heads of C / num_heads consecutive columns. params are
named and laid out as GPT-2's, weights (in, out): ln_1.weight, ln_1.bias, attn.c_attn.weight (C, 3C) with queries, keys
and values side by side, attn.c_attn.bias, attn.c_proj.weight and .bias, ln_2, mlp.c_fc.weight (C, 4C) and .bias,
mlp.c_proj.weight (4C, C) and .bias. Layer normalisation has eps 1e-5 and biased variance. GELU is the tanh form, as
GPT-2 was trained with it: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. No dropout.
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
    NO_MASK,
    NO_SCALE,
    ONE_MAXIMUM,
    RESHAPED_NOT_SPLIT,
    ROOT_OF_D_MODEL,
    SEES_ONE_AHEAD,
    SOFTMAX_OVER_QUERIES,
    UNBIASED_VARIANCE,
)
from handmade.workshop.switches import wrong


def gpt_block(x, params, num_heads):
    """x (T, C) or (B, T, C) -> the shape of x."""
    if wrong("norms after the sums"):
        x = layer_norm(x + attention(x, params, num_heads), params, "ln_1")
        return layer_norm(x + mlp(x, params), params, "ln_2")
    normed = x if wrong("no first norm") else layer_norm(x, params, "ln_1")
    attended = attention(normed, params, num_heads)
    y = (normed if wrong("residuals from the norms") else x) + attended
    if wrong("no residual around attention"):
        y = attended
    normed = y if wrong("no second norm") else layer_norm(x if wrong("MLP beside attention") else y, params, "ln_2")
    out = mlp(normed, params)
    if wrong("no residual around the MLP"):
        return out
    return (normed if wrong("residuals from the norms") else y) + out


def attention(x, params, num_heads):
    """x (..., T, C) -> (..., T, C)."""
    T, C = x.shape[-2:]
    qkv = x @ params["attn.c_attn.weight"]
    if not wrong("attention's input bias forgotten"):
        qkv = qkv + params["attn.c_attn.bias"]
    q, k, v = (split(part, num_heads) for part in np.split(qkv, 3, axis=-1))  # ... H T d_k
    if wrong("queries and keys exchanged"):
        q, k = k, q
    d_k = C if wrong("divides by the root of d_model") else C // num_heads
    scores = q @ k.swapaxes(-1, -2) / (1.0 if wrong("no scale") else np.sqrt(d_k))  # ... H T T
    unmasked = scores
    visible = np.tri(T, k=1 if wrong("sees one ahead") else 0, dtype=bool)
    if wrong("no mask"):
        visible[:] = True
    if not wrong("mask after the softmax"):
        scores = np.where(visible, scores, 0.0 if wrong("masked with zero") else -np.inf)
    axis = -2 if wrong("softmax over the queries") else -1
    largest = (unmasked if wrong("maximum taken before the mask") else scores).max(axis, keepdims=True)
    if wrong("one maximum for all scores"):
        largest = scores.max()
    exponentials = np.exp(scores - largest)
    weights = exponentials / exponentials.sum(axis, keepdims=True)
    if wrong("mask after the softmax"):
        weights = weights * visible
    heads = weights @ v  # ... H T d_k
    if not wrong("merged without swapping"):
        heads = heads.swapaxes(-2, -3)
    if wrong("attention's output projection missing"):
        return heads.reshape(x.shape)
    return heads.reshape(x.shape) @ params["attn.c_proj.weight"] + params["attn.c_proj.bias"]


def split(projected, num_heads):
    """(..., T, C) -> (..., num_heads, T, d_k)."""
    *batch, T, C = projected.shape
    if wrong("reshaped instead of split"):
        return projected.reshape(*batch, num_heads, T, C // num_heads)
    return projected.reshape(*batch, T, num_heads, C // num_heads).swapaxes(-2, -3)


def mlp(x, params):
    """x (..., C) -> (..., C)."""
    hidden = x @ params["mlp.c_fc.weight"] + params["mlp.c_fc.bias"]
    if wrong("exact GELU"):
        hidden = hidden * (1 + np.vectorize(math.erf)(hidden / math.sqrt(2))) / 2
    elif wrong("ReLU"):
        hidden = np.maximum(hidden, 0)
    elif not wrong("no GELU"):
        hidden = hidden * (1 + np.tanh(math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden**3))) / 2
    return hidden @ params["mlp.c_proj.weight"] + params["mlp.c_proj.bias"]


def layer_norm(x, params, name):
    """x (..., C) -> (..., C), each vector normalised, then scaled and shifted."""
    variance = x.var(-1, keepdims=True, ddof=1 if wrong("unbiased variance") else 0)
    eps = 0.0 if wrong("no eps") else 1e-5
    root = np.sqrt(variance) + eps if wrong("eps outside the root") else np.sqrt(variance + eps)
    return (x - x.mean(-1, keepdims=True)) / root * params[f"{name}.weight"] + params[f"{name}.bias"]


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """With and without a batch, several heads, T < C and T > C, scores that lie thousands apart, small inputs in which
    eps shows."""
    for label, batch, T, num_heads, d_k, size in [
        ("one sequence", (), 4, 2, 3, 1),
        ("one head", (), 3, 1, 4, 1),
        ("a batch", (2,), 3, 3, 2, 1),
        ("T > C", (2,), 6, 2, 2, 1),
        ("small inputs", (), 3, 2, 2, 0.02),
    ]:
        C = num_heads * d_k
        shapes = {
            "attn.c_attn.weight": (C, 3 * C),
            "attn.c_attn.bias": (3 * C,),
            "attn.c_proj.weight": (C, C),
            "attn.c_proj.bias": (C,),
            "mlp.c_fc.weight": (C, 4 * C),
            "mlp.c_fc.bias": (4 * C,),
            "mlp.c_proj.weight": (4 * C, C),
            "mlp.c_proj.bias": (C,),
        }
        params = {name: rng.standard_normal(shape) / shape[0] ** 0.5 for name, shape in shapes.items()}
        for name in ("ln_1", "ln_2"):
            params[f"{name}.weight"], params[f"{name}.bias"] = rng.uniform(0.5, 2, C), rng.standard_normal(C)
        yield Case(label, (size * rng.standard_normal((*batch, T, C)), params, num_heads))
        if label == "a batch":
            for name, high, flat in [("rows far apart", 0, 1), ("keys far apart", 1, 0)]:
                # queries (or keys) of about 17 and -17, against keys (or queries) of about 17
                projections, biases = rng.standard_normal((C, 3, C)) / C**0.5, np.zeros((3, C))
                projections[:, :2] *= 0.03
                projections[0, high], biases[flat] = 17 / math.sqrt(C - 1), 17
                joint = {"attn.c_attn.weight": projections.reshape(C, 3 * C), "attn.c_attn.bias": biases.ravel()}
                joint |= {"ln_1.weight": np.ones(C), "ln_1.bias": np.zeros(C)}
                apart = 0.3 * rng.standard_normal((*batch, T, C))
                apart[..., 0] = np.where(np.arange(T) == T - 1, 9, -9)
                yield Case(name, (apart, {**params, **joint}, num_heads))


EXERCISE = Exercise(
    title="GPT block",
    paper="Radford et al. 2019, Language Models are Unsupervised Multitask Learners, section 2.3",
    minutes=25,
    functions=(gpt_block,),
    outputs=("out",),
    cases=cases,
    faults={
        "maximum taken before the mask": MAXIMUM_OF_THE_HIDDEN,
        "one maximum for all scores": ONE_MAXIMUM,
        "no residual around attention": Fault(
            "x is not added to attention's output.",
            "Each position loses itself among the others, and a stack of blocks does not train.",
            "x = x + attention(ln_1(x)).",
        ),
        "no residual around the MLP": Fault(
            "The MLP's output replaces the residual stream instead of being added to it.",
            "What attention found must pass through the MLP, and a stack of blocks does not train.",
            "x = x + mlp(ln_2(x)).",
        ),
        "residuals from the norms": Fault(
            "The normalised x is added, not x itself: x = ln(x) + f(ln(x)).",
            "The residual stream is normalised at each block, and gradients lose their short path down.",
            "Keep x: x = x + f(ln(x)).",
        ),
        "norms after the sums": Fault(
            "The normalisation comes after each sum (post-norm, as in Vaswani et al.), not before each sublayer.",
            "Deep stacks need a warm-up to train at all, and GPT-2's weights do not fit.",
            "x = x + attention(ln_1(x)); x = x + mlp(ln_2(x)).",
        ),
        "no first norm": Fault(
            "ln_1 is missing: attention reads x as it is.",
            "The residual stream grows from block to block, and attention saturates with it.",
            "attention(ln_1(x)).",
        ),
        "no second norm": Fault(
            "ln_2 is missing: the MLP reads the residual stream as it is.",
            "The residual stream grows from block to block, and the MLP's outputs with it.",
            "mlp(ln_2(x)).",
        ),
        "MLP beside attention": Fault(
            "The MLP reads the block's input, not what attention has added to (GPT-J's parallel form).",
            "The MLP cannot use in this block what attention found in it.",
            "x = x + attention(ln_1(x)) first; then x = x + mlp(ln_2(x)) with the new x.",
        ),
        "exact GELU": Fault(
            "GELU is the exact form, with erf.",
            "GPT-2 was trained with the tanh form: its logits come out slightly off, in every block a little more.",
            "x * 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))); in torch gelu(x, approximate='tanh').",
        ),
        "ReLU": Fault(
            "The activation is ReLU.",
            "GPT-2's weights do not fit.",
            "x * 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))).",
        ),
        "no GELU": Fault(
            "There is no activation between the MLP's two layers.",
            "Two linear layers in a row are one: most of the block's power is gone.",
            "c_proj(gelu(c_fc(x))).",
        ),
        "no mask": NO_MASK,
        "sees one ahead": SEES_ONE_AHEAD,
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
        "attention's input bias forgotten": Fault(
            "attn.c_attn.bias is not used.",
            "Pretrained weights do not fit.",
            "x @ c_attn.weight + c_attn.bias, then cut into queries, keys and values.",
        ),
        "attention's output projection missing": Fault(
            "attn.c_proj is not used.",
            "The heads are added to the residual stream side by side, and never mixed.",
            "heads @ c_proj.weight + c_proj.bias.",
        ),
        "unbiased variance": UNBIASED_VARIANCE,
        "eps outside the root": EPS_OUTSIDE,
        "no eps": Fault(
            "eps is missing from the normalisation, or far below 1e-5.",
            "Vectors of little variance come out larger than they should, and one of none gives nan.",
            "Divide by np.sqrt(variance + 1e-5).",
        ),
    },
    hints=(
        "Two sublayers; each reads a normalised copy of x, and what it gives is added to x.",
        "GPT-2's weights are (in, out): x @ W + b. Split c_attn's result in three, each into heads, and hide the "
        "future. "
        "Swap axes from behind (-2, -3), and a batch needs no extra code.",
        "x = x + attention(ln_1(x)); x = x + gelu(ln_2(x) @ W_fc + b_fc) @ W_proj + b_proj",
    ),
)
