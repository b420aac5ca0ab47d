"""What `handmade` itself names: tensors, what makes them, and every method of theirs as a function."""

from handmade.attention import multi_head_attention as multi_head_attention
from handmade.attention import self_attention as self_attention
from handmade.engine import Tensor as Tensor
from handmade.engine import bool_
from handmade.engine import enable_grad as enable_grad
from handmade.engine import float32 as float32
from handmade.engine import float64 as float64
from handmade.engine import gradcheck as gradcheck
from handmade.engine import int64 as int64
from handmade.engine import is_grad_enabled as is_grad_enabled
from handmade.engine import no_grad as no_grad
from handmade.engine import random as random
from handmade.engine.creation import arange as arange
from handmade.engine.creation import empty as empty
from handmade.engine.creation import eye as eye
from handmade.engine.creation import from_numpy as from_numpy
from handmade.engine.creation import full as full
from handmade.engine.creation import full_like as full_like
from handmade.engine.creation import linspace as linspace
from handmade.engine.creation import ones as ones
from handmade.engine.creation import ones_like as ones_like
from handmade.engine.creation import rand as rand
from handmade.engine.creation import rand_like as rand_like
from handmade.engine.creation import randint as randint
from handmade.engine.creation import randn as randn
from handmade.engine.creation import randn_like as randn_like
from handmade.engine.creation import randperm as randperm
from handmade.engine.creation import tensor as tensor
from handmade.engine.creation import zeros as zeros
from handmade.engine.creation import zeros_like as zeros_like
from handmade.engine.functions import cat as cat
from handmade.engine.functions import einsum as einsum
from handmade.engine.functions import multinomial as multinomial
from handmade.engine.functions import one_hot as one_hot
from handmade.engine.functions import stack as stack
from handmade.engine.functions import where as where
from handmade.engine.random import manual_seed as manual_seed
from handmade.kernels.choice import kernels_in_use as kernels_in_use
from handmade.kernels.threads import get_num_threads as get_num_threads
from handmade.kernels.threads import set_num_threads as set_num_threads

bool = bool_

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
fmod = Tensor.fmod
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
remainder = Tensor.remainder
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
