"""Published files of BERT: the names of their arrays, and their configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from handmade.models.settings import check_computed, check_same, fields_of

if TYPE_CHECKING:
    from handmade.models.bert import BertConfig

SETTINGS = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
            "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "hidden_dropout_prob",
            "attention_probs_dropout_prob", "initializer_range")  # fmt: skip
"""The settings of config.json that are fields of a configuration, under the same names."""

COMPUTED = {
    "model_type": ("bert",),
    "hidden_act": ("gelu",),
    "position_embedding_type": ("absolute",),
    "is_decoder": (False,),
    "add_cross_attention": (False,),
    "tie_word_embeddings": (True,),
}
"""The values of other settings that this network can compute."""


def configured(settings: Mapping[str, Any], like: BertConfig) -> BertConfig:
    """The configuration that config.json describes; what it leaves out is Hugging Face's default.

    Raises ValueError for a network that is not this one.
    """
    check_computed(settings, COMPUTED, "this BERT")
    return type(like)(**fields_of(settings, type(like), dict(zip(SETTINGS, SETTINGS, strict=True))))


def check_settings(settings: Mapping[str, Any], own: BertConfig) -> None:
    """Raise ValueError unless config.json describes the network of `own`, in what the weights do not show."""
    check_same(configured(settings, own), own, ("num_attention_heads", "layer_norm_eps"))


def least_numbers(config: BertConfig) -> int:
    """A lower bound on the number of weights."""
    D, F = config.hidden_size, config.intermediate_size
    rows = config.vocab_size + config.max_position_embeddings + config.type_vocab_size
    return rows * D + config.num_hidden_layers * (4 * D * D + 2 * D * F)


def published_names(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Checkpoints of all years under today's names: `gamma` and `beta` of the norms are `weight` and `bias`.

    The list of positions 0, 1, 2, ... that some hold is left out.
    """
    endings = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
    named = {}
    for name, array in arrays.items():
        for old, new in endings.items():
            name = name.removesuffix(old) + new if name.endswith(old) else name
        if not name.endswith("embeddings.position_ids"):
            named[name] = array
    return named
