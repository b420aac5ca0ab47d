"""The gradient of attention, by hand: what autograd does for output = softmax(Q K^T / sqrt(d_k)) V.

Given dout, the gradient of a loss with respect to the output, return dQ, dK and dV. Q is (S_q, d_k), K (S_k, d_k),
V (S_k, d_v), dout (S_q, d_v), with any leading axes before them. With P the weights and S the scaled scores:

    dV = P^T dout,   dP = dout V^T,   dS = P * (dP - sum over the keys of dP * P),   dQ = dS K / sqrt(d_k),   dK alike
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import AUTOGRAD, Exercise, Fault
from handmade.workshop.faults import ONE_MAXIMUM
from handmade.workshop.switches import wrong


def attention_backward(dout, Q, K, V):
    """dout (..., S_q, d_v), Q (..., S_q, d_k), K (..., S_k, d_k), V (..., S_k, d_v) -> dQ, dK, dV of their shapes."""
    root = 1.0 if wrong("no scale at all") else np.sqrt(K.shape[-1])
    if wrong("d_k without its root"):
        root = K.shape[-1]
    scores = Q @ K.swapaxes(-1, -2) / (1.0 if wrong("scores not scaled") else root)
    P = np.exp(scores - (scores.max() if wrong("one maximum for all scores") else scores.max(-1, keepdims=True)))
    P = P / P.sum(-1, keepdims=True)  # S_q S_k
    dV = (P if wrong("weights not transposed in dV") else P.swapaxes(-1, -2)) @ dout
    dP = dout @ V.swapaxes(-1, -2)  # S_q S_k
    axis = -2 if wrong("sums over the queries") else -1
    common = (dP * P).sum(axis, keepdims=True)
    if wrong("mean in place of the weighted sum"):
        common = dP.mean(axis, keepdims=True)
    if wrong("softmax taken one by one"):
        common = dP * P
    if wrong("no sum in the softmax"):
        common = 0.0
    dS = dP - common
    if not wrong("weights forgotten in dS"):
        dS = dS * P
    dQ = dS @ K
    dK = (dS if wrong("dS not transposed in dK") else dS.swapaxes(-1, -2)) @ Q
    if not wrong("dQ not scaled"):
        dQ = dQ / root
    if not wrong("dK not scaled"):
        dK = dK / root
    return (dK, dQ, dV) if wrong("dQ and dK exchanged") else (dQ, dK, dV)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """S_q below, above and equal to S_k; all square in one, where a missing transposition is no error; leading axes;
    rows of scores far apart."""
    for label, batch, s_q, s_k, d_k, d_v in [
        ("S_q < S_k", (), 3, 5, 4, 2),
        ("S_q > S_k", (), 4, 2, 3, 5),
        ("S_q = S_k", (), 4, 4, 3, 2),
        ("one query", (), 1, 3, 2, 4),
        ("a batch and heads", (2, 3), 3, 4, 5, 2),
    ]:
        shapes = [(*batch, s_q, d_v), (*batch, s_q, d_k), (*batch, s_k, d_k), (*batch, s_k, d_v)]
        yield Case(label, tuple(rng.standard_normal(shape) for shape in shapes))
    dout, Q, K, V = (rng.standard_normal((2, S, d)) for S, d in [(3, 2), (3, 4), (5, 4), (5, 2)])
    Q[..., 0], K[..., 0] = [[110, -110, 5], [20, 90, -115]], 10
    yield Case("rows far apart", (dout, Q, K, V))


EXERCISE = Exercise(
    title="Attention, backward",
    paper="Vaswani et al. 2017, Attention Is All You Need, section 3.2.1; the softmax's Jacobian is diag(p) - p p^T",
    minutes=25,
    functions=(attention_backward,),
    outputs=("dQ", "dK", "dV"),
    cases=cases,
    faults={
        "one maximum for all scores": ONE_MAXIMUM,
        "no sum in the softmax": Fault(
            "dS is P * dP: the softmax's gradient lacks the term that its common denominator gives.",
            "Raising one score lowers all other weights; without this term scores drift up or down together for ever.",
            "dS = P * (dP - (dP * P).sum(-1, keepdims=True)).",
        ),
        "softmax taken one by one": Fault(
            "The softmax's gradient is taken as P * (1 - P) element by element, as for a sigmoid.",
            "Each weight depends on all scores of its row: the off-diagonal part of the Jacobian is missing.",
            "Subtract the row's sum: dS = P * (dP - (dP * P).sum(-1, keepdims=True)).",
        ),
        "mean in place of the weighted sum": Fault(
            "The mean of dP over the keys is subtracted, not the mean weighted by P.",
            "It is right only where attention is uniform, so it fails more the more has been learned.",
            "Subtract (dP * P).sum(-1, keepdims=True).",
        ),
        "sums over the queries": Fault(
            "The sum in the softmax's gradient runs over the queries (axis -2).",
            "The rows of dS do not sum to 0 any more: gradients of one query leak into another's.",
            "The softmax ran over the keys; sum over axis -1.",
        ),
        "weights forgotten in dS": Fault(
            "dS is dP minus its weighted sum, but the factor P in front is missing.",
            "Keys that nobody looks at get gradients as large as those that matter.",
            "Multiply by P.",
        ),
        "no scale at all": Fault(
            "sqrt(d_k) is missing, in the weights as in the gradients.",
            "These are the gradients of another function, whose softmax saturates.",
            "Divide the scores by np.sqrt(d_k), and dQ and dK too.",
        ),
        "d_k without its root": Fault(
            "Scores and gradients are divided by d_k, not by sqrt(d_k).",
            "These are the gradients of another function, whose attention is too flat.",
            "Divide by np.sqrt(K.shape[-1]).",
        ),
        "scores not scaled": Fault(
            "The weights are recomputed from scores that are not divided by sqrt(d_k).",
            "P is not what was used in the forward pass, so all three gradients are off.",
            "Divide Q K^T by np.sqrt(d_k) before the softmax.",
        ),
        "dQ not scaled": Fault(
            "dQ is not divided by sqrt(d_k).",
            "Gradients of the queries are sqrt(d_k) times too large.",
            "The scores are Q K^T / sqrt(d_k), so dQ = dS K / sqrt(d_k).",
        ),
        "dK not scaled": Fault(
            "dK is not divided by sqrt(d_k).",
            "Gradients of the keys are sqrt(d_k) times too large.",
            "The scores are Q K^T / sqrt(d_k), so dK = dS^T Q / sqrt(d_k).",
        ),
        "weights not transposed in dV": Fault(
            "dV is P dout, not P^T dout.",
            "It fails unless there are as many queries as keys; then each value gets another's gradient.",
            "A value is used by all queries: sum over them, P.swapaxes(-1, -2) @ dout.",
        ),
        "dS not transposed in dK": Fault(
            "dK is dS Q, not dS^T Q.",
            "It fails unless there are as many queries as keys; then each key gets another's gradient.",
            "A key meets all queries: sum over them, dS.swapaxes(-1, -2) @ Q.",
        ),
        "dQ and dK exchanged": Fault(
            "dK is returned first and dQ second.",
            "Where shapes agree nobody notices, and both projections learn from the other's gradient.",
            "return dQ, dK, dV",
        ),
    },
    hints=(
        "Recompute the weights, then walk backwards: through the product with V, the softmax, the product with K.",
        "For A B = C: dA = dC B^T, dB = A^T dC. For p = softmax(s): ds = p * (dp - sum(dp * p)), row by row.",
        "dV = P^T dout; dP = dout V^T; dS = P * (dP - (dP * P).sum(-1, keepdims=True)) / sqrt(d_k); dQ = dS K; "
        "dK = dS^T Q",
    ),
    forbidden=AUTOGRAD,
)
