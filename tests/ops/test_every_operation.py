"""Every operation of `ops`, found by itself: its gradient against differences, value and gradients against PyTorch.

An operation that has no example here fails: `ops/op.py` promises that each is checked. What is special to one (shapes
at random, ties, bad input) is tried in the file of its name.
"""

import math
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
import torch

from handmade import Tensor, gradcheck, ops, tensor
from handmade.engine import apply, watching
from handmade.kernels.dropout import Noise
from handmade.kernels.normalization import batch_statistics
from handmade.ops.op import OPERATIONS
from tests.support.against_torch import agrees_with_torch

FILES = [file.name for file in iter_modules(ops.__path__)]
for file in FILES:
    import_module(f"handmade.ops.{file}")

F = torch.nn.functional
MASK = np.random.default_rng(5).random((3, 4)) < 0.4
PLACES = np.array([[2, 0, 1, 1], [0, 2, 2, 1]])  # along an axis of three
ROWS = np.array([[2, 0, 1, 1], [0, 2, 2, 0]])  # the same, no place twice
LABELS = np.array([4, 0, 2])


class Example:
    """Inputs of an operation (shapes, drawn from the normal distribution), its options, and PyTorch's form of it.

    A shape may be None, for an optional input that is absent. options: by name, each an array or number, or a function
    of the input arrays. low, high: the inputs are drawn from [low, high) instead; high is low + 2 unless given.
    """

    def __init__(
        self,
        reference: Callable,
        *shapes: tuple[int, ...] | None,
        low: float | None = None,
        high: Any = None,
        **options: Any,
    ) -> None:
        self.reference, self.shapes, self.low, self.options = reference, shapes, low, options
        self.high = 2 + (low or 0) if high is None else high

    def inputs(self) -> list[np.ndarray | None]:
        rng = np.random.default_rng(3)
        draw = rng.standard_normal if self.low is None else lambda shape: rng.uniform(self.low, self.high, shape)
        return [None if shape is None else draw(shape) for shape in self.shapes]

    def operation(self, name: str) -> Callable:
        """The operation with its options filled in."""

        def filled(*arrays):
            options = {key: given(*arrays) if callable(given) else given for key, given in self.options.items()}
            return OPERATIONS[name](*arrays, **options)

        filled.__name__ = name
        return filled


def recurrent(layer: Callable) -> Callable:
    """PyTorch's layer: all outputs, and after them the final states."""

    def run(x, *arrays):
        *states, w_ih, w_hh, b_ih, b_hh = (array for array in arrays if array is not None)
        module = layer(x.shape[-1], states[0].shape[-1]).to(x.dtype)
        names = {"weight_ih_l0": w_ih, "weight_hh_l0": w_hh, "bias_ih_l0": b_ih, "bias_hh_l0": b_hh}
        initial = tuple(state[None] for state in states)
        given = (x, initial if len(initial) > 1 else initial[0])
        output, final = torch.func.functional_call(module, names, given)
        return torch.cat([output, *(final if isinstance(final, tuple) else (final,))])

    return run


def recurrent_shapes(gates: int, states: int) -> list[tuple[int, ...]]:
    T, B, I, H = 4, 3, 2, 5
    return [(T, B, I), *[(B, H)] * states, (gates * H, I), (gates * H, H), (gates * H,), (gates * H,)]


def ctc_in_torch(log_probs: torch.Tensor) -> torch.Tensor:
    """The sum over all paths of length 3 that read label 1: PyTorch's own gradient is one by the logits instead."""
    merged = lambda path: [n for t, n in enumerate(path) if n and (t == 0 or n != path[t - 1])]
    paths = [path for path in np.ndindex(3, 3, 3) if merged(path) == [1]]
    scores = [sum(log_probs[t, 0, n] for t, n in enumerate(path)) for path in paths]
    return -torch.stack(scores).logsumexp(0)


def dropped(x: torch.Tensor) -> torch.Tensor:
    dtype = np.dtype(str(x.dtype).removeprefix("torch."))
    return x * torch.tensor(Noise.drawn(0.4, np.random.default_rng(0)).mask(tuple(x.shape), dtype))


