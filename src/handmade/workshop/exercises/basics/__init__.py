"""Softmax, losses, layers, backpropagation: what every network is made of."""
