from numpy import exp


def softmax(x, axis=-1):
    top = x.max(axis, keepdims=True)
    e = exp(x - top)
    z = e.sum(axis, keepdims=True)
    return e * z**-1
