"""Optimizers and learning-rate schedules, under PyTorch's names."""

from handmade.nn.utils import clip_grad_norm_
from handmade.optim import lr_scheduler
from handmade.optim.adam import Adam, AdamW
from handmade.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LinearLR, MultiStepLR, SequentialLR, StepLR
from handmade.optim.optimizer import Optimizer
from handmade.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "CosineAnnealingLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "Optimizer",
    "SequentialLR",
    "StepLR",
    "clip_grad_norm_",
    "lr_scheduler",
]
