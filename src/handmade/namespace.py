"""The names of `handmade` itself: tensors, the functions that create them, and each of their methods as a function."""

from numpy import finfo as finfo
from numpy import iinfo as iinfo

from handmade.attention import multi_head_attention as multi_head_attention
from handmade.attention import self_attention as self_attention
from handmade.engine import Tensor as Tensor
from handmade.engine import bool_
from handmade.engine import float32 as float32
from handmade.engine import float64 as float64
from handmade.engine import gradcheck as gradcheck
from handmade.engine import int64 as int64
from handmade.engine import random as random
from handmade.engine.creation import arange as arange
from handmade.engine.creation import as_tensor as as_tensor
from handmade.engine.creation import empty as empty
from handmade.engine.creation import empty_like as empty_like
from handmade.engine.creation import eye as eye
from handmade.engine.creation import from_numpy as from_numpy
from handmade.engine.creation import full as full
from handmade.engine.creation import full_like as full_like
from handmade.engine.creation import linspace as linspace
from handmade.engine.creation import normal as normal
from handmade.engine.creation import ones as ones
from handmade.engine.creation import ones_like as ones_like
from handmade.engine.creation import rand as rand
from handmade.engine.creation import rand_like as rand_like
from handmade.engine.creation import randint as randint
from handmade.engine.creation import randn as randn
from handmade.engine.creation import randn_like as randn_like
from handmade.engine.creation import randperm as randperm
from handmade.engine.creation import tensor as tensor
from handmade.engine.creation import tril_indices as tril_indices
from handmade.engine.creation import triu_indices as triu_indices
from handmade.engine.creation import zeros as zeros
from handmade.engine.creation import zeros_like as zeros_like
from handmade.engine.devices import device as device
from handmade.engine.functions import bernoulli as bernoulli
from handmade.engine.functions import broadcast_tensors as broadcast_tensors
from handmade.engine.functions import cat as cat
from handmade.engine.functions import einsum as einsum
from handmade.engine.functions import function
from handmade.engine.functions import hstack as hstack
from handmade.engine.functions import is_tensor as is_tensor
from handmade.engine.functions import meshgrid as meshgrid
from handmade.engine.functions import multinomial as multinomial
from handmade.engine.functions import numel as numel
from handmade.engine.functions import one_hot as one_hot
from handmade.engine.functions import result_type as result_type
from handmade.engine.functions import stack as stack
from handmade.engine.functions import vstack as vstack
from handmade.engine.functions import where as where
from handmade.engine.random import Generator as Generator
from handmade.engine.random import manual_seed as manual_seed
from handmade.engine.tape import enable_grad as enable_grad
from handmade.engine.tape import inference_mode as inference_mode
from handmade.engine.tape import is_grad_enabled as is_grad_enabled
from handmade.engine.tape import no_grad as no_grad
from handmade.engine.tape import set_grad_enabled as set_grad_enabled
from handmade.kernels.choice import kernels_in_use as kernels_in_use
from handmade.kernels.threads import get_num_threads as get_num_threads
from handmade.kernels.threads import set_num_threads as set_num_threads

bool = bool_
double = float64
float = float32
long = int64
Size = tuple

