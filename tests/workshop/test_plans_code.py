"""The study plan's own code is the first file that people check: both its weaknesses are named."""

import pytest

from handmade.study.plan import plans_code
from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging.drawing import NAME

DRAWS = """import numpy as np
from math import sqrt

def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)

def multi_head_attention(X, num_heads, d_model):
    rng = np.random.default_rng()
    Wq, Wk, Wv, Wo = (rng.standard_normal((d_model, d_model)) for _ in range(4))
    d_k = d_model // num_heads
    heads = []
    for h in range(num_heads):
        columns = slice(h * d_k, (h + 1) * d_k)
        Q, K, V = X @ Wq[:, columns], X @ Wk[:, columns], X @ Wv[:, columns]
        heads.append(softmax(Q @ K.T / sqrt(d_k)) @ V)
    return np.concatenate(heads, -1) @ Wo
"""


def test_self_attention_of_the_plan_has_two_weaknesses_and_both_are_named(verdict):
    found = verdict(plans_code())
    assert not found.passed
    assert {finding.name for finding in found.findings} == {"np.dot with leading axes", "overflows"}
    messages = " ".join(finding.message for finding in found.findings)
    assert "K.swapaxes(-1, -2)" in messages
    assert "Subtract each row's maximum" in messages


def test_either_weakness_alone_is_named(verdict):
    stable = plans_code().replace("np.exp(scores)", "np.exp(scores - scores.max(-1, keepdims=True))")
    assert [finding.name for finding in verdict(stable).findings] == ["np.dot with leading axes"]
    batched = plans_code().replace("np.dot(Q, K.T)", "Q @ K.swapaxes(-1, -2)")
    batched = batched.replace("np.dot(attention_weights, V)", "attention_weights @ V")
    assert [finding.name for finding in verdict(batched).findings] == ["overflows"]


@pytest.mark.parametrize("source", [plans_code(), DRAWS], ids=["head by head", "four whole ones"])
def test_multi_head_attention_that_draws_its_weights_is_judged_as_it_stands(verdict, source):
    found = verdict(source, "multi_head_attention")
    assert found.passed
    (followed,) = found.conventions
    assert followed.name == NAME
    assert "trained, repeated or tested" in followed.message
    assert "def multi_head_attention(X, num_heads, d_model, weights)" in followed.message
    assert len(found.tests) == len(exercise_named("multi_head_attention").all_cases())


@pytest.mark.parametrize(
    ("right", "spoiled"),
    [
        ("/ np.sqrt(d_k)", ""),
        ("np.dot(X, W_k)", "np.dot(X, W_q)"),
        ("np.dot(concat, W_o)", "concat"),
        ("np.random.randn(d_model, d_model)", "np.ones((d_model, d_model))"),
        ("axis=-1, keepdims=True", "axis=0, keepdims=True"),
    ],
)
def test_one_that_draws_and_is_wrong_does_not_pass(verdict, right, spoiled):
    assert right in plans_code()
    assert not verdict(plans_code().replace(right, spoiled), "multi_head_attention").passed


WHOLE = "rng.standard_normal((d_model, d_model))"
SCALED = {
    "times a number": DRAWS.replace(WHOLE, f"{WHOLE} * 0.02"),
    "a number times": DRAWS.replace(WHOLE, f"0.02 * {WHOLE}"),
    "twice": DRAWS.replace(WHOLE, f"2 * {WHOLE} / np.sqrt(d_model)"),
    "very small": DRAWS.replace(WHOLE, f"{WHOLE} * 1e-9"),
    "small when drawn": DRAWS.replace(WHOLE, "rng.normal(0, 1e-9, (d_model, d_model))"),
    "in place": DRAWS.replace("    d_k =", "    Wq *= 0.02; Wk /= sqrt(d_model); Wv *= -0.1\n    d_k ="),
    "head by head": plans_code().replace("d_model, d_k)", "d_model, d_k) / np.sqrt(d_model)"),
}


@pytest.mark.parametrize("source", SCALED.values(), ids=SCALED)
def test_weights_that_are_scaled_after_drawing_are_judged_as_they_stand(verdict, source):
    assert source not in (DRAWS, plans_code())
    found = verdict(source, "multi_head_attention")
    assert found.passed
    assert [followed.name for followed in found.conventions] == [NAME]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "spoiled"),
    [
        (" / sqrt(d_k)", ""),
        (" / sqrt(d_k)", " / sqrt(d_model)"),
        ("X @ Wk[", "X @ Wq["),
        (" @ Wo", " @ Wo.T"),
        (" @ Wo", " @ (Wo + 1)"),
        ("Q, K, V = X @ Wq", "Q, K, V = 2 * X @ Wq"),
        ("x.max(-1, keepdims=True))", "x.max(-1, keepdims=True)) * np.tri(*x.shape)"),
    ],
)
@pytest.mark.parametrize("kind", ["times a number", "very small", "small when drawn", "in place"])
def test_small_weights_hide_no_mistake(verdict, kind, right, spoiled):
    source = SCALED[kind]
    assert right in source
    assert not verdict(source.replace(right, spoiled), "multi_head_attention").passed


def test_what_is_drawn_and_thrown_away_helps_nobody(verdict):
    zeros = plans_code().replace("np.random.randn(d_model, d_k)", "np.random.normal(0, 0, (d_model, d_k))")
    assert not verdict(zeros, "multi_head_attention").passed
    for worthless in ("0", "np.nan", "np.inf"):
        source = DRAWS.replace(WHOLE, f"{WHOLE} * {worthless}")
        assert not verdict(source, "multi_head_attention").passed
    cheat = "import numpy as np\ndef multi_head_attention(X, num_heads, d_model):\n    np.random.randn(3); return X\n"
    found = verdict(cheat, "multi_head_attention")
    assert [finding.name for finding in found.findings] == ["wrong signature"]
