"""The exercises, one file each, in the order of study. A file is imported when its exercise is first asked for."""

import difflib
from importlib import import_module

from handmade.errors import InputError
from handmade.workshop.exercise import Exercise

NAMES: tuple[str, ...] = (
    "softmax",
    "cross_entropy",
    "linear",
    "dropout",
    "sgd_momentum",
    "adam",
    "adamw_groups",
    "backprop",
    "im2col",
    "conv2d",
    "conv2d_backward",
    "output_size",
    "max_pool",
    "avg_pool",
    "global_avg_pool",
    "batch_norm",
    "batch_norm_backward",
    "local_response_norm",
    "lenet5_forward",
    "residual_block",
    "bottleneck",
    "inception_module",
    "rnn_step",
    "rnn_backward",
    "lstm_step",
    "lstm_backward",
    "gru_step",
    "bidirectional",
    "clip_grad_norm",
    "skipgram_loss",
    "bahdanau",
    "beam_search",
    "bleu",
    "ctc_greedy",
    "self_attention",
    "multi_head_attention",
    "causal_mask",
    "padding_mask",
    "cross_attention",
    "attention_backward",
    "sinusoidal",
    "rotary",
    "layer_norm",
    "gelu",
    "encoder_layer",
    "gpt_block",
    "gpt_batch",
    "sampling",
    "kv_cache",
    "bpe",
    "label_smoothing",
    "noam",
    "scaled_init",
)


def exercise_named(name: str) -> Exercise:
    """The exercise of this name. InputError for an unknown one."""
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        meant = f" Did you mean {near[0]}?" if near else f" There are {', '.join(NAMES)}."
        raise InputError(f"there is no exercise {name!r}.{meant}")
    return import_module(f"handmade.workshop.exercises.{name}").EXERCISE


__all__ = ["NAMES", "exercise_named"]
