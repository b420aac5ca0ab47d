"""The processes that train one model together, as torchrun starts them: which one this is, and what they say to each
other.
"""

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

T = TypeVar("T")

PATIENCE = timedelta(hours=2)
"""How long a process waits for another: the first one tests and draws alone. One that died is noticed by torchrun."""


class Processes:
    """One process by itself, or one of many under torchrun, which sets RANK, LOCAL_RANK and WORLD_SIZE.

    rank: the number of this process, from 0; the first writes, tests and displays. count: how many there are.
    """

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank, self.count = rank, count

    @classmethod
    def joined(cls, device: str) -> "Processes":
        """This process, after it has met the others. What is small goes through the CPU, gradients from GPU to GPU."""
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo", timeout=PATIENCE)
        return cls(dist.get_rank(), dist.get_world_size())

    @property
    def first(self) -> bool:
        return self.rank == 0

    def sums(self, numbers: Sequence[float]) -> list[float]:
        """Each number summed over all processes."""
        if self.count == 1:
            return list(numbers)
        summed = torch.tensor(numbers, dtype=torch.float64)
        dist.all_reduce(summed)
        return summed.tolist()

    def agreed(self, wish: bool) -> bool:
        """Whether any process wishes it."""
        return self.sums([wish])[0] > 0

    def shared(self, value: T) -> T:
        """The value that the first process has."""
        if self.count == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box)
        return box[0]

    def gathered(self, share: T) -> list[T]:
        """What each process has, in the order of their ranks."""
        if self.count == 1:
            return [share]
        shares: list[Any] = [None] * self.count
        dist.all_gather_object(shares, share)
        return shares

    def leave(self) -> None:
        if self.count > 1:
            dist.destroy_process_group()


def lost_another(error: RuntimeError) -> bool:
    """Whether the error says that another process is gone, as Gloo and NCCL put it."""
    return isinstance(error, dist.DistError) or "/gloo/" in str(error)


def under_torchrun() -> bool:
    return "TORCHELASTIC_RUN_ID" in os.environ


def local_device(device: str) -> str:
    """The GPU of this process among those of its machine."""
    return f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" and under_torchrun() else device


def restarts() -> int:
    """How often torchrun has started the processes anew."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))
