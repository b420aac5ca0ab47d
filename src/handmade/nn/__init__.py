"""Layers and what they are made of, under PyTorch's names, arguments and defaults."""

from handmade.nn.containers import ModuleDict, ModuleList, Sequential
from handmade.nn.linear import Flatten, Identity
from handmade.nn.module import Module, Parameter

__all__ = [
    "Flatten",
    "Identity",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
    "Sequential",
]
