"""Each channel is normalised to mean 0 and variance 1, then scaled and shifted by learned parameters:

    out = gamma (x - mean) / sqrt(var + eps) + beta

In training, mean and variance are those of the channel over batch, height and width; running ones are kept for later:

    running <- (1 - momentum) running + momentum batch

At evaluation the running ones take the place of the batch's and stay as they are. The variance is the biased one, over
n, where values are normalised, and the unbiased one, over n - 1, where it enters running_var. x is (N, C, H, W), all
others (C,). Return out and both running statistics, updated or unchanged.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def batch_norm(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    """x (N, C, H, W), the rest (C,) -> out (N, C, H, W), running_mean, running_var."""
    axes = (0, 2, 3)
    if wrong("each image by itself"):
        axes = (2, 3)
    if wrong("all channels together"):
        axes = (0, 1, 2, 3)
    if wrong("momentum the wrong way round"):
        momentum = 1 - momentum
    batch_mean, batch_var = x.mean(axes), x.var(axes, ddof=1 if wrong("output over n - 1") else 0)
    mean, var = (batch_mean, batch_var) if training else (running_mean, running_var)
    if wrong("batch statistics at evaluation"):
        mean, var = batch_mean, batch_var
    if wrong("running statistics in training"):
        mean, var = running_mean, running_var
    if wrong("running statistics change at evaluation"):
        training = True
    if wrong("running statistics never change"):
        training = False
    if training:
        unbiased = x.var(axes, ddof=0 if wrong("running variance over n") else 1)
        running_mean = (1 - momentum) * running_mean + momentum * batch_mean
        running_var = (1 - momentum) * running_var + momentum * unbiased
    if wrong("eps outside the root"):
        deviation = np.sqrt(var) + eps
    else:
        deviation = np.sqrt(var + eps)
    out = (x - mean[..., None, None]) / deviation[..., None, None]
    if not wrong("no gamma"):
        out = out * gamma[:, None, None]
    if not wrong("no beta"):
        out = out + beta[:, None, None]
    return out, running_mean, running_var


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Few values a channel, so that n and n - 1 differ; means far from 0, variances from 1; a large eps too."""
    for label, shape, training, options in [
        ("training", (2, 3, 2, 4), True, {}),
        ("evaluation", (2, 3, 4, 2), False, {}),
        ("training, eps = 0.1", (3, 2, 2, 3), True, {"eps": 0.1}),
        ("evaluation, eps = 0.1", (2, 4, 3, 2), False, {"eps": 0.1, "momentum": 0.7}),
        ("training, momentum 0.3", (4, 2, 1, 3), True, {"momentum": 0.3, "eps": 0.01}),
        ("training, one image", (1, 3, 3, 2), True, {}),
    ]:
        C = shape[1]
        x = rng.uniform(0.5, 2, (C, 1, 1)) * rng.standard_normal(shape) + rng.uniform(-3, 3, (C, 1, 1))
        gamma, beta, mean = rng.uniform(0.5, 2, C), rng.standard_normal(C), rng.standard_normal(C)
        yield Case(label, (x, gamma, beta, mean, rng.uniform(0.3, 3, C), training), options)


EXERCISE = Exercise(
    title="Batch normalisation",
    paper="Ioffe and Szegedy 2015, Batch Normalization, sections 3 and 3.1, algorithms 1 and 2",
    minutes=20,
    functions=(batch_norm,),
    outputs=("out", "running_mean", "running_var"),
    cases=cases,
    faults={
        "each image by itself": Fault(
            "Mean and variance are those of each image, not of the batch: instance normalisation.",
            "How an image's channel compares with other images' is lost; running statistics have the wrong shape.",
            "Average over axes (0, 2, 3).",
        ),
        "all channels together": Fault(
            "One mean and one variance serve all channels.",
            "Channels stay as far apart as they were: the loud ones still drown the others.",
            "Average over axes (0, 2, 3), and keep the channels.",
        ),
        "momentum the wrong way round": Fault(
            "momentum is the weight of the old statistics.",
            "With 0.1 the running statistics are nine tenths the last batch, and evaluation jumps about.",
            "(1 - momentum) * running + momentum * batch.",
        ),
        "output over n - 1": Fault(
            "Values are normalised with the unbiased variance, over n - 1.",
            "Outputs are a little too small, most with small batches; the usual backward is no longer its gradient.",
            "Normalise with x.var((0, 2, 3)), over n.",
        ),
        "batch statistics at evaluation": Fault(
            "At evaluation the batch's own statistics are used.",
            "An answer depends on which other images are in the batch; a batch of one fails.",
            "Where training is False, use running_mean and running_var.",
        ),
        "running statistics in training": Fault(
            "In training, values are normalised with the running statistics.",
            "They lag behind the weights, so nothing is normalised when it matters, at the start.",
            "Where training is True, use the batch's mean and variance.",
        ),
        "running statistics change at evaluation": Fault(
            "The running statistics are updated at evaluation too.",
            "The test data leak into the model, and each answer changes the next.",
            "Update them where training is True only.",
        ),
        "running statistics never change": Fault(
            "The running statistics are returned unchanged, in training too.",
            "Evaluation normalises with the initial values, 0 and 1: fine in training, garbage after.",
            "(1 - momentum) * running + momentum * batch, where training is True.",
        ),
        "running variance over n": Fault(
            "The biased variance enters running_var.",
            "It is too small by (n - 1) / n on average: noticeable with small batches, as in detection.",
            "Use x.var((0, 2, 3), ddof=1) there.",
        ),
        "eps outside the root": Fault(
            "eps is added to the standard deviation, not to the variance.",
            "Channels that hardly vary are blown up: 1 / eps = 100,000 where 1 / sqrt(eps) = 316 was meant.",
            "np.sqrt(var + eps).",
        ),
        "no gamma": Fault(
            "The result is not multiplied by gamma.",
            "Every channel keeps variance 1: the network cannot undo the normalisation where it hurts.",
            "Multiply by gamma[:, None, None].",
        ),
        "no beta": Fault(
            "beta is not added.",
            "Every channel keeps mean 0: a ReLU after it cuts off half of the values, always.",
            "Add beta[:, None, None].",
        ),
    },
    hints=(
        "Which statistics normalise, in training and at evaluation? And when do the running ones change?",
        "Over which axes does one number for each channel remain? NumPy's var takes ddof=1 for n - 1.",
        "mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3)); out = gamma * (x - mean) / np.sqrt(var + eps) + beta, all of "
        "them as [:, None, None]; running_var = (1 - momentum) * running_var + momentum * x.var((0, 2, 3), ddof=1)",
    ),
    may_change=("running_mean", "running_var"),
    forbidden=(
        "torch.batch_norm",
        "torch.nn.functional.batch_norm",
        "torch.nn.BatchNorm1d",
        "torch.nn.BatchNorm2d",
        "torch.nn.BatchNorm3d",
    ),
)
