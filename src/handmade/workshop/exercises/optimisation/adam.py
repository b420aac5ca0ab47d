"""Each weight gets a step of its own size: the running mean of its gradient over the root of the running mean of its
square. Both means start at 0, and are too small at first by a factor that is known, so they are corrected:

    m <- beta1 m + (1 - beta1) dw          m_hat = m / (1 - beta1^t)
    v <- beta2 v + (1 - beta2) dw^2        v_hat = v / (1 - beta2^t)
    w <- w - lr m_hat / (sqrt(v_hat) + eps)

One step, the t-th, counted from 1. Return the new w, and m and v as the next step needs them.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import convention, wrong


def adam(w, dw, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """w, dw, m, v of one shape, t from 1 -> w, m, v after the step."""
    if wrong("betas exchanged"):
        beta1, beta2 = beta2, beta1
    new_m = beta1 * m + (dw if wrong("gradient in full") else (1 - beta1) * dw)
    square = dw if wrong("gradient not squared") else dw**2
    new_v = beta2 * v + (square if wrong("square in full") else (1 - beta2) * square)
    if wrong("t off by one"):
        t = t + 1
    m_hat = (m if wrong("old means in the step") else new_m) / (1 if wrong("m not corrected") else 1 - beta1**t)
    v_hat = (v if wrong("old means in the step") else new_v) / (1 if wrong("v not corrected") else 1 - beta2**t)
    if convention("eps before the correction"):
        eps = eps / np.sqrt(1 - beta2**t)
    if wrong("eps inside the root"):
        root = np.sqrt(v_hat + eps)
    else:
        root = (v_hat if wrong("no root") else np.sqrt(v_hat)) + eps
    step = lr * m_hat / root
    w = w + step if wrong("steps uphill") else w - step
    if wrong("corrected means handed on"):
        return w, m_hat, v_hat
    return w, new_m, new_v


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """The defaults, then all options at other values, eps = 0.1 among them; v is positive, as squares' means are."""
    for label, shape, t, options in [
        ("the defaults", (4,), 3, {}),
        ("a matrix, late", (3, 2), 1000, {}),
        ("other rate and betas", (2, 3), 2, {"lr": 0.05, "beta1": 0.8, "beta2": 0.95}),
        ("eps = 0.1", (5,), 4, {"lr": 0.1, "beta1": 0.7, "beta2": 0.9, "eps": 0.1}),
    ]:
        w, dw, m = rng.standard_normal((3, *shape))
        yield Case(label, (w, dw, m, 0.5 + rng.random(shape), t), options)
    w, dw = rng.standard_normal((2, 3))
    yield Case("the first step", (w, dw, np.zeros(3), np.zeros(3), 1), {"lr": 0.01, "eps": 0.1})
    w, dw, m = 1e-3 * rng.standard_normal(4), *(1e-8 * rng.standard_normal((2, 4)))
    yield Case("gradients as small as the default eps", (w, dw, m, 1e-16 * (0.5 + rng.random(4)), 3))


EXERCISE = Exercise(
    title="Adam",
    paper="Kingma and Ba 2015, Adam: A Method for Stochastic Optimization, section 2, algorithm 1",
    minutes=10,
    functions=(adam,),
    outputs=("w", "m", "v"),
    cases=cases,
    faults={
        "betas exchanged": Fault(
            "beta1 and beta2 are swapped.",
            "The gradient's mean lags a thousand steps, its scale follows every fluctuation: training is erratic.",
            "beta1 belongs to m, beta2 to v.",
        ),
        "gradient in full": Fault(
            "The gradient enters m without the factor 1 - beta1: a running sum, not a mean.",
            "With beta1 = 0.9 steps are ten times too large.",
            "m = beta1 * m + (1 - beta1) * dw.",
        ),
        "gradient not squared": Fault(
            "v is a mean of the gradient, not of its square.",
            "The root of a negative number is nan; where it is positive, it says nothing of the gradient's size.",
            "v = beta2 * v + (1 - beta2) * dw**2.",
        ),
        "square in full": Fault(
            "The square enters v without the factor 1 - beta2: a running sum, not a mean.",
            "With beta2 = 0.999 the root grows thirty times too large, and steps shrink as much.",
            "v = beta2 * v + (1 - beta2) * dw**2.",
        ),
        "old means in the step": Fault(
            "The step uses the old m and v, before this gradient.",
            "Every gradient acts one step late; the first step is 0 / 0 without eps.",
            "Update m and v first, then take the step with the new ones.",
        ),
        "t off by one": Fault(
            "The correction uses t + 1.",
            "The first steps are too short: t already counts from 1.",
            "1 - beta1**t and 1 - beta2**t.",
        ),
        "m not corrected": Fault(
            "m is not divided by 1 - beta1^t.",
            "The first steps are up to ten times too short.",
            "m_hat = m / (1 - beta1**t).",
        ),
        "v not corrected": Fault(
            "v is not divided by 1 - beta2^t.",
            "v starts near 0, so the first steps are up to thirty times too long, and can ruin the initial weights.",
            "v_hat = v / (1 - beta2**t).",
        ),
        "no root": Fault(
            "The step is divided by v_hat, not by its root.",
            "Small gradients make enormous steps: the step must not depend on the gradient's unit.",
            "Divide by np.sqrt(v_hat) + eps.",
        ),
        "eps inside the root": Fault(
            "eps is added under the root.",
            "The smallest divisor becomes sqrt(eps), 1e-4 for 1e-8: weights with tiny gradients learn far too slowly.",
            "np.sqrt(v_hat) + eps.",
        ),
        "steps uphill": Fault(
            "The step is added to w.",
            "The loss grows with every step.",
            "w - lr * m_hat / (np.sqrt(v_hat) + eps).",
        ),
        "corrected means handed on": Fault(
            "m_hat and v_hat are returned in place of m and v.",
            "The next step corrects them once more: the means drift away from what they should be.",
            "Return m and v as they are before the correction.",
        ),
    },
    conventions={
        "eps before the correction": "eps is added to the root of v before its correction: the paper's faster order "
        "(end of section 2), as in TensorFlow. PyTorch adds it after.",
    },
    hints=(
        "Five lines, in the order of the formulas. Which of the results does the next step need?",
        "m_hat and v_hat are for this step only. eps keeps the divisor from 0, so it stands outside the root.",
        "w = w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps); return w, m, v",
    ),
    may_change=("w", "m", "v"),
    forbidden=("torch.optim.Adam", "torch.optim.AdamW"),
)
