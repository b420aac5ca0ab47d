"""Training under PyTorch: the same recipe, data order, run folder and checkpoints; on a GPU, and in many processes."""

from handmade.torch_engine.launching import STOPPED as STOPPED
from handmade.torch_engine.launching import end as end
from handmade.torch_engine.launching import has_ended as has_ended
from handmade.torch_engine.launching import launch as launch
from handmade.torch_engine.launching import launched as launched
from handmade.torch_engine.objectives import known_recipes as known_recipes
from handmade.torch_engine.objectives import objective_of as objective_of
from handmade.torch_engine.processes import Processes as Processes
from handmade.torch_engine.processes import local_device as local_device
from handmade.torch_engine.processes import lost_another as lost_another
from handmade.torch_engine.processes import restarts as restarts
from handmade.torch_engine.processes import under_torchrun as under_torchrun
from handmade.torch_engine.setting import Setting as Setting
from handmade.torch_engine.setting import setting_of as setting_of
from handmade.torch_engine.steps import Follower as Follower
from handmade.torch_engine.steps import TorchEngine as TorchEngine
