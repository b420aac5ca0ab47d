"""Convolution, pooling, batch norm, and the networks made of them, from LeNet-5 to ResNet."""
