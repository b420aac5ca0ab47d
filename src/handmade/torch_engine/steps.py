"""The steps of a training under PyTorch, alone or in many processes; the loop is handmade's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.interop.torch import to_torch
from handmade.tasks.task import Outcome, Task
from handmade.torch_engine.objectives import Objective, objective_of
from handmade.torch_engine.optimizers import Pairs, copy_options, take_state, torch_optimizer, whole
from handmade.torch_engine.processes import Processes
from handmade.train.display import Display
from handmade.train.engine import Engine
from handmade.train.loop import Trainer
from handmade.train.metrics import Line
from handmade.train.run import Run

T = TypeVar("T")

WHOLE = 1_000_000_000
"""Parameters up to which every process holds them all (DDP); of a larger model each holds its part (FSDP2).

AdamW in float32 takes 16 bytes a parameter, with gradient and two moments: 16 GB of a GPU.
"""


class TorchEngine(Engine):
    """PyTorch computes loss, gradients, clipping and the optimizer's step; data, schedule and test are the task's.

    Several processes share each batch. The gradients are of the mean loss over all of its rows, so that they train as
    one does; only batch norm takes its statistics of a process's own rows, as DDP does.

    device: as PyTorch names it. precision: of setting.PRECISIONS.
    """

    def __init__(self, task: Task, device: str, precision: str = "fp32", processes: Processes | None = None) -> None:
        super().__init__(task)
        self.device = torch.device(device)
        self.processes = processes or Processes()
        self.autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=precision == "bf16")
        self.make = objective_of(task.recipe)

    def begin(self) -> None:
        rows, count = self.task.recipe.batch_size, self.processes.count
        if rows < count:
            raise InputError(f"{count} processes cannot share batches of {rows}: take fewer, or a larger batch_size.")
        ours = self.task.model
        try:
            self.module = to_torch(ours).to(self.device).train()
        except NotImplementedError as error:
            raise InputError(f"the torch engine cannot train {self.task.recipe.model}: {error}") from error
        self.objective = self.make(self.task, self.module)
        self.run = self._together(self.objective)
        theirs = dict(self.module.named_parameters(remove_duplicate=False))
        self.pairs: Pairs = [(parameter, theirs[name]) for name, parameter in ours.named_parameters()]
        self.optimizer = torch_optimizer(self.task.optimizer, self.pairs)
        self.collected = True

    def _together(self, objective: Objective) -> torch.nn.Module:
        """The objective, whose gradients are the mean over all processes."""
        if self.processes.count == 1:
            return objective
        if sum(parameter.numel() for parameter in objective.parameters()) <= WHOLE:
            return DistributedDataParallel(objective)
        for part in objective.modules():
            if isinstance(part, torch.nn.ModuleList):
                for block in part:
                    fully_shard(block)
        fully_shard(objective)
        return objective

    def loss(self, batch: Any) -> Outcome:
        processes = self.processes
        self._seed()
        share = self.objective.share(batch, processes.rank, processes.count)
        own = len(share[0]) > 0
        if not own:  # a batch of fewer rows than processes: one is computed for company, and counts nothing
            share = self.objective.share(batch, 0, processes.count)
        with self.autocast:
            loss, count, totals = self.run(*(part.to(self.device, non_blocking=True) for part in share))
        numbers = [loss.item() * count, count, *(total.item() for total in totals.values())]
        summed, all_count, *sums = processes.sums(numbers if own else [0.0] * len(numbers))
        self.last = loss * (count * own * processes.count / all_count)  # the mean of it over processes is over rows
        mean = Tensor(np.array(summed / all_count))
        return Outcome(mean, int(all_count), dict(zip(totals, sums, strict=True)))

    def learn(self, outcome: Outcome) -> float:
        task = self.task
        rate = task.schedule.get_last_lr()[0]
        self.optimizer.zero_grad()
        self.last.backward()
        if task.recipe.max_norm is not None:
            torch.nn.utils.clip_grad_norm_([theirs for _, theirs in self.pairs], task.recipe.max_norm)
        copy_options(task.optimizer, self.optimizer)
        self.optimizer.step()
        task.schedule.step()
        self.collected = False
        return rate

    def collect(self) -> None:
        if self.collected:
            return
        state = {name: whole(tensor).numpy() for name, tensor in self.module.state_dict().items()}
        self.task.model.load_state_dict(state)
        take_state(self.task.optimizer, self.optimizer, self.pairs)
        self.objective.collect(self.processes.gathered)
        self.collected = True

    def agreed(self, wish: bool) -> bool:
        return self.processes.agreed(wish)

    def shared(self, value: T) -> T:
        return self.processes.shared(value)

    def _seed(self) -> None:
        """What dropout draws is decided by the seed, the step and the process: a resumed run draws the same."""
        drawn_by = self.task.recipe.seed, self.task.schedule.last_epoch, self.processes.rank
        torch.manual_seed(int(np.random.SeedSequence(drawn_by).generate_state(1, np.uint64)[0]))


class Follower(Trainer):
    """The loop of a process that is not the first: it trains along, and neither writes, tests nor displays."""

    def __init__(self, task: Task, run: Run, engine: Engine) -> None:
        super().__init__(task, run, Silent(), engine)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        yield

    def _report_step(self, loss: float, outcome: Outcome, learning_rate: float) -> None:
        pass

    def _end_epoch(self) -> None:
        self.engine.collect()
        self.progress.start_epoch()

    def _save(self, with_model: bool) -> None:
        self.engine.collect()

    def _finish(self) -> None:
        pass


class Silent(Display):
    """Shows nothing."""

    def __exit__(self, *exception: object) -> None:
        pass

    def say(self, text: str) -> None:
        pass

    def step(self, step: int, means: dict[str, float], per_second: float) -> None:
        pass

    def epoch(self, line: Line) -> None:
        pass
