"""Published files of GPT-2's weights: the names of their arrays, and their configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from handmade.models.settings import check_computed, check_same, fields_of

if TYPE_CHECKING:
    from handmade.models.gpt import GPTConfig


SETTINGS = {
    "vocab_size": "vocab_size",
    "n_positions": "block_size",
    "n_layer": "n_layer",
    "n_head": "n_head",
    "n_embd": "n_embd",
    "layer_norm_epsilon": "layer_norm_epsilon",
    "tie_word_embeddings": "tied",
}
"""The settings of config.json that are fields of a configuration."""

COMPUTED = {
    "model_type": ("gpt2",),
    "activation_function": ("gelu_new", "gelu_pytorch_tanh"),  # two names of one function
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "add_cross_attention": (False,),
}
"""The values of other settings that this network can compute."""


def configured(settings: Mapping[str, Any], like: GPTConfig) -> GPTConfig:
    """The configuration that config.json describes; what it leaves out is Hugging Face's default, dropout as in `like`.

    Raises ValueError for a network that is not this one.
    """
    found = type(like)(**fields_of(settings, type(like), SETTINGS), dropout=like.dropout)
    check_computed(settings, COMPUTED | {"n_inner": (None, 4 * found.n_embd)}, "this GPT")
    return found


def check_settings(settings: Mapping[str, Any], own: GPTConfig) -> None:
    """Raise ValueError unless config.json describes the network of `own`, in what the weights do not show."""
    check_same(configured(settings, own), own, ("n_head", "layer_norm_epsilon"))


def least_numbers(config: GPTConfig) -> int:
    """A lower bound on the number of weights."""
    C = config.n_embd
    return (config.vocab_size + config.block_size) * C + 12 * config.n_layer * C * C


def published_names(state_dict: Mapping[str, Any], tied: bool) -> dict[str, Any]:
    """The arrays under this model's names. Files of GPT-2 differ from each other in three things:

    `transformer.` may be missing before every name; `attn.bias` and `attn.masked_bias` are causal masks, not weights;
    and `lm_head.weight`, which is wte's, may be left out.
    """
    state = {}
    for name, array in state_dict.items():
        if name.endswith((".attn.bias", ".attn.masked_bias")):
            continue
        has_place = name.startswith(("transformer.", "lm_head."))
        state[name if has_place else f"transformer.{name}"] = array
    wte, head = state.get("transformer.wte.weight"), state.get("lm_head.weight")
    if tied and wte is not None:
        if head is not None and not np.array_equal(np.asarray(head), np.asarray(wte)):
            raise RuntimeError("lm_head.weight is not transformer.wte.weight: these weights want GPTConfig(tied=False)")
        state["lm_head.weight"] = wte
    return state


def configuration(state: Mapping[str, Any], like: GPTConfig) -> GPTConfig | None:
    """The configuration of these weights; what they do not show (heads, dropout, tied) is as in `like`.

    None if they are not a GPT's.
    """
    try:
        vocab_size, n_embd = np.shape(state["transformer.wte.weight"])
        block_size = np.shape(state["transformer.wpe.weight"])[0]
    except (KeyError, ValueError, IndexError):
        return None
    layers = {name.split(".")[2] for name in state if name.startswith("transformer.h.")}
    n_head = like.n_head if n_embd == like.n_embd else max(1, n_embd // 64)  # in all of GPT-2 a head has 64 channels
    return replace(
        like,
        vocab_size=vocab_size,
        block_size=block_size,
        n_layer=len(layers) or 1,
        n_head=n_head if n_embd % n_head == 0 else 1,
        n_embd=n_embd,
        bias="transformer.ln_f.bias" in state,
    )


def differences(found: GPTConfig, expected: GPTConfig, known: Mapping[str, GPTConfig]) -> str:
    """The message about the sizes in which two configurations differ; `known` are the named ones."""
    lines = [
        f"{field.name}: given {getattr(found, field.name)}, expected {getattr(expected, field.name)}"
        for field in fields(expected)
        if field.name != "n_head" and getattr(found, field.name) != getattr(expected, field.name)
    ]
    same = [name for name, config in known.items() if config == found]
    advice = f"\nThey are those of {same[0]!r}." if same else ""
    return "\n    ".join(["the weights are of another configuration, none is loaded:", *lines]) + advice
