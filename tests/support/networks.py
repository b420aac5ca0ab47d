"""What the tests do with every network."""

from types import ModuleType

from handmade import nn, no_grad


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def filled(model: nn.Module, fill: ModuleType) -> nn.Module:
    """`model` with the weights that belong to its names."""
    with no_grad():
        for name, tensor in model.state_dict().items():
            tensor.copy_(fill.fill(name, tensor.shape))
    return model
