"""The layers as functions: what a layer computes, with its parameters given as arguments.

Each checks and completes its arguments (one number for a pair, padding by name, masks) and runs the operation of `ops`,
where the mathematics and the derivative stand. Names, arguments and defaults are PyTorch's.
"""

from handmade.engine import Tensor
from handmade.engine.functions import one_hot
from handmade.nn.functional.attention import recorded_attention, scaled_dot_product_attention
from handmade.nn.functional.convolution import conv1d, conv2d, conv_transpose2d
from handmade.nn.functional.linear import dropout, embedding, linear, projection
from handmade.nn.functional.losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    ctc_loss,
    l1_loss,
    mse_loss,
    nll_loss,
)
from handmade.nn.functional.normalization import batch_norm, group_norm, layer_norm, local_response_norm, rms_norm
from handmade.nn.functional.pooling import adaptive_avg_pool2d, avg_pool2d, max_pool2d

gelu = Tensor.gelu
log_softmax = Tensor.log_softmax
pad = Tensor.pad
relu = Tensor.relu
sigmoid = Tensor.sigmoid
silu = Tensor.silu
softmax = Tensor.softmax
tanh = Tensor.tanh

__all__ = [
    "adaptive_avg_pool2d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "embedding",
    "gelu",
    "group_norm",
    "l1_loss",
    "layer_norm",
    "linear",
    "local_response_norm",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "pad",
    "projection",
    "recorded_attention",
    "relu",
    "rms_norm",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "softmax",
    "tanh",
]
