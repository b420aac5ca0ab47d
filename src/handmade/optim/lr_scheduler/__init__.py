"""Learning-rate schedules, under PyTorch's names."""

from handmade.optim.lr_scheduler.base import LRScheduler as LRScheduler
from handmade.optim.lr_scheduler.combined import ChainedScheduler as ChainedScheduler
from handmade.optim.lr_scheduler.combined import ReduceLROnPlateau as ReduceLROnPlateau
from handmade.optim.lr_scheduler.combined import SequentialLR as SequentialLR
from handmade.optim.lr_scheduler.formulas import ConstantLR as ConstantLR
from handmade.optim.lr_scheduler.formulas import CosineAnnealingLR as CosineAnnealingLR
from handmade.optim.lr_scheduler.formulas import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from handmade.optim.lr_scheduler.formulas import ExponentialLR as ExponentialLR
from handmade.optim.lr_scheduler.formulas import LambdaLR as LambdaLR
from handmade.optim.lr_scheduler.formulas import LinearLR as LinearLR
from handmade.optim.lr_scheduler.formulas import MultiplicativeLR as MultiplicativeLR
from handmade.optim.lr_scheduler.formulas import MultiStepLR as MultiStepLR
from handmade.optim.lr_scheduler.formulas import OneCycleLR as OneCycleLR
from handmade.optim.lr_scheduler.formulas import PolynomialLR as PolynomialLR
from handmade.optim.lr_scheduler.formulas import StepLR as StepLR
