"""PyTorch's optimizer for ours: the same rule, groups and options; the state of each parameter, to and fro.

The learning-rate schedule stays ours. It changes our groups, whose options are copied before each step.
"""

from typing import Any

import numpy as np
import torch
from torch.distributed.tensor import DTensor, distribute_tensor

from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.nn.utils import laid_out_like
from handmade.optim import SGD, Adadelta, Adagrad, Adam, AdamW, Optimizer, RMSprop

RULES: dict[type[Optimizer], type[torch.optim.Optimizer]] = {
    SGD: torch.optim.SGD,
    Adam: torch.optim.Adam,
    AdamW: torch.optim.AdamW,
    Adagrad: torch.optim.Adagrad,
    RMSprop: torch.optim.RMSprop,
    Adadelta: torch.optim.Adadelta,
}

Pairs = list[tuple[Tensor, torch.nn.Parameter]]
"""Each of our parameters, and PyTorch's for it."""


def torch_optimizer(ours: Optimizer, pairs: Pairs) -> torch.optim.Optimizer:
    """PyTorch's form of `ours`, with its state; InputError for a rule that PyTorch has not."""
    if type(ours) not in RULES:
        names = ", ".join(rule.__name__ for rule in RULES)
        raise InputError(f"PyTorch has no {type(ours).__name__}; the torch engine trains with {names}.")
    theirs = dict(pairs)
    groups = [{"params": [theirs[p] for p in group["params"]]} for group in ours.param_groups]
    rule: Any = RULES[type(ours)]
    made = rule(groups)
    copy_options(ours, made)
    for parameter, state in ours.state.items():
        made.state[theirs[parameter]] = {name: _theirs(value, theirs[parameter]) for name, value in state.items()}
    return made


def copy_options(ours: Optimizer, theirs: torch.optim.Optimizer) -> None:
    """Give PyTorch's groups the rates and all other options that ours have now."""
    for group, other in zip(ours.param_groups, theirs.param_groups, strict=True):
        other.update({name: value for name, value in group.items() if name != "params" and name in theirs.defaults})


def take_state(ours: Optimizer, theirs: torch.optim.Optimizer, pairs: Pairs) -> None:
    """Give `ours` the state that PyTorch's optimizer has, as our checkpoints hold it."""
    ours.state = {
        parameter: {name: _ours(name, value, parameter) for name, value in theirs.state[other].items()}
        for parameter, other in pairs
        if other in theirs.state
    }


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor that lies in parts on several processes, put together on the CPU; all of them must ask for it."""
    tensor = tensor.detach()
    return (tensor.full_tensor() if isinstance(tensor, DTensor) else tensor).cpu()


def _theirs(value: Any, parameter: torch.nn.Parameter) -> torch.Tensor:
    if not isinstance(value, np.ndarray):  # the number of steps, which PyTorch keeps as a float
        return torch.tensor(float(value))
    tensor = torch.from_numpy(value.copy("K")).to(parameter.device)
    if isinstance(parameter, DTensor):
        return distribute_tensor(tensor, parameter.device_mesh, parameter.placements)
    return tensor


def _ours(name: str, value: torch.Tensor, parameter: Tensor) -> Any:
    return int(value.item()) if name == "step" else laid_out_like(whole(value).numpy(), parameter.array)
