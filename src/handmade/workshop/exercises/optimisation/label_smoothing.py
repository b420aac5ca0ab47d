"""Cross-entropy against targets that are not quite certain, so that the model is never pushed to be:

    loss = (1 - s) * -log p[target] + s * mean over all K classes of -log p,      p = softmax(logits)

logits is (N, K), targets (N,) of ints, s the smoothing. Targets that equal ignore_index are left out, and the loss is
the mean over those that are kept (at least one). Logits may be so large that exp would overflow. Return one number.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def label_smoothing_loss(logits, targets, smoothing, ignore_index=-100):
    """logits (N, K), targets (N,) -> the mean loss of the targets that are kept."""
    if wrong("ignore_index always -100"):
        ignore_index = -100
    kept = targets != ignore_index
    if wrong("no target left out"):
        kept[:] = True
    logits, targets = logits[kept], targets[kept]
    if not wrong("overflows"):
        logits = logits - logits.max(-1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    if wrong("logarithm of what underflowed"):
        log_p = np.log(np.exp(logits) / np.exp(logits).sum(-1, keepdims=True))
    if wrong("probabilities without the logarithm"):
        log_p = np.exp(log_p)
    nll = -log_p[np.arange(len(targets)), targets]
    even = -log_p.sum(-1)
    K = log_p.shape[-1]
    if wrong("spread over the other classes"):
        even, K = even - nll, K - 1
    if not wrong("sum over the classes"):
        even = even / K
    if wrong("smoothing and its rest exchanged"):
        smoothing = 1 - smoothing
    share = 1.0 if wrong("the target's loss not reduced") else 1 - smoothing
    if wrong("ignores the smoothing"):
        share, smoothing = 1.0, 0.0
    if wrong("no even part"):
        even = 0.0
    loss = share * nll + smoothing * even
    if wrong("sum over the targets"):
        return loss.sum()
    return loss.sum() / (len(kept) if wrong("mean over all rows") else len(loss))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """With and without targets to leave out, under the usual index and under one that is a class; large logits."""
    for label, N, K, smoothing, options in [
        ("nothing left out", 4, 3, 0.1, {}),
        ("no smoothing", 3, 5, 0.0, {}),
        ("two classes", 3, 2, 0.2, {}),
        ("strong smoothing", 3, 6, 0.7, {}),
        ("some left out", 6, 4, 0.1, {"left out": [1, 4]}),
        ("another index", 6, 4, 0.3, {"left out": [0, 3, 5], "ignore_index": 2}),
        ("a negative index", 5, 3, 0.2, {"left out": [2], "ignore_index": -1}),
    ]:
        targets, left_out = rng.integers(0, K, N), options.pop("left out", [])
        if "ignore_index" in options:
            targets[targets == options["ignore_index"]] = 1
        targets[left_out] = options.get("ignore_index", -100)
        yield Case(label, (2 * rng.standard_normal((N, K)), targets, smoothing), options)
    logits = rng.standard_normal((3, 4))
    yield Case("large logits", (logits + 1e4, np.array([2, 0, 3]), 0.1))
    yield Case("logits far apart", (1e4 * logits, np.array([1, 3, 0]), 0.1))


EXERCISE = Exercise(
    title="Label smoothing",
    paper="Szegedy et al. 2016, Rethinking the Inception Architecture, section 7; Vaswani et al. 2017, section 5.4",
    minutes=12,
    functions=(label_smoothing_loss,),
    outputs=("loss",),
    cases=cases,
    faults={
        "ignores the smoothing": Fault(
            "The smoothing has no effect: this is plain cross-entropy.",
            "The model becomes as sure of itself as it can.",
            "(1 - s) * nll + s * the mean of -log p over the classes.",
        ),
        "spread over the other classes": Fault(
            "The smoothing is spread over the K - 1 other classes, not over all K.",
            "It is another common definition, but not PyTorch's: losses cannot be compared.",
            "The target has its share of s too: mean over all K classes.",
        ),
        "sum over the classes": Fault(
            "The even part is summed over the classes, where it should be their mean.",
            "Smoothing is K times too strong: with many classes nothing else is learned.",
            "-log_p.mean(-1).",
        ),
        "smoothing and its rest exchanged": Fault(
            "The target has the weight s and the even part 1 - s.",
            "With s = 0.1 the model learns to say nothing.",
            "(1 - s) * nll + s * even.",
        ),
        "the target's loss not reduced": Fault(
            "The target's loss has weight 1, where it should have 1 - s.",
            "The weights sum to 1 + s: it is not the cross-entropy of any distribution.",
            "(1 - s) * nll + s * even.",
        ),
        "no even part": Fault(
            "The target's loss is multiplied by 1 - s, but the even part is missing.",
            "It is plain cross-entropy with a smaller learning rate.",
            "Add s times the mean of -log p over the classes.",
        ),
        "no target left out": Fault(
            "Targets that equal ignore_index are not left out.",
            "Padding is learned; and an index of -100 or -1 fails, or reads a class from the end.",
            "kept = targets != ignore_index, and use the kept rows only.",
        ),
        "ignore_index always -100": Fault(
            "The argument ignore_index is not used: only -100 is left out.",
            "Where padding has another index, it is learned.",
            "Compare with the argument.",
        ),
        "mean over all rows": Fault(
            "The sum is divided by the number of all rows, left out ones included.",
            "The loss, and the learning rate with it, shrinks with the amount of padding.",
            "Divide by the number of kept targets.",
        ),
        "sum over the targets": Fault(
            "The losses are summed, not averaged.",
            "Gradients grow with the batch.",
            "Divide by the number of kept targets.",
        ),
        "probabilities without the logarithm": Fault(
            "The logarithm of the probabilities is missing.",
            "Wrong answers of which the model is sure have hardly any gradient.",
            "Use log p: logits - logsumexp(logits).",
        ),
        "overflows": Fault(
            "exp overflows for large logits, and the loss is inf or nan.",
            "One large logit turns all weights into nan.",
            "Subtract each row's maximum first.",
        ),
        "logarithm of what underflowed": Fault(
            "The logarithm is taken of the finished probabilities, and where one underflows to 0 that is -inf.",
            "A model that is sure of one class has a loss of inf, and then weights of nan.",
            "log p = logits - log(sum(exp(logits))): never take the logarithm of a probability.",
        ),
    },
    hints=(
        "Two losses of the same log-probabilities, mixed: the target's, and the mean of all classes'.",
        "log p = logits - logsumexp, with the row's maximum taken out first. Choose the rows that count before "
        "anything else.",
        "kept = targets != ignore_index; nll = -log_p[rows, targets[kept]]; ((1 - s) * nll - s * "
        "log_p.mean(-1)).mean()",
    ),
    forbidden=("torch.nn.functional.cross_entropy", "torch.nn.CrossEntropyLoss"),
)