IMAGE = (2, 4, 5, 6)
EXAMPLES = {
    "add": Example(torch.add, (3, 4), (4,)),
    "sub": Example(torch.sub, (3, 1), (3, 4)),
    "mul": Example(torch.mul, (3, 4), (2, 1, 4)),
    "div": Example(torch.div, (3, 4), (3, 1), low=0.5),
    "div_rounded": Example(
        lambda x, y: torch.div(x, y, rounding_mode="floor"), (3, 4), (3, 1), low=0.5, rounding_mode="floor"
    ),
    "pow": Example(torch.pow, (3, 4), (4,), low=0.5),
    "neg": Example(torch.neg, (3, 4)),
    "abs": Example(torch.abs, (3, 4)),
    "maximum": Example(torch.maximum, (3, 4), (4,)),
    "minimum": Example(torch.minimum, (3, 4), (4,)),
    "remainder": Example(torch.remainder, (3, 4), (4,), low=0.5),
    "fmod": Example(torch.fmod, (3, 4), (4,), low=0.5),
    "hardtanh": Example(lambda x: F.hardtanh(x, -0.5, 0.7), (3, 4), min_val=-0.5, max_val=0.7),
    "clamp": Example(torch.clamp, (3, 4), (4,), (3, 1)),
    "where": Example(lambda x, y: torch.where(torch.tensor(MASK), x, y), (3, 4), (4,), condition=MASK),
    "masked_fill": Example(lambda x, value: x.masked_fill(torch.tensor(MASK), value), (3, 4), (), mask=MASK),
    "scaled_dot_product_attention": Example(
        F.scaled_dot_product_attention, (2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 7)
    ),
    "attention_with_learned_mask": Example(
        F.scaled_dot_product_attention, (2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 7), (4, 6)
    ),
    "attention_weights": Example(lambda q, k: (q @ k.mT / math.sqrt(5)).softmax(-1), (2, 3, 4, 5), (2, 3, 6, 5)),
    "conv2d": Example(
        lambda x, w, b: F.conv2d(x, w, b, (2, 1), (1, 2), (1, 2), 2), IMAGE, (6, 2, 3, 2), (6,),
        stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2,
    ),
    "conv1d": Example(lambda x, w, b: F.conv1d(x, w, b, 2, 1), (2, 4, 7), (6, 4, 3), (6,), stride=2, padding=1),
    "conv_transpose2d": Example(
        lambda x, w, b: F.conv_transpose2d(x, w, b, (2, 1), (1, 0)), IMAGE, (4, 3, 3, 2), (3,),
        stride=(2, 1), padding=(1, 0),
    ),
    "ctc_loss": Example(
        ctc_in_torch, (3, 1, 3), targets=np.array([[1]]), input_lengths=np.array([3]), target_lengths=np.array([1])
    ),
    "dropout": Example(dropped, (3, 4), p=0.4, rng=lambda x: np.random.default_rng(0)),
    "exp": Example(torch.exp, (3, 4)),
    "log": Example(torch.log, (3, 4), low=0.5),
    "sqrt": Example(torch.sqrt, (3, 4), low=0.5),
    "rsqrt": Example(torch.rsqrt, (3, 4), low=0.5),
    "tanh": Example(torch.tanh, (3, 4)),
    "sigmoid": Example(torch.sigmoid, (3, 4)),
    "relu": Example(torch.relu, (3, 4)),
    "silu": Example(F.silu, (3, 4)),
    "gelu": Example(F.gelu, (3, 4)),
    "gelu_tanh": Example(lambda x: F.gelu(x, approximate="tanh"), (3, 4)),
    "sin": Example(torch.sin, (3, 4)),
    "cos": Example(torch.cos, (3, 4)),
    "tan": Example(torch.tan, (3, 4)),
    "asin": Example(lambda x: torch.asin(x), (3, 4), low=-0.9, high=0.9),
    "acos": Example(lambda x: torch.acos(x), (3, 4), low=-0.9, high=0.9),
    "atan": Example(torch.atan, (3, 4)),
    "sinh": Example(torch.sinh, (3, 4)),
    "cosh": Example(torch.cosh, (3, 4)),
    "log1p": Example(torch.log1p, (3, 4), low=-0.5),
    "expm1": Example(torch.expm1, (3, 4)),
    "erf": Example(torch.erf, (3, 4)),
    "logit": Example(torch.logit, (3, 4), low=0.1, high=0.9),
    "softplus": Example(F.softplus, (3, 4)),
    "sign": Example(torch.sign, (3, 4)),
    "floor": Example(torch.floor, (3, 4)),
    "ceil": Example(torch.ceil, (3, 4)),
    "trunc": Example(torch.trunc, (3, 4)),
    "round": Example(lambda x: x.round(decimals=1), (3, 4), decimals=1),
    "clone": Example(torch.clone, (3, 4)),
    "cast": Example(torch.clone, (3, 4), dtype=lambda x: x.dtype),  # to the other type: tests/engine/test_methods.py
    "embedding": Example(lambda w: F.embedding(torch.tensor(PLACES), w), (3, 5), indices=PLACES),
    "getitem": Example(lambda x: x[:, [2, 0, 2]], (3, 4), index=(slice(None), np.array([2, 0, 2]))),
    "gather": Example(lambda x: x.gather(0, torch.tensor(PLACES)), (3, 4), dim=0, index=PLACES),
    "setitem": Example(
        lambda x, y: torch.stack([x[0], y, y]), (3, 4), (4,), steps=(slice(1, None), (slice(None), slice(None)))
    ),
    "scatter": Example(lambda x, y: x.scatter(0, torch.tensor(ROWS), y), (3, 4), (2, 4), dim=0, index=ROWS),
    "scatter_add": Example(
        lambda x, y: x.scatter_add(0, torch.tensor(PLACES), y), (3, 4), (2, 4), dim=0, index=PLACES
    ),
    "linear": Example(F.linear, (2, 3, 4), (5, 4), (5,)),
    "projection": Example(lambda x, w, b: x @ w + b, (2, 3, 4), (4, 5), (5,)),
    "mse_loss": Example(F.mse_loss, (3, 4), (3, 4)),
    "l1_loss": Example(F.l1_loss, (3, 4), (3, 4)),
    "binary_cross_entropy_with_logits": Example(F.binary_cross_entropy_with_logits, (3, 4), (3, 4)),
    "cross_entropy": Example(
        lambda x: F.cross_entropy(x, torch.tensor(LABELS), label_smoothing=0.2), (3, 5),
        targets=LABELS, label_smoothing=0.2,
    ),
    "nll_loss": Example(lambda x: F.nll_loss(x, torch.tensor(LABELS)), (3, 5), targets=LABELS),
    "batch_norm": Example(
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), IMAGE, (4,), (4,), training=True,
        mean=lambda x, *_: batch_statistics(x)[0], variance=lambda x, *_: batch_statistics(x)[1],
    ),
    "group_norm": Example(lambda x, w, b: F.group_norm(x, 2, w, b), IMAGE, (4,), (4,), num_groups=2),
    "layer_norm": Example(
        lambda x, w, b: F.layer_norm(x, (5, 6), w, b), IMAGE, (5, 6), (5, 6), normalized_shape=(5, 6)
    ),
    "rms_norm": Example(lambda x, w: F.rms_norm(x, (6,), w), (2, 3, 6), (6,), normalized_shape=(6,)),
    "local_response_norm": Example(
        lambda x: F.local_response_norm(x, 3, 0.5, 0.6, 2.0), IMAGE, size=3, alpha=0.5, beta=0.6, k=2.0
    ),
    "max_pool2d": Example(
        lambda x: F.max_pool2d(x, (2, 3), (1, 2), (1, 1)), IMAGE, kernel_size=(2, 3), stride=(1, 2), padding=(1, 1)
    ),
    "avg_pool2d": Example(
        lambda x: F.avg_pool2d(x, (2, 3), (1, 2), (1, 1)), IMAGE, kernel_size=(2, 3), stride=(1, 2), padding=(1, 1)
    ),
    "adaptive_avg_pool2d": Example(lambda x: F.adaptive_avg_pool2d(x, (2, 4)), IMAGE, output_size=(2, 4)),
    "matmul": Example(torch.matmul, (2, 3, 4), (4, 5)),
    "einsum": Example(lambda x, y: torch.einsum("bij,kj->kbi", x, y), (2, 3, 4), (5, 4), equation="bij,kj->kbi"),
    "rnn": Example(recurrent(torch.nn.RNN), *recurrent_shapes(1, 1)),
    "lstm": Example(recurrent(torch.nn.LSTM), *recurrent_shapes(4, 2), None),
    "gru": Example(recurrent(torch.nn.GRU), *recurrent_shapes(3, 1)),
    "sum": Example(lambda x: x.sum((0, 2)), (2, 3, 4), dim=(0, 2)),
    "mean": Example(lambda x: x.mean(1, keepdim=True), (2, 3, 4), dim=(1,), keepdim=True),
    "var": Example(lambda x: x.var((0, 2)), (2, 3, 4), dim=(0, 2), correction=1),
    "std": Example(lambda x: x.std((0, 2)), (2, 3, 4), dim=(0, 2)),
    "norm": Example(lambda x: torch.linalg.vector_norm(x, dim=(0, 2)), (2, 3, 4), dim=(0, 2)),
    "cumprod": Example(lambda x: x.cumprod(1), (2, 3, 4), dim=1),
    "amax": Example(lambda x: x.amax((0, 2)), (2, 3, 4), dim=(0, 2)),
    "amin": Example(lambda x: x.amin(1), (2, 3, 4), dim=(1,)),
    "prod": Example(lambda x: x.prod(1), (2, 3, 4), dim=(1,)),
    "cumsum": Example(lambda x: x.cumsum(1), (2, 3, 4), dim=1),
    "reshape": Example(lambda x: x.reshape(4, 6), (2, 3, 4), shape=(4, 6)),
    "permute": Example(lambda x: x.permute(2, 0, 1), (2, 3, 4), dims=(2, 0, 1)),
    "expand": Example(lambda x: x.expand(2, 3, 4), (3, 1), shape=(2, 3, 4)),
    "repeat": Example(lambda x: x.repeat(2, 1, 3), (3, 4), repeats=(2, 1, 3)),
    "pad": Example(lambda x: F.pad(x, (0, 1, 1, 2)), (3, 4), padding=[(1, 2), (0, 1)]),
    "flip": Example(lambda x: x.flip(0, 2), (2, 3, 4), dims=(0, 2)),
    "roll": Example(lambda x: x.roll((1, -1), (0, 1)), (3, 4), shifts=(1, -1), dims=(0, 1)),
    "tril": Example(lambda x: x.tril(-1), (2, 3, 4), diagonal=-1),
    "triu": Example(lambda x: x.triu(1), (2, 3, 4), diagonal=1),
    "diagonal": Example(lambda x: x.diagonal(1, 0, 2), (2, 3, 4), offset=1, dim1=0, dim2=2),
    "cat": Example(lambda *parts: torch.cat(parts, 1), (2, 3), (2, 1), (2, 4), dim=1),
    "stack": Example(lambda *parts: torch.stack(parts, 1), (2, 3), (2, 3), dim=1),
    "softmax": Example(lambda x: x.softmax(1), (2, 3, 4), dim=1),
    "log_softmax": Example(lambda x: x.log_softmax(1), (2, 3, 4), dim=1),
    "logsumexp": Example(lambda x: x.logsumexp((0, 2)), (2, 3, 4), dim=(0, 2)),
}  # fmt: skip


