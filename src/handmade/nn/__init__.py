"""Layers and what they are made of, under PyTorch's names, arguments and defaults."""

from handmade.nn import functional, init, utils
from handmade.nn.activation import GELU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Tanh
from handmade.nn.attention import GroupedQueryAttention, MultiheadAttention
from handmade.nn.cells import GRUCell, LSTMCell, RNNCell
from handmade.nn.containers import ModuleDict, ModuleList, Sequential
from handmade.nn.convolution import Conv1d, Conv2d, ConvTranspose2d
from handmade.nn.feed_forward import SwiGLU
from handmade.nn.linear import Dropout, Embedding, Flatten, Identity, Linear
from handmade.nn.loss import BCEWithLogitsLoss, CrossEntropyLoss, CTCLoss, L1Loss, MSELoss, NLLLoss
from handmade.nn.module import Module, Parameter
from handmade.nn.normalization import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm, LocalResponseNorm, RMSNorm
from handmade.nn.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from handmade.nn.positions import LearnedPositions, RotaryEmbedding, SinusoidalPositions
from handmade.nn.recurrent import GRU, LSTM, RNN
from handmade.nn.transformer import (
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)

__all__ = [
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "CTCLoss",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GroupNorm",
    "GroupedQueryAttention",
    "Identity",
    "L1Loss",
    "LSTMCell",
    "LayerNorm",
    "LearnedPositions",
    "Linear",
    "LocalResponseNorm",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiheadAttention",
    "NLLLoss",
    "Parameter",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "RotaryEmbedding",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SinusoidalPositions",
    "Softmax",
    "SwiGLU",
    "Tanh",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "functional",
    "init",
    "utils",
]
