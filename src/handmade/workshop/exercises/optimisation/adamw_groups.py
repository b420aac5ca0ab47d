"""Weight decay pulls weights towards 0, and keeps the products of matrices small. For a bias or a norm's gain there is
no such reason: they only shift and scale, and a gain should not end at 0. So optimizers get two groups of parameters,
sorted by the number of axes alone:

    two or more axes: decays             (matrices, kernels, embeddings)
    fewer: does not                      (biases, gains, single numbers)

Given a dict from each parameter's name to its shape, a tuple, return the names that decay and those that do not, as two
collections of any kind. Names promise nothing: a bias may be a table, a gain may be called weight.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def weight_decay_groups(named_shapes):
    """dict name -> shape -> names that decay, names that do not."""
    decay, no_decay = [], []
    for name, shape in named_shapes.items():
        if wrong("axes of size 1 not counted"):
            shape = [size for size in shape if size != 1]
        decays = len(shape) >= 2
        if wrong("all decay"):
            decays = True
        if wrong("all but biases decay"):
            decays = not name.endswith("bias")
        if wrong("exactly two axes"):
            decays = decays and len(shape) == 2
        if wrong("more than two axes"):
            decays = decays and len(shape) > 2
        if wrong("spares what is named bias"):
            decays = decays and "bias" not in name
        if wrong("spares what is named norm"):
            decays = decays and "norm" not in name
        if wrong("spares embeddings"):
            decays = decays and "embed" not in name
        if wrong("single numbers decay"):
            decays = decays or len(shape) == 0
        if wrong("loses other names") and not name.endswith(("weight", "bias")):
            continue
        if decays:
            decay.append(name)
        else:
            no_decay.append(name)
    return (no_decay, decay) if wrong("groups exchanged") else (decay, no_decay)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Networks as they are, and parameters whose names mislead."""
    size = {name: int(number) for name, number in zip("CDK", rng.integers(2, 9, 3), strict=True)}
    C, D, K = size.values()
    yield Case("a linear layer", ({"weight": (C, D), "bias": (C,)},))
    network = {
        "conv1.weight": (K, 3, 3, 3),
        "bn1.weight": (K,),
        "bn1.bias": (K,),
        "fc.weight": (10, K),
        "fc.bias": (10,),
    }
    yield Case("an image network", (network,))
    transformer = {
        "embedding.weight": (100, C),
        "cls_token": (1, 1, C),
        "norm1.weight": (C,),
        "norm1.bias": (C,),
        "attn.qkv.weight": (3 * C, C),
        "attn.qkv.bias": (3 * C,),
        "attn.relative_bias_table": (15, 4),
        "layer_scale.gamma": (C,),
        "logit_scale": (),
    }
    yield Case("a transformer", (transformer,))
    yield Case("a bias with three axes", ({"bias": (D, 1, 1), "scale": (D,), "position_bias": (4, D, D)},))
    misleading = {"norm.proj": (C, D), "embed_scale": (), "bias_free": (D,), "w": (2, D, 2), "fc.bias": (1, D)}
    yield Case("names that mislead", (misleading,))
    kernels = {"norm.kernel.weight": (D, 2, 3), "embed.kernel.weight": (K, 3, 5), "temperature.weight": ()}
    yield Case("three axes, and none", (kernels,))
    yield Case("a norm with a row", ({"rownorm.weight": (1, D), "embed.bias": (1, D), "conv.bias": (K,)},))


EXERCISE = Exercise(
    title="AdamW's parameter groups",
    paper="Loshchilov and Hutter 2019, Decoupled Weight Decay Regularization; the groups as in GPT-2's trainings since",
    minutes=5,
    functions=(weight_decay_groups,),
    outputs=("decay", "no_decay"),
    cases=cases,
    faults={
        "axes of size 1 not counted": Fault(
            "Axes of size 1 are not counted.",
            "Tables of one row, such as class tokens of shape (1, 1, C), do not decay.",
            "len(shape) >= 2, whatever the sizes are.",
        ),
        "exactly two axes": Fault(
            "Only parameters with exactly two axes decay.",
            "Convolution kernels, with four, are never regularised.",
            "len(shape) >= 2.",
        ),
        "more than two axes": Fault(
            "Only parameters with more than two axes decay.",
            "Matrices, most of a transformer's weights, are never regularised.",
            "len(shape) >= 2.",
        ),
        "single numbers decay": Fault(
            "Parameters without axes, of shape (), decay.",
            "A learned temperature is pulled towards 0.",
            "Only two or more axes decay: len(shape) >= 2, not len(shape) != 1.",
        ),
        "all but biases decay": Fault(
            "All decay whose name does not end in bias.",
            "The norms' gains, called weight, are pulled towards 0, and the signal with them.",
            "Go by the number of axes, not by the name.",
        ),
        "spares what is named bias": Fault(
            "Parameters with two or more axes do not decay where their name has bias in it.",
            "Tables such as relative position biases are never regularised.",
            "Go by the number of axes, not by the name.",
        ),
        "spares what is named norm": Fault(
            "Parameters with two or more axes do not decay where their name has norm in it.",
            "A matrix is never regularised because of what its module is called.",
            "Go by the number of axes, not by the name.",
        ),
        "spares embeddings": Fault(
            "Embeddings do not decay.",
            "The largest table of a language model is never regularised.",
            "An embedding has two axes, so it decays.",
        ),
        "loses other names": Fault(
            "Parameters whose name ends neither in weight nor in bias are in no group.",
            "The optimizer never sees them: they keep their initial values for ever, silently.",
            "Put every name into one of the two groups.",
        ),
        "all decay": Fault(
            "All parameters decay.",
            "Gains and biases are pulled towards 0, which costs accuracy and regularises nothing.",
            "Put parameters with fewer than two axes into the second group.",
        ),
        "groups exchanged": Fault(
            "The two groups are swapped.",
            "Gains and biases decay, matrices do not: the reverse of what was wanted.",
            "Return those that decay first.",
        ),
    },
    hints=(
        "One question decides for each parameter, and it is about its shape.",
        "How many axes has a kernel, a matrix, a bias, a gain, a single number?",
        "decay = [name for name, shape in named_shapes.items() if len(shape) >= 2], and the others likewise",
    ),
    driver="two_groups",
)
