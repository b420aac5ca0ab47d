"""How word2vec learns: a word's vector should be like those of the words near it, and unlike those of a few words drawn
at random.

    loss = -log sigmoid(c . p) - sum over k of log sigmoid(-c . n_k)

center c and positive p are (D,), negatives (K, D), one n_k a row. Return the loss and its gradients with respect to c,
p and the negatives, each in the shape of what it belongs to. Scores of a thousand must give a finite loss, and the
right one: sigmoid(-1000) is 0 in floating point, and the logarithm of 0 is not -1000.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import AUTOGRAD, Exercise, Fault
from handmade.workshop.switches import wrong


def skipgram_loss(center, positive, negatives):
    """center (D,), positive (D,), negatives (K, D) -> loss, dcenter, dpositive, dnegatives."""
    near, far = positive @ center, negatives @ center  # (), (K,)
    if wrong("scores clipped"):
        near, far = np.clip(near, -6, 6), np.clip(far, -6, 6)
    dnear, dfar = sigmoid(near) - 1, sigmoid(far)
    if wrong("negatives drawn near"):
        loss, dfar = softplus(-near) + softplus(-far).sum(), sigmoid(far) - 1
    else:
        loss = softplus(-near) + softplus(far).sum()
    if wrong("mean over the negatives"):
        loss, dfar = softplus(-near) + softplus(far).mean(), dfar / len(far)
    if wrong("softmax over all"):
        scores = np.append(near, far)
        exponentials = np.exp(scores - scores.max())
        shares = exponentials / exponentials.sum()
        loss, dnear, dfar = scores.max() + np.log(exponentials.sum()) - near, shares[0] - 1, shares[1:]
    if wrong("loss has the wrong sign"):
        loss = -loss
    if wrong("1 forgotten in the positive's gradient"):
        dnear = sigmoid(near)
    if wrong("times the sigmoid's slope"):
        dnear, dfar = dnear * sigmoid(near) * sigmoid(-near), dfar * sigmoid(far) * sigmoid(-far)
    if wrong("gradients have the wrong sign"):
        dnear, dfar = -dnear, -dfar
    dcenter = np.zeros(center.shape)
    if not wrong("positive missing in the center's gradient"):
        dcenter += dnear * positive
    if not wrong("negatives missing in the center's gradient"):
        dcenter += dfar @ negatives
    dpositive, dnegatives = dnear * center, np.outer(dfar, center)
    if wrong("one gradient for all negatives"):
        dnegatives = np.full_like(dnegatives, 1) * dnegatives.sum(0)
    return loss, dcenter, dpositive, dnegatives


def softplus(a):
    """log(1 + exp(a)), which is -log sigmoid(-a), without overflow."""
    if wrong("logarithm overflows"):
        return np.log(1 + np.exp(a))
    if wrong("small number in the logarithm"):
        return -np.log(sigmoid(-a) + 1e-10)
    return np.logaddexp(0, a)


def sigmoid(a):
    if wrong("sigmoid overflows"):
        return np.exp(a) / (1 + np.exp(a))
    return np.exp(-np.logaddexp(0, -a))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """One and several negatives; scores of both signs up to thousands."""
    for label, D, K, size in [
        ("three negatives", 5, 3, 1.0),
        ("one negative", 4, 1, 0.8),
        ("more negatives than axes", 2, 6, 1.2),
        ("scores above 6", 3, 4, 3.0),
    ]:
        center, positive = size * rng.standard_normal((2, D))
        yield Case(label, (center, positive, size * rng.standard_normal((K, D))))
    center = np.array([30.0, -20.0, 10.0])
    for label, sign in [("large scores, all wrong", 1), ("large scores, all right", -1)]:
        negatives = sign * (np.outer([1, 2, 1.5], center) + rng.standard_normal((3, 3)))
        yield Case(label, (center, -sign * (center + rng.standard_normal(3)), negatives))


EXERCISE = Exercise(
    title="Skip-gram with negative sampling",
    paper="Mikolov et al. 2013, Distributed Representations of Words and Phrases, section 2.2, equation 4",
    minutes=20,
    functions=(skipgram_loss,),
    outputs=("loss", "dcenter", "dpositive", "dnegatives"),
    cases=cases,
    faults={
        "scores clipped": Fault(
            "The scores are clipped to -6 to 6, as the table of the C program does.",
            "Loss and gradients of large scores are wrong: what is badly wrong is hardly corrected further.",
            "Make it stable instead: log sigmoid(a) is -np.logaddexp(0, -a).",
        ),
        "negatives drawn near": Fault(
            "The negatives' scores lack the minus: log sigmoid(c . n).",
            "All words are drawn near to each other, and every vector ends up the same.",
            "log sigmoid(-c . n): a negative's score should be small.",
        ),
        "mean over the negatives": Fault(
            "The negatives' terms are averaged.",
            "Together they count as much as one: more of them no longer push harder.",
            "Sum over k.",
        ),
        "softmax over all": Fault(
            "The loss is a softmax's cross-entropy over the positive and the negatives.",
            "It is another loss (InfoNCE): only the differences of scores count in it.",
            "Each pair is a yes or no of its own: a sigmoid for each score.",
        ),
        "loss has the wrong sign": Fault(
            "The loss is the log-likelihood, without the minus.",
            "What is reported falls when the vectors get worse.",
            "-log sigmoid: a loss is to be made small.",
        ),
        "1 forgotten in the positive's gradient": Fault(
            "The slope of -log sigmoid(s) is taken to be sigmoid(s).",
            "The positive is pushed away like a negative.",
            "It is sigmoid(s) - 1; that of -log sigmoid(-s) is sigmoid(s).",
        ),
        "times the sigmoid's slope": Fault(
            "The gradients are multiplied by sigmoid(s) (1 - sigmoid(s)) once more.",
            "Pairs that are badly wrong have almost no gradient and stay wrong.",
            "The logarithm cancels it: the slopes are sigmoid(s) - 1 and sigmoid(s).",
        ),
        "gradients have the wrong sign": Fault(
            "The gradients point the other way: they are those of the log-likelihood.",
            "Gradient descent makes the loss larger.",
            "d loss / d (c . p) = sigmoid(c . p) - 1, which is negative.",
        ),
        "negatives missing in the center's gradient": Fault(
            "dcenter has the positive's part only.",
            "Centers are drawn to their neighbours and pushed away from nothing: they all meet.",
            "Add sigmoid(c . n_k) n_k for every k.",
        ),
        "positive missing in the center's gradient": Fault(
            "dcenter has the negatives' part only.",
            "Centers are pushed away from random words and drawn to nothing.",
            "Add (sigmoid(c . p) - 1) p.",
        ),
        "one gradient for all negatives": Fault(
            "Every row of dnegatives is the sum of all.",
            "A negative that is far away already is pushed as hard as the nearest.",
            "Row k is sigmoid(c . n_k) c: np.outer.",
        ),
        "logarithm overflows": Fault(
            "exp overflows, or the sigmoid is 0, for scores of a thousand: the loss becomes inf.",
            "One pair makes the mean loss useless.",
            "-log sigmoid(a) = log(1 + exp(-a)) = np.logaddexp(0, -a); in torch, -F.logsigmoid(a).",
        ),
        "small number in the logarithm": Fault(
            "A small number such as 1e-10 is added inside the logarithm.",
            "The loss is finite, but it stops growing at 23, however wrong the score is.",
            "-log sigmoid(a) = np.logaddexp(0, -a), exact for all scores.",
        ),
        "sigmoid overflows": Fault(
            "The sigmoid is exp(a) / (1 + exp(a)), inf / inf for large a.",
            "A gradient of nan ends up in every vector it is added to.",
            "1 / (1 + np.exp(-a)), which is 0 where exp overflows.",
        ),
    },
    hints=(
        "There are 1 + K scores, each with its own sigmoid. First the slope of the loss with respect to each score.",
        "The slopes: sigmoid(c . p) - 1, and sigmoid(c . n_k). The vectors' gradients follow by the product rule.",
        "loss = np.logaddexp(0, -p @ c) + np.logaddexp(0, n @ c).sum(); dcenter = dnear * p + dfar @ n; "
        "dnegatives = np.outer(dfar, c)",
    ),
    forbidden=AUTOGRAD,
)
