"""The optimizers' arithmetic on one parameter, in place. A step reads and writes all of a model's memory several times
over, which for large layers costs more than their products: the compiled forms do it in one pass.
"""

import numpy as np

from handmade.kernels.choice import has_compiled_form

Array = np.ndarray


@has_compiled_form
def sgd(weight: Array, gradient: Array, lr: float, weight_decay: float) -> None:
    """w = w - lr (g + weight_decay w)."""
    if weight_decay:
        gradient = gradient + weight_decay * weight
    weight -= lr * gradient


@has_compiled_form
def sgd_momentum(
    weight: Array, gradient: Array, velocity: Array, lr: float, momentum: float, weight_decay: float, nesterov: bool
) -> None:
    """v = momentum v + g;  w = w - lr v, or w - lr (g + momentum v): see `optim.SGD`."""
    if weight_decay:
        gradient = gradient + weight_decay * weight
    velocity *= momentum
    velocity += gradient
    weight -= lr * (gradient + momentum * velocity if nesterov else velocity)


@has_compiled_form
def adam(
    weight: Array, gradient: Array, m: Array, v: Array,
    rate: float, beta1: float, beta2: float, root_correction: float, eps: float, penalty: float, decay: float,
) -> None:  # fmt: skip
    """m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  then, with r = root_correction,
    w = decay w - rate m / (sqrt(v) / r + eps).

    `penalty` times w is added to the gradient first; `rate` is lr / (1 - beta1^t), r sqrt(1 - beta2^t).
    """
    if penalty:
        gradient = gradient + penalty * weight
    if decay != 1:
        weight *= decay
    scratch = np.asarray((1 - beta1) * gradient)  # without axes NumPy gives a scalar, no array
    m *= beta1
    m += scratch
    np.multiply(gradient, gradient, out=scratch)
    scratch *= 1 - beta2
    v *= beta2
    v += scratch
    np.sqrt(v, out=scratch)
    scratch /= root_correction
    scratch += eps
    np.divide(m, scratch, out=scratch)
    scratch *= rate
    weight -= scratch
