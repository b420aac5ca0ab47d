"""Per-token loss: how little a model expected each token of a text.

T tokens, S tokens of a source
"""

import numpy as np
from jaxtyping import Float, Int64

import handmade.nn.functional as F
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.hooks import undisturbed
from handmade.models.bert import BertForMaskedLM
from handmade.models.char_lm import CharLM
from handmade.models.sequence_to_sequence import SequenceToSequence

Losses = Float[np.ndarray, "N"]


@no_grad()
def next_token_losses(model: CharLM, tokens: Int64[np.ndarray, "T"]) -> Losses:
    """-log p(token | all before it) of the second token to the last, T - 1 numbers, in nats.

    Raises InputError for fewer than two tokens: the first has nothing before it.
    """
    if len(tokens) < 2:
        raise InputError(f"the text has {len(tokens)} tokens, expected two at least: what follows the first?")
    with undisturbed(model):
        logits, _ = model.read(Tensor(tokens[None, :-1]))
    return _losses(logits[0], tokens[1:])


@no_grad()
def translation_losses(
    model: SequenceToSequence, source: Int64[np.ndarray, "S"], target: Int64[np.ndarray, "T"]
) -> Losses:
    """-log p(target token | those before it, the source) of all but the first, which only says that it begins."""
    with undisturbed(model):
        logits = model(Tensor(source[None]), Tensor(target[None, :-1]))
    return _losses(logits[0], target[1:])


@no_grad()
def masked_losses(model: BertForMaskedLM, tokens: Int64[np.ndarray, "T"], mask: int) -> Losses:
    """-log p(token | all others), with one token hidden by `mask` at a time (Salazar et al. 2020, arXiv 1910.14659).

    The first and the last, [CLS] and [SEP], are not asked for: T - 2 numbers; NaN where a token is a mask already.
    Raises InputError where none is left.
    """
    places = 1 + np.flatnonzero(tokens[1:-1] != mask)
    if not len(places):
        raise InputError("the text holds nothing but masks: give it some words besides the masks.")
    hidden = np.tile(tokens, (len(places), 1))  # N T
    rows = np.arange(len(places))
    hidden[rows, places] = mask
    with undisturbed(model):
        logits = model(Tensor(hidden))[rows, places]
    losses = np.full(len(tokens) - 2, np.nan, logits.dtype)
    losses[places - 1] = _losses(logits, tokens[places])
    return losses


def log_probabilities(logits: Float[Tensor, "*B V"]) -> Float[np.ndarray, "*B V"]:
    """log softmax in nats, in double precision: losses with and without a part may differ by little."""
    return logits.double().log_softmax(-1).array


def losses_of(log_probs: Float[np.ndarray, "*B T V"], targets: Int64[np.ndarray, "N"]) -> Float[np.ndarray, "*B N"]:
    """-log p of each target at the places from the first on; there may be more places than targets."""
    return -log_probs[..., np.arange(len(targets)), targets]


def _losses(logits: Tensor, targets: np.ndarray) -> Losses:
    return F.cross_entropy(logits, Tensor(targets), reduction="none").array


def most_likely(
    log_probabilities: Float[np.ndarray, "*B V"], count: int
) -> tuple[Int64[np.ndarray, "*B n"], Float[np.ndarray, "*B n"]]:
    """The `count` most likely of V, all where there are fewer, the most likely first; and their probabilities.

    Only those are sorted: of GPT-2's 50,257 tokens, sorting all takes longer than the network.
    """
    last = min(count, log_probabilities.shape[-1]) - 1
    kept = np.argpartition(-log_probabilities, last, axis=-1)[..., : last + 1]
    kept.sort(axis=-1)  # so that of equal ones the first stays first
    values = np.take_along_axis(log_probabilities, kept, -1)
    order = np.argsort(-values, axis=-1, kind="stable")
    return np.take_along_axis(kept, order, -1), np.exp(np.take_along_axis(values, order, -1))
