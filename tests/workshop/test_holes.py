"""Wrong solutions that passed once: each is refused now, and named where it has a name."""

import pytest

from handmade.workshop.exercises import exercise_named
from handmade.workshop.source import solution
from handmade.workshop.variants import variants_of

ONE = "one maximum for all scores"
HIDDEN = "maximum taken before the mask"

ONE_MAXIMUM = {
    "self_attention": ("scores.max(axis, keepdims=True)", "scores.max()"),
    "multi_head_attention": ("scores.max(axis, keepdims=True)", "scores.max()"),
    "cross_attention": ("scores.max(axis, keepdims=True)", "scores.max()"),
    "causal_mask": ("scores.max(axis, keepdims=True)", "scores.max()"),
    "padding_mask": ("scores.max(axis, keepdims=True)", "scores.max()"),
    "kv_cache": ("scores.max(axis, keepdims=True)", "scores.max()"),
    "attention_backward": ("scores.max(-1, keepdims=True)", "scores.max()"),
    "encoder_layer": ("scores.max(axis, keepdims=True)", "scores.max()"),
    "gpt_block": ("scores.max(axis, keepdims=True)", "scores.max()"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_MAXIMUM)
def test_one_maximum_for_all_scores_does_not_pass(verdict, name):
    source = solution(exercise_named(name))
    spoilt = source.replace(*ONE_MAXIMUM[name]).replace("(scores).max(axis, keepdims=True)", "scores.max()")
    assert spoilt != source
    assert [found.name for found in verdict(spoilt, name).findings] == [ONE]


RENORMALISED = """import numpy as np

def causal_attention(Q, K, V):
    scores = Q @ K.T / np.sqrt(K.shape[1])
    e = np.exp(scores - scores.max(axis=1, keepdims=True)) * np.tril(np.ones(scores.shape), k=len(K) - len(Q))
    weights = e / e.sum(axis=1, keepdims=True)
    return weights @ V, weights
"""

ADDED = """import numpy as np

def causal_attention(Q, K, V):
    scores = Q @ K.T / np.sqrt(K.shape[1]) + np.triu(np.ones((len(Q), len(K))), k=len(K) - len(Q) + 1) * -1e9
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = e / e.sum(axis=1, keepdims=True)
    return weights @ V, weights
"""

PADDED = """import numpy as np

def padded_attention(Q, K, V, lengths):
    hidden = np.arange(K.shape[1]) >= lengths[:, None, None]
    scores = Q @ K.swapaxes(1, 2) / np.sqrt(K.shape[-1]) + hidden * -1e9
    e = np.exp(scores - scores.max(-1, keepdims=True)) * (lengths[:, None, None] > 0)
    total = e.sum(-1, keepdims=True)
    weights = e / np.where(total == 0, 1, total)
    return weights @ V, weights
"""

CTC = """def ctc_greedy(log_probs, blank=0):
    labels, prev = [], 0
    for label in log_probs.argmax(1):
        if label != prev and label != blank:
            labels.append(int(label))
        prev = label
    return labels
"""

EVERYTHING_AGAIN = """import numpy as np

class CachedAttention:
    def __init__(self, Wq, Wk, Wv, Wo, num_heads):
        self.weights, self.num_heads, self.rows = (Wq, Wk, Wv, Wo), num_heads, None

    def __call__(self, x):
        self.rows = x.copy() if self.rows is None else np.vstack([self.rows, x])
        Wq, Wk, Wv, Wo = self.weights
        S, C = self.rows.shape
        outputs = []
        for q, k, v in zip(*(np.split(self.rows @ W, self.num_heads, axis=1) for W in (Wq, Wk, Wv))):
            scores = q @ k.T / np.sqrt(C // self.num_heads)
            scores[np.triu_indices(S, 1)] = -np.inf
            e = np.exp(scores - scores.max(axis=1, keepdims=True))
            outputs.append(e / e.sum(axis=1, keepdims=True) @ v)
        return (np.hstack(outputs) @ Wo)[-len(x) :]
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("causal_mask", RENORMALISED, HIDDEN),
        ("causal_mask", ADDED, "large number subtracted"),
        ("padding_mask", PADDED, "large number subtracted"),
        ("ctc_greedy", CTC, "label 0 before the first"),
        ("kv_cache", EVERYTHING_AGAIN, "old rows projected again"),
    ],
)
def test_what_passed_once_is_named(verdict, name, source, said):
    assert [found.name for found in verdict(source, name).findings] == [said]


def test_only_the_state_may_be_changed_in_place(verdict):
    for name, header, line, changed in [
        ("sgd_momentum", "(w, dw, v, lr, momentum):", "dw += 0 * dw + 1e-9", "dw"),
        ("adam", "eps=1e-8):", "dw *= 1 + 1e-9", "dw"),
        ("batch_norm", "eps=1e-5):", "x -= 1e-9", "x"),
    ]:
        source = solution(exercise_named(name))
        spoilt = source.replace(header, f"{header}\n    {line}", 1)
        assert spoilt != source
        (found,) = verdict(spoilt, name).findings
        assert (found.name, found.message.split(" in place")[0]) == ("changes its arguments", f"It changes {changed}")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sgd_momentum", "adam", "batch_norm", "clip_grad_norm", "kv_cache", "ctc_greedy"])
def test_right_solutions_that_change_state_in_place_still_pass(verdict, name):
    for style, source in variants_of(name).items():
        if "torch" not in source:
            assert verdict(source, name).passed, style
