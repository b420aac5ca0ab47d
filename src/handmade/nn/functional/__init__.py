"""The layers as functions: what a layer computes, with its parameters given as arguments.

Each checks and completes its arguments (one number for a pair, padding by name, masks) and runs the operation of `ops`,
which contains the mathematics and the derivative. Names, arguments and defaults are PyTorch's.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from handmade.absent import refusing as _refusing
from handmade.engine import Tensor
from handmade.engine.functions import function as _function
from handmade.engine.functions import one_hot as one_hot
from handmade.nn.functional.activation import celu as celu
from handmade.nn.functional.activation import cosine_similarity as cosine_similarity
from handmade.nn.functional.activation import elu as elu
from handmade.nn.functional.activation import glu as glu
from handmade.nn.functional.activation import gumbel_softmax as gumbel_softmax
from handmade.nn.functional.activation import hardsigmoid as hardsigmoid
from handmade.nn.functional.activation import hardswish as hardswish
from handmade.nn.functional.activation import hardtanh as hardtanh
from handmade.nn.functional.activation import leaky_relu as leaky_relu
from handmade.nn.functional.activation import logsigmoid as logsigmoid
from handmade.nn.functional.activation import mish as mish
from handmade.nn.functional.activation import normalize as normalize
from handmade.nn.functional.activation import pairwise_distance as pairwise_distance
from handmade.nn.functional.activation import prelu as prelu
from handmade.nn.functional.activation import relu as relu
from handmade.nn.functional.activation import relu6 as relu6
from handmade.nn.functional.activation import selu as selu
from handmade.nn.functional.activation import silu as silu
from handmade.nn.functional.activation import softmin as softmin
from handmade.nn.functional.activation import softsign as softsign
from handmade.nn.functional.activation import tanhshrink as tanhshrink
from handmade.nn.functional.activation import threshold as threshold
from handmade.nn.functional.attention import recorded_attention as recorded_attention
from handmade.nn.functional.attention import scaled_dot_product_attention as scaled_dot_product_attention
from handmade.nn.functional.convolution import conv1d as conv1d
from handmade.nn.functional.convolution import conv2d as conv2d
from handmade.nn.functional.convolution import conv_transpose1d as conv_transpose1d
from handmade.nn.functional.convolution import conv_transpose2d as conv_transpose2d
from handmade.nn.functional.distances import binary_cross_entropy as binary_cross_entropy
from handmade.nn.functional.distances import cosine_embedding_loss as cosine_embedding_loss
from handmade.nn.functional.distances import hinge_embedding_loss as hinge_embedding_loss
from handmade.nn.functional.distances import huber_loss as huber_loss
from handmade.nn.functional.distances import kl_div as kl_div
from handmade.nn.functional.distances import margin_ranking_loss as margin_ranking_loss
from handmade.nn.functional.distances import poisson_nll_loss as poisson_nll_loss
from handmade.nn.functional.distances import smooth_l1_loss as smooth_l1_loss
from handmade.nn.functional.distances import soft_margin_loss as soft_margin_loss
from handmade.nn.functional.distances import triplet_margin_loss as triplet_margin_loss
from handmade.nn.functional.linear import dropout as dropout
from handmade.nn.functional.linear import dropout2d as dropout2d
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
from handmade.nn.functional.normalization import instance_norm as instance_norm
from handmade.nn.functional.normalization import layer_norm as layer_norm
from handmade.nn.functional.normalization import local_response_norm as local_response_norm
from handmade.nn.functional.normalization import rms_norm as rms_norm
from handmade.nn.functional.pooling import adaptive_avg_pool1d as adaptive_avg_pool1d
from handmade.nn.functional.pooling import adaptive_avg_pool2d as adaptive_avg_pool2d
from handmade.nn.functional.pooling import avg_pool1d as avg_pool1d
from handmade.nn.functional.pooling import avg_pool2d as avg_pool2d
from handmade.nn.functional.pooling import max_pool1d as max_pool1d
from handmade.nn.functional.pooling import max_pool2d as max_pool2d
from handmade.nn.functional.resizing import fold as fold
from handmade.nn.functional.resizing import interpolate as interpolate
from handmade.nn.functional.resizing import pixel_shuffle as pixel_shuffle
from handmade.nn.functional.resizing import pixel_unshuffle as pixel_unshuffle
from handmade.nn.functional.resizing import unfold as unfold

gelu = _function(Tensor.gelu)
log_softmax = _function(Tensor.log_softmax)
pad = _function(Tensor.pad)
sigmoid = _function(Tensor.sigmoid)
softmax = _function(Tensor.softmax)
softplus = _function(Tensor.softplus)
tanh = _function(Tensor.tanh)

if not _TYPE_CHECKING:
    __getattr__ = _refusing("torch.nn.functional")
