"""The layers as functions: what a layer computes, with its parameters given as arguments.

Each checks and completes its arguments (one number for a pair, padding by name, masks) and runs the operation of `ops`,
which contains the mathematics and the derivative. Names, arguments and defaults are PyTorch's.
"""

from handmade.engine import Tensor
from handmade.engine.functions import one_hot as one_hot
from handmade.nn.functional.attention import recorded_attention as recorded_attention
from handmade.nn.functional.attention import scaled_dot_product_attention as scaled_dot_product_attention
from handmade.nn.functional.convolution import conv1d as conv1d
from handmade.nn.functional.convolution import conv2d as conv2d
from handmade.nn.functional.convolution import conv_transpose2d as conv_transpose2d
from handmade.nn.functional.linear import dropout as dropout
from handmade.nn.functional.linear import embedding as embedding
from handmade.nn.functional.linear import linear as linear
from handmade.nn.functional.linear import projection as projection
from handmade.nn.functional.losses import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from handmade.nn.functional.losses import cross_entropy as cross_entropy
from handmade.nn.functional.losses import ctc_loss as ctc_loss
from handmade.nn.functional.losses import l1_loss as l1_loss
from handmade.nn.functional.losses import mse_loss as mse_loss
from handmade.nn.functional.losses import nll_loss as nll_loss
from handmade.nn.functional.normalization import batch_norm as batch_norm
from handmade.nn.functional.normalization import group_norm as group_norm
from handmade.nn.functional.normalization import layer_norm as layer_norm
from handmade.nn.functional.normalization import local_response_norm as local_response_norm
from handmade.nn.functional.normalization import rms_norm as rms_norm
from handmade.nn.functional.pooling import adaptive_avg_pool2d as adaptive_avg_pool2d
from handmade.nn.functional.pooling import avg_pool2d as avg_pool2d
from handmade.nn.functional.pooling import max_pool2d as max_pool2d

gelu = Tensor.gelu
log_softmax = Tensor.log_softmax
pad = Tensor.pad
relu = Tensor.relu
sigmoid = Tensor.sigmoid
silu = Tensor.silu
softmax = Tensor.softmax
tanh = Tensor.tanh
