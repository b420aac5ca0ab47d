"""The loss of every classifier: how little probability the softmax gives to the right class, averaged over the batch,

    loss = -1/N sum_n log softmax(logits_n)[target_n]

and its gradient with respect to the logits, from which all other gradients follow. Take logits (N, K) and targets (N,),
integers below K; return the loss and the gradient. A probability of exp(-20000) is 0 in any float, but its logarithm is
-20000: your loss must be exact for logits of 1e4.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import AUTOGRAD, Exercise, Fault
from handmade.workshop.switches import wrong


def cross_entropy(logits, targets):
    """logits (N, K), targets (N,) -> loss, dlogits (N, K)."""
    N, K = logits.shape
    rows = np.arange(N)
    axis = 0 if wrong("softmax over the batch") else 1
    shifted = logits if wrong("overflows") else logits - logits.max(axis, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
    probs = np.exp(log_probs)
    if wrong("logarithm of the softmax"):
        log_probs = np.log(probs)
    if wrong("small number in the logarithm"):
        log_probs = np.log(probs + 1e-12)
    if wrong("logarithm to base 2"):
        log_probs = log_probs / np.log(2)
    nll = -log_probs[rows, targets]
    loss = nll.sum() if wrong("sum instead of mean") else nll.sum() / N
    if wrong("loss without minus"):
        loss = -loss
    dlogits = probs.copy()
    if not wrong("gradient without the target"):
        dlogits[rows, targets] -= 1
    if wrong("gradient upside down"):
        dlogits = -dlogits
    if wrong("softmax differentiated twice"):
        dlogits = probs * (dlogits - (probs * dlogits).sum(axis, keepdims=True))
    if not wrong("gradient not divided by N"):
        dlogits = dlogits / N
    if wrong("divided by the classes too"):
        loss, dlogits = loss / K, dlogits / K
    return loss, dlogits


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """N != K and N = K, a class that comes twice; the large logits give their target nothing, or all."""
    for label, n, k in [
        ("one example", 1, 4),
        ("N < K", 3, 5),
        ("N > K", 6, 3),
        ("N = K", 4, 4),
        ("two classes", 5, 2),
    ]:
        yield Case(label, (rng.standard_normal((n, k)), rng.integers(0, k, n)))
    yield Case("all of one class", (1.5 * rng.standard_normal((4, 3)), np.array([2, 2, 2, 2])))
    logits = np.array([[1e4, -1e4, 3.0], [-1e4, 2.0, 2.5], [1e4, 1e4 + 1, 0.0]])
    yield Case("logits of 1e4", (logits, np.array([0, 2, 0])))
    yield Case("logits of 1e4 against the target", (logits, np.array([1, 0, 2])))


EXERCISE = Exercise(
    title="Cross-entropy and its gradient",
    paper="Bridle 1990, Probabilistic Interpretation of Feedforward Classification Network Outputs, section 4",
    minutes=10,
    functions=(cross_entropy,),
    outputs=("loss", "dlogits"),
    cases=cases,
    faults={
        "softmax over the batch": Fault(
            "The softmax runs over the examples (axis 0).",
            "Examples compete for each class instead of classes for each example: nothing useful is learned.",
            "Take maximum and sum along axis 1, the classes.",
        ),
        "overflows": Fault(
            "exp overflows for large logits.",
            "One large logit turns the loss into inf or nan, and all weights with it.",
            "Subtract each row's maximum before exp.",
        ),
        "logarithm of the softmax": Fault(
            "The logarithm is taken of a probability that has already underflowed to 0.",
            "The loss is inf exactly where the network is most wrong.",
            "Stay in logarithms: log softmax(x) = x - max - log(sum(exp(x - max))).",
        ),
        "small number in the logarithm": Fault(
            "A small number is added to the probability before its logarithm.",
            "The loss is capped, near 28 for 1e-12: the worst examples look no worse than bad ones.",
            "Stay in logarithms: log softmax(x) = x - max - log(sum(exp(x - max))). Then nothing needs adding.",
        ),
        "logarithm to base 2": Fault(
            "The logarithm is to base 2.",
            "The loss is 1.44 times too large, and softmax minus one-hot is not its gradient.",
            "Use np.log.",
        ),
        "sum instead of mean": Fault(
            "The loss is summed over the batch, not averaged.",
            "Loss and step grow with the batch: a learning rate that suits one batch size diverges with another.",
            "Divide by N.",
        ),
        "loss without minus": Fault(
            "The minus before the logarithm is missing.",
            "The loss falls as the network gets worse.",
            "loss = -log_probs[range(N), targets].mean().",
        ),
        "gradient without the target": Fault(
            "1 is not subtracted at the targets: the gradient is the softmax alone.",
            "All logits are pushed down, the right ones too; the network never sees the targets.",
            "dlogits[np.arange(N), targets] -= 1.",
        ),
        "gradient upside down": Fault(
            "The gradient has the wrong sign.",
            "Each step makes the loss larger.",
            "softmax minus one-hot, not one-hot minus softmax.",
        ),
        "softmax differentiated twice": Fault(
            "softmax minus one-hot was multiplied by the softmax's derivative once more.",
            "Confident mistakes get almost no gradient, and are corrected last.",
            "softmax minus one-hot already is the gradient with respect to the logits: return it, over N.",
        ),
        "gradient not divided by N": Fault(
            "The loss is a mean, but its gradient is not divided by N.",
            "Steps grow with the batch size.",
            "Divide dlogits by N, as the loss is.",
        ),
        "divided by the classes too": Fault(
            "The mean was taken over N K numbers, not over N examples.",
            "Loss and gradient are K times too small: learning crawls where there are many classes.",
            "Divide by N only.",
        ),
    },
    hints=(
        "Only the target's log-probability of each row counts. What is log(exp(a) / s), simplified?",
        "log_probs = shifted - log(sum(exp(shifted))). For the gradient, move one logit: what does the loss do?",
        "dlogits = np.exp(log_probs); dlogits[np.arange(N), targets] -= 1; dlogits /= N",
    ),
    forbidden=("torch.nn.functional.cross_entropy", "torch.nn.CrossEntropyLoss", *AUTOGRAD),
)
