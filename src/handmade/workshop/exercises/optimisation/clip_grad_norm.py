"""One steep place in the loss, and a single step undoes hours of training. So the step's length is bounded: where the
norm of all gradients together, as if they were one long vector, exceeds max_norm, all are scaled down by one factor:

    norm = sqrt(sum of the squares of all elements of all arrays)
    grads <- grads * max_norm / norm, where norm > max_norm

The direction stays what it was. `grads` is a list of arrays of any shapes; return the list of clipped ones, and the
norm before clipping, which is what one logs.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import convention, wrong


def clip_grad_norm(grads, max_norm):
    """list of arrays, a positive number -> clipped arrays, their norm before."""
    norm = _norm(grads)
    if wrong("each array by itself"):
        clipped = [grad * _scale(_norm([grad]), max_norm) for grad in grads]
    elif wrong("clips the values"):
        clipped = [np.clip(grad, -max_norm, max_norm) for grad in grads]
    else:
        clipped = [grad * _scale(norm, max_norm) for grad in grads]
    return clipped, (_norm(clipped) if wrong("norm after clipping") else norm)


def _norm(grads):
    """The norm of all elements of all arrays."""
    parts = [np.abs(grad).sum() if wrong("sum of absolute values") else (grad**2).sum() for grad in grads]
    if wrong("norms added"):
        return sum(np.sqrt(part) for part in parts)
    total = max(parts) if wrong("largest norm only") else sum(parts)
    if wrong("no root") or wrong("sum of absolute values"):
        return total
    return np.sqrt(total)


def _scale(norm, max_norm):
    """What all are multiplied by: below 1 where the norm is too large, else 1."""
    if wrong("never clips"):
        return 1.0
    bound = 1.0 if wrong("scaled to norm 1") else max_norm
    scale = bound / (norm + 1e-6 if convention("1e-6 in the divisor") else norm)
    return scale if wrong("scales up too") or norm > max_norm else 1.0


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Norms above and below the bound, and one that only all arrays together exceed; max_norm is not 1."""
    shapes = [(3, 4), (4,), (2, 3, 2, 1)]
    for label, size, max_norm in [
        ("too long", 3.0, 2.0),
        ("short enough", 0.1, 4.0),
        ("each short enough, together too long", 0.5, 2.2),
        ("far too long", 1e3, 0.5),
        ("tiny, and still too long", 1e-5, 1e-5),
    ]:
        yield Case(label, ([size * rng.standard_normal(shape) for shape in shapes], max_norm))
    yield Case("one array", ([rng.standard_normal((3, 5))], 0.7))
    yield Case("arrays of one shape", ([rng.standard_normal((2, 3)) for _ in range(3)], 1.5))


EXERCISE = Exercise(
    title="Clipping gradients by their norm",
    paper="Pascanu, Mikolov and Bengio 2013, On the Difficulty of Training Recurrent Neural Networks, algorithm 1",
    minutes=5,
    functions=(clip_grad_norm,),
    outputs=("grads", "norm"),
    cases=cases,
    faults={
        "each array by itself": Fault(
            "Each array is clipped by its own norm.",
            "Layers are scaled by different factors: the step no longer points down the gradient.",
            "One norm over all arrays, and one factor for all.",
        ),
        "clips the values": Fault(
            "Each element is clipped to [-max_norm, max_norm].",
            "Large elements are bent towards small ones, so the direction changes; the norm may still be too large.",
            "Multiply all by max_norm / norm.",
        ),
        "norm after clipping": Fault(
            "The norm returned is that of the clipped gradients.",
            "The log shows the bound for ever: exploding gradients can no longer be seen.",
            "Return the norm computed first.",
        ),
        "sum of absolute values": Fault(
            "The norm is the sum of absolute values.",
            "It is many times larger than the length, and grows with the number of weights: nearly all is clipped.",
            "The root of the sum of squares.",
        ),
        "norms added": Fault(
            "The arrays' norms are added up.",
            "The sum exceeds the norm of all together: steps are clipped too often and too much.",
            "Add up squares over all arrays, then take one root.",
        ),
        "largest norm only": Fault(
            "The largest norm of any one array is taken.",
            "Many arrays that are short enough by themselves still make too long a step.",
            "Add up squares over all arrays, then take one root.",
        ),
        "no root": Fault(
            "The sum of squares is used without its root.",
            "Long gradients are shrunk far below the bound, and slightly short ones are let through.",
            "norm = np.sqrt(total).",
        ),
        "never clips": Fault(
            "The gradients are returned unchanged.",
            "One exploding gradient undoes the training.",
            "Where norm > max_norm, multiply all by max_norm / norm.",
        ),
        "scaled to norm 1": Fault(
            "The gradients are divided by their norm: they end at length 1, not max_norm.",
            "The bound asked for has no effect.",
            "Multiply by max_norm / norm.",
        ),
        "scales up too": Fault(
            "Gradients shorter than the bound are scaled up to it.",
            "Near a minimum gradients shrink; made long again, they never let training settle.",
            "Use a factor of at most 1: min(1, max_norm / norm).",
        ),
    },
    conventions={
        "1e-6 in the divisor": "1e-6 is added to the norm before dividing, as PyTorch does against a norm of 0.",
    },
    hints=(
        "Two steps: one number for all arrays, then one factor for all arrays.",
        "How long is a vector that is cut into pieces? And what must happen where it is short enough?",
        "norm = np.sqrt(sum((g**2).sum() for g in grads)); multiply all by min(1, max_norm / norm); return norm too",
    ),
    may_change=("grads",),
    forbidden=(
        "torch.nn.utils.clip_grad_norm_",
        "torch.nn.utils.clip_grad_norm",
        "torch.nn.utils.clip_grads_with_norm_",
        "torch.nn.utils.get_total_norm",
    ),
)