def test_every_operation_has_an_example_and_every_file_an_operation():
    files = {name: operation.__module__ or "" for name, operation in OPERATIONS.items()}  # an example has no file
    ours = {name: file.rpartition(".")[2] for name, file in files.items() if file.startswith("handmade.ops.")}
    assert set(EXAMPLES) == set(ours)
    assert set(ours.values()) == set(FILES) - {"op"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_gradient_check(name):
    example = EXAMPLES[name]
    operation = example.operation(name)
    with watching() as calls:
        gradcheck(
            lambda *inputs: apply(operation, *inputs),
            [None if x is None else tensor(x, requires_grad=True) for x in example.inputs()],
            atol=1e-7,  # of differences in float64, whose own error is near 1e-9
            rtol=1e-6,
        )
    assert calls
    assert all(call.name == name for call in calls)


@pytest.mark.parametrize("name", EXAMPLES)
def test_value_and_gradients_are_pytorchs(name):
    example = EXAMPLES[name]
    agrees_with_torch(example.operation(name), example.reference, *example.inputs())


@pytest.mark.parametrize("name", [n for n, e in EXAMPLES.items() if hasattr(Tensor, n) and not e.options])
def test_the_method_of_its_name_is_the_operation(name):
    first, *rest = (tensor(x) for x in EXAMPLES[name].inputs())
    with watching() as calls:
        getattr(first, name)(*rest)
    assert name in {call.name for call in calls}
