# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% lists
def weight_decay_groups(named_shapes):
    decay = [name for name, shape in named_shapes.items() if len(shape) >= 2]
    no_decay = [name for name, shape in named_shapes.items() if len(shape) < 2]
    return decay, no_decay


# %% sets
def weight_decay_groups(named_shapes):
    decay = {name for name in named_shapes if len(named_shapes[name]) > 1}
    return decay, named_shapes.keys() - decay


# %% filters
def weight_decay_groups(named_shapes):
    no_decay = dict(filter(lambda item: len(item[1]) < 2, named_shapes.items()))
    decay = dict(filter(lambda item: item[0] not in no_decay, named_shapes.items()))
    return [decay, no_decay.keys()]


# %% torch
import torch


def weight_decay_groups(named_shapes):
    decay, no_decay = [], []
    for name, shape in named_shapes.items():
        parameter = torch.empty(shape)
        (decay if parameter.dim() >= 2 else no_decay).append(name)
    return tuple(decay), tuple(no_decay)
