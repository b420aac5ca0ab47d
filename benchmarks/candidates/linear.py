import numpy as np


class Dense:
    def __init__(self, weight, bias):
        self.weight = weight
        self.bias = bias

    def __call__(self, inputs):
        self.inputs = inputs
        return np.dot(inputs, self.weight) + self.bias

    def backward(self, upstream):
        self.weight_grad = np.einsum("nd,nm->dm", self.inputs, upstream)
        self.bias_grad = np.einsum("nm->m", upstream)
        return np.einsum("nm,dm->nd", upstream, self.weight)


def linear_forward(x, W, b):
    layer = Dense(W, b)
    return layer(x), layer


def linear_backward(dout, cache):
    dx = cache.backward(dout)
    return dx, cache.weight_grad, cache.bias_grad
