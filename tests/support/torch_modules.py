"""PyTorch's `module_db` and `optim_db`, run through both libraries: layers with the same weights, and steps.

The outcomes are those of `torch_databases`.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import torch

import handmade
from handmade import nn, optim
from tests.support.torch_databases import Tally, compare, judge, leaves, ours, quietly

EVALUATED = {"MultiheadAttention", "Transformer", "TransformerEncoder", "TransformerEncoderLayer",
             "TransformerDecoderLayer"}  # fmt: skip
"""Modules with dropout, which are compared in evaluation mode."""


def module_entries() -> list[Any]:
    """The entries of module_db whose class we have."""
    from torch.testing._internal.common_modules import module_db  # takes seconds, so only where it is used

    return [entry for entry in module_db if hasattr(nn, entry.module_cls.__name__)]


def optimizer_entries() -> list[Any]:
    """The entries of optim_db whose class we have."""
    from torch.testing._internal.common_optimizers import optim_db

    return [entry for entry in optim_db if hasattr(optim, entry.optim_cls.__name__)]


def run_module(entry: Any, limit: int | None = None) -> Tally:
    tally = Tally()
    torch.manual_seed(0)
    made = entry.module_inputs_func(entry, device="cpu", dtype=torch.float64, requires_grad=True, training=True)
    for sample in islice(quietly(iter(made)), limit):
        judge(tally, lambda s=sample: _compare_modules(entry.module_cls, s))
    return tally


def _compare_modules(kind: type, sample: Any) -> str | None:
    args, options = sample.constructor_input.args, sample.constructor_input.kwargs
    mine = getattr(nn, kind.__name__)(*_translated(list(args)), **_translated(options)).double()
    theirs = kind(*args, **options).double()
    mine.load_state_dict({name: tensor.numpy() for name, tensor in theirs.state_dict().items()})
    if kind.__name__ in EVALUATED:
        mine.eval()
        theirs.eval()
    if sample.forward_input is None:
        return None
    given, named = list(sample.forward_input.args), sample.forward_input.kwargs
    own_given, own_named = ours(given), ours(named)
    got, expected = mine(*own_given, **own_named), theirs(*given, **named)
    inputs = [x for x in leaves((own_given, own_named)) if isinstance(x, handmade.Tensor)]
    others = [x for x in leaves((given, named)) if isinstance(x, torch.Tensor)]
    weights = dict(mine.named_parameters())
    for name, parameter in theirs.named_parameters():
        inputs.append(weights[name])
        others.append(parameter)
    difference = compare(got, expected, inputs, others)
    return difference and f"{difference} for {kind.__name__}{args}, {options}, {[tuple(x.shape) for x in others][:3]}"


def _translated(x: Any) -> Any:
    """Arguments of a constructor: an encoder's layer is one of ours with the same sizes, functions are ours."""
    if isinstance(x, torch.nn.TransformerEncoderLayer):
        options = {"batch_first": x.self_attn.batch_first, "norm_first": x.norm_first, "dropout": x.dropout.p}
        options["bias"] = x.linear1.bias is not None
        options["activation"] = "gelu" if x.activation is torch.nn.functional.gelu else "relu"
        return nn.TransformerEncoderLayer(
            x.linear1.in_features, x.self_attn.num_heads, x.linear1.out_features, **options
        )
    if callable(x) and hasattr(nn.functional, getattr(x, "__name__", "")):
        return getattr(nn.functional, x.__name__)
    if isinstance(x, dict):
        return {name: _translated(value) for name, value in x.items()}
    return [_translated(part) for part in x] if isinstance(x, list) else ours(x)


def run_optimizer(entry: Any, limit: int | None = None) -> Tally:
    tally = Tally()
    for sample in islice(quietly(iter(entry.optim_inputs_func(device="cpu", dtype=torch.float64))), limit):
        judge(tally, lambda s=sample: _compare_steps(entry.optim_cls, s))
    return tally


def _compare_steps(kind: type, sample: Any) -> str | None:
    """Ten steps on two parameters, along gradients that are drawn at random."""
    rng = np.random.default_rng(0)
    start = [rng.standard_normal(shape) for shape in ((3, 2), (4,))]
    weights = [handmade.tensor(x, requires_grad=True) for x in start]
    others = [torch.tensor(x, requires_grad=True) for x in start]
    mine = getattr(optim, kind.__name__)(weights, **ours(sample.kwargs))
    theirs = kind(others, **sample.kwargs)
    for _ in range(10):
        for weight, other in zip(weights, others, strict=True):
            gradient = rng.standard_normal(weight.shape)
            weight.grad, other.grad = handmade.tensor(gradient), torch.tensor(gradient)
        mine.step()
        theirs.step()
    difference = compare(weights, [other.detach() for other in others], [], [])
    return difference and f"{difference} for {kind.__name__}({sample.kwargs})"
