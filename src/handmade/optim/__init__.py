"""Optimizers and learning-rate schedules, under PyTorch's names."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from handmade.absent import refusing as _refusing
from handmade.nn.utils import clip_grad_norm_ as clip_grad_norm_
from handmade.optim import lr_scheduler as lr_scheduler
from handmade.optim.adam import Adam as Adam
from handmade.optim.adam import AdamW as AdamW
from handmade.optim.adaptive import Adadelta as Adadelta
from handmade.optim.adaptive import Adagrad as Adagrad
from handmade.optim.adaptive import RMSprop as RMSprop
from handmade.optim.lr_scheduler import CosineAnnealingLR as CosineAnnealingLR
from handmade.optim.lr_scheduler import LambdaLR as LambdaLR
from handmade.optim.lr_scheduler import LinearLR as LinearLR
from handmade.optim.lr_scheduler import MultiStepLR as MultiStepLR
from handmade.optim.lr_scheduler import SequentialLR as SequentialLR
from handmade.optim.lr_scheduler import StepLR as StepLR
from handmade.optim.optimizer import Optimizer as Optimizer
from handmade.optim.sgd import SGD as SGD

if not _TYPE_CHECKING:
    __getattr__ = _refusing("torch.optim")
