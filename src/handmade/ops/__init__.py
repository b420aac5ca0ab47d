"""Differentiable operations on arrays, one function each: its value and its pullback side by side.

`op` says what form they have; `engine.apply` runs them on tensors and records them.
"""

from handmade.ops.arithmetic import abs, add, clamp, div, masked_fill, maximum, minimum, mul, neg, pow, sub, where
from handmade.ops.elementwise import (
    cast,
    clone,
    cos,
    exp,
    gelu,
    gelu_tanh,
    log,
    relu,
    rsqrt,
    sigmoid,
    silu,
    sin,
    sqrt,
    tanh,
)
from handmade.ops.indexing import gather, getitem, scatter_add
from handmade.ops.op import OPERATIONS, Operation, op
from handmade.ops.products import einsum, matmul
from handmade.ops.reductions import amax, amin, cumsum, mean, prod, sum, var
from handmade.ops.shape import cat, expand, flip, pad, permute, repeat, reshape, roll, stack, tril, triu
from handmade.ops.softmax import log_softmax, logsumexp, softmax

__all__ = [
    "OPERATIONS",
    "Operation",
    "abs",
    "add",
    "amax",
    "amin",
    "cast",
    "cat",
    "clamp",
    "clone",
    "cos",
    "cumsum",
    "div",
    "einsum",
    "exp",
    "expand",
    "flip",
    "gather",
    "gelu",
    "gelu_tanh",
    "getitem",
    "log",
    "log_softmax",
    "logsumexp",
    "masked_fill",
    "matmul",
    "maximum",
    "mean",
    "minimum",
    "mul",
    "neg",
    "op",
    "pad",
    "permute",
    "pow",
    "prod",
    "relu",
    "repeat",
    "reshape",
    "roll",
    "rsqrt",
    "scatter_add",
    "sigmoid",
    "silu",
    "sin",
    "softmax",
    "sqrt",
    "stack",
    "sub",
    "sum",
    "tanh",
    "tril",
    "triu",
    "var",
    "where",
]
