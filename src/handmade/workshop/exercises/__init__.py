"""The exercises, one file each, in the folder of their topic. A file is imported when its exercise is first asked for.

To add one: its file here, its right solutions in `variants/`, under the same topic and name, and its name in ORDER.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from handmade.errors import InputError, suggestion
from handmade.moved import MOVED

if TYPE_CHECKING:  # the names alone are had without NumPy
    from handmade.workshop.exercise import Exercise

ORDER: tuple[str, ...] = (
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
"""The order of study, the one list there is. An exercise that is not named here comes last."""

TOPICS = ("basics", "optimisation", "convolution", "recurrence", "attention", "transformers", "text")


def _found() -> dict[str, str]:
    """The topic of every exercise that has a file, in the order of study."""
    here = Path(__file__).parent
    topics = {
        path.stem: topic
        for topic in TOPICS
        for path in sorted((here / topic).glob("*.py"))
        if not path.stem.startswith("_")
    }
    known = [name for name in ORDER if name in topics]
    return {name: topics[name] for name in (*known, *(name for name in topics if name not in ORDER))}


_TOPIC_OF = _found()

NAMES: tuple[str, ...] = tuple(_TOPIC_OF)
"""All exercises, in the order of study."""

MOVED.update({f"{__name__}.{name}": f"{__name__}.{topic}.{name}" for name, topic in _TOPIC_OF.items()})


def topic_of(name: str) -> str:
    """The topic of an exercise, which is its folder. InputError for an unknown one."""
    if name not in _TOPIC_OF:
        raise InputError(f"there is no exercise {name!r}{suggestion(name, NAMES)} There are {', '.join(NAMES)}.")
    return _TOPIC_OF[name]


def names_of(topic: str | None) -> list[str]:
    """The exercises of a topic, by default of all, in the order of study."""
    return [name for name in NAMES if topic is None or _TOPIC_OF[name] == topic]


def exercise_named(name: str) -> "Exercise":
    """The exercise of this name. InputError for an unknown one."""
    return import_module(f"handmade.workshop.exercises.{topic_of(name)}.{name}").EXERCISE
