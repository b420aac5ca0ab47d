"""handmade: the canonical neural networks made by hand on NumPy, down to the gradients."""

import importlib
import sys
from typing import Any

from handmade.attention import multi_head_attention, self_attention
from handmade.engine import Tensor, enable_grad, float32, float64, gradcheck, int64, is_grad_enabled, no_grad
from handmade.engine import bool_ as bool
from handmade.engine import random as random
from handmade.engine.creation import (
    arange,
    empty,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from handmade.engine.functions import cat, einsum, multinomial, one_hot, stack, where
from handmade.engine.random import manual_seed
from handmade.kernels.choice import kernels_in_use
from handmade.kernels.threads import get_num_threads, set_num_threads
from handmade.moved import MOVED, MovedFinder

# Each method is a function, too: handmade.exp(x) is x.exp().
abs = Tensor.abs
add = Tensor.add
amax = Tensor.amax
amin = Tensor.amin
argmax = Tensor.argmax
argmin = Tensor.argmin
argsort = Tensor.argsort
chunk = Tensor.chunk
clamp = Tensor.clamp
cos = Tensor.cos
cumsum = Tensor.cumsum
div = Tensor.div
exp = Tensor.exp
flatten = Tensor.flatten
flip = Tensor.flip
gather = Tensor.gather
isfinite = Tensor.isfinite
isnan = Tensor.isnan
log = Tensor.log
log_softmax = Tensor.log_softmax
logsumexp = Tensor.logsumexp
masked_fill = Tensor.masked_fill
matmul = Tensor.matmul
max = Tensor.max
maximum = Tensor.maximum
mean = Tensor.mean
min = Tensor.min
minimum = Tensor.minimum
mul = Tensor.mul
norm = Tensor.norm
permute = Tensor.permute
pow = Tensor.pow
prod = Tensor.prod
relu = Tensor.relu
repeat = Tensor.repeat
reshape = Tensor.reshape
roll = Tensor.roll
rsqrt = Tensor.rsqrt
scatter_add = Tensor.scatter_add
sigmoid = Tensor.sigmoid
sin = Tensor.sin
softmax = Tensor.softmax
sort = Tensor.sort
split = Tensor.split
sqrt = Tensor.sqrt
square = Tensor.square
squeeze = Tensor.squeeze
std = Tensor.std
sub = Tensor.sub
sum = Tensor.sum
tanh = Tensor.tanh
topk = Tensor.topk
transpose = Tensor.transpose
tril = Tensor.tril
triu = Tensor.triu
unbind = Tensor.unbind
unsqueeze = Tensor.unsqueeze
var = Tensor.var

__version__ = "0.1.0"

sys.meta_path.append(MovedFinder())
_ROOMS = ("data", "lens", "models", "nn", "optim", "recipes", "tasks", "text", "train", "weights")


def __getattr__(name: str) -> Any:
    """`handmade.nn` and the other rooms are imported when first named: `import handmade` stays quick."""
    if name in _ROOMS:
        return importlib.import_module(f"handmade.{name}")
    if f"handmade.{name}" in MOVED:
        raise AttributeError(f"handmade.{name} has moved: import its names from {MOVED[f'handmade.{name}']}")
    raise AttributeError(f"module 'handmade' has no attribute {name!r}")


__all__ = [
    "Tensor",
    "abs",
    "add",
    "amax",
    "amin",
    "arange",
    "argmax",
    "argmin",
    "argsort",
    "bool",
    "cat",
    "chunk",
    "clamp",
    "cos",
    "cumsum",
    "div",
    "einsum",
    "empty",
    "enable_grad",
    "exp",
    "eye",
    "flatten",
    "flip",
    "float32",
    "float64",
    "from_numpy",
    "full",
    "full_like",
    "gather",
    "get_num_threads",
    "gradcheck",
    "int64",
    "is_grad_enabled",
    "isfinite",
    "isnan",
    "kernels_in_use",
    "linspace",
    "log",
    "log_softmax",
    "logsumexp",
    "manual_seed",
    "masked_fill",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mul",
    "multi_head_attention",
    "multinomial",
    "no_grad",
    "norm",
    "one_hot",
    "ones",
    "ones_like",
    "permute",
    "pow",
    "prod",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "relu",
    "repeat",
    "reshape",
    "roll",
    "rsqrt",
    "scatter_add",
    "self_attention",
    "set_num_threads",
    "sigmoid",
    "sin",
    "softmax",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "sub",
    "sum",
    "tanh",
    "tensor",
    "topk",
    "transpose",
    "tril",
    "triu",
    "unbind",
    "unsqueeze",
    "var",
    "where",
    "zeros",
    "zeros_like",
]