# Each method is a function, too: handmade.exp(x) is x.exp().
abs = function(Tensor.abs)
acos = function(Tensor.acos)
add = function(Tensor.add)
addcdiv = function(Tensor.addcdiv)
addcmul = function(Tensor.addcmul)
addmm = function(Tensor.addmm)
addmv = function(Tensor.addmv)
all = function(Tensor.all)
allclose = function(Tensor.allclose)
amax = function(Tensor.amax)
amin = function(Tensor.amin)
aminmax = function(Tensor.aminmax)
any = function(Tensor.any)
argmax = function(Tensor.argmax)
argmin = function(Tensor.argmin)
argsort = function(Tensor.argsort)
asin = function(Tensor.asin)
atan = function(Tensor.atan)
baddbmm = function(Tensor.baddbmm)
bitwise_and = function(Tensor.bitwise_and)
bitwise_not = function(Tensor.bitwise_not)
bitwise_or = function(Tensor.bitwise_or)
bitwise_xor = function(Tensor.bitwise_xor)
bmm = function(Tensor.bmm)
broadcast_to = function(Tensor.broadcast_to)
ceil = function(Tensor.ceil)
chunk = function(Tensor.chunk)
clamp = function(Tensor.clamp)
clamp_max = function(Tensor.clamp_max)
clamp_min = function(Tensor.clamp_min)
clip = function(Tensor.clip)
clone = function(Tensor.clone)
cos = function(Tensor.cos)
cosh = function(Tensor.cosh)
count_nonzero = function(Tensor.count_nonzero)
cumprod = function(Tensor.cumprod)
cumsum = function(Tensor.cumsum)
detach = function(Tensor.detach)
diag = function(Tensor.diag)
diag_embed = function(Tensor.diag_embed)
diagonal = function(Tensor.diagonal)
div = function(Tensor.div)
divide = function(Tensor.divide)
dot = function(Tensor.dot)
eq = function(Tensor.eq)
equal = function(Tensor.equal)
erf = function(Tensor.erf)
exp = function(Tensor.exp)
exp2 = function(Tensor.exp2)
expm1 = function(Tensor.expm1)
flatten = function(Tensor.flatten)
flip = function(Tensor.flip)
fliplr = function(Tensor.fliplr)
flipud = function(Tensor.flipud)
floor = function(Tensor.floor)
floor_divide = function(Tensor.floor_divide)
fmod = function(Tensor.fmod)
frac = function(Tensor.frac)
gather = function(Tensor.gather)
ge = function(Tensor.ge)
greater = function(Tensor.greater)
greater_equal = function(Tensor.greater_equal)
gt = function(Tensor.gt)
index_add = function(Tensor.index_add)
index_select = function(Tensor.index_select)
is_floating_point = function(Tensor.is_floating_point)
isclose = function(Tensor.isclose)
isfinite = function(Tensor.isfinite)
isinf = function(Tensor.isinf)
isnan = function(Tensor.isnan)
le = function(Tensor.le)
lerp = function(Tensor.lerp)
less = function(Tensor.less)
less_equal = function(Tensor.less_equal)
log = function(Tensor.log)
log10 = function(Tensor.log10)
log1p = function(Tensor.log1p)
log2 = function(Tensor.log2)
log_softmax = function(Tensor.log_softmax)
logical_and = function(Tensor.logical_and)
logical_not = function(Tensor.logical_not)
logical_or = function(Tensor.logical_or)
logical_xor = function(Tensor.logical_xor)
logit = function(Tensor.logit)
logsumexp = function(Tensor.logsumexp)
lt = function(Tensor.lt)
masked_fill = function(Tensor.masked_fill)
masked_scatter = function(Tensor.masked_scatter)
masked_select = function(Tensor.masked_select)
matmul = function(Tensor.matmul)
max = function(Tensor.max)
maximum = function(Tensor.maximum)
mean = function(Tensor.mean)
median = function(Tensor.median)
min = function(Tensor.min)
minimum = function(Tensor.minimum)
mm = function(Tensor.mm)
movedim = function(Tensor.movedim)
mul = function(Tensor.mul)
multiply = function(Tensor.multiply)
mv = function(Tensor.mv)
nan_to_num = function(Tensor.nan_to_num)
narrow = function(Tensor.narrow)
ne = function(Tensor.ne)
neg = function(Tensor.neg)
nonzero = function(Tensor.nonzero)
norm = function(Tensor.norm)
not_equal = function(Tensor.not_equal)
outer = function(Tensor.outer)
permute = function(Tensor.permute)
pow = function(Tensor.pow)
prod = function(Tensor.prod)
ravel = function(Tensor.ravel)
reciprocal = function(Tensor.reciprocal)
relu = function(Tensor.relu)
remainder = function(Tensor.remainder)
repeat_interleave = function(Tensor.repeat_interleave)
reshape = function(Tensor.reshape)
roll = function(Tensor.roll)
round = function(Tensor.round)
rsqrt = function(Tensor.rsqrt)
scatter = function(Tensor.scatter)
scatter_add = function(Tensor.scatter_add)
select = function(Tensor.select)
sigmoid = function(Tensor.sigmoid)
sign = function(Tensor.sign)
sin = function(Tensor.sin)
sinh = function(Tensor.sinh)
softmax = function(Tensor.softmax)
sort = function(Tensor.sort)
split = function(Tensor.split)
sqrt = function(Tensor.sqrt)
square = function(Tensor.square)
squeeze = function(Tensor.squeeze)
std = function(Tensor.std)
sub = function(Tensor.sub)
subtract = function(Tensor.subtract)
sum = function(Tensor.sum)
swapaxes = function(Tensor.swapaxes)
t = function(Tensor.t)
take = function(Tensor.take)
take_along_dim = function(Tensor.take_along_dim)
tan = function(Tensor.tan)
tanh = function(Tensor.tanh)
tile = function(Tensor.tile)
topk = function(Tensor.topk)
trace = function(Tensor.trace)
transpose = function(Tensor.transpose)
tril = function(Tensor.tril)
triu = function(Tensor.triu)
true_divide = function(Tensor.true_divide)
trunc = function(Tensor.trunc)
unbind = function(Tensor.unbind)
unflatten = function(Tensor.unflatten)
unique = function(Tensor.unique)
unsqueeze = function(Tensor.unsqueeze)
var = function(Tensor.var)
concat = cat
concatenate = cat
