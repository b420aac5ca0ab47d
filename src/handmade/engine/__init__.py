"""The autograd engine: tensors, the tape behind them, and `apply`, which runs an operation of `ops` on tensors."""

from handmade.engine.dtypes import as_dtype as as_dtype
from handmade.engine.dtypes import bool_ as bool_
from handmade.engine.dtypes import float32 as float32
from handmade.engine.dtypes import float64 as float64
from handmade.engine.dtypes import int64 as int64
from handmade.engine.finite_differences import gradcheck as gradcheck
from handmade.engine.random import manual_seed as manual_seed
from handmade.engine.tape import enable_grad as enable_grad
from handmade.engine.tape import is_grad_enabled as is_grad_enabled
from handmade.engine.tape import no_grad as no_grad
from handmade.engine.tensor import Tensor as Tensor
from handmade.engine.tensor import apply as apply
from handmade.engine.tensor import tensor_of as tensor_of
from handmade.engine.watch import Call as Call
from handmade.engine.watch import watching as watching
from handmade.ops.op import op as op
