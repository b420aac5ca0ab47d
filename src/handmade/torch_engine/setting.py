"""Where PyTorch computes, and how: device, precision, number of processes; checked before anything is begun."""

import os
from dataclasses import dataclass

import torch

from handmade.errors import InputError, suggestion

PRECISIONS = ("fp32", "bf16")
"""bf16: weights stay float32; what autocast takes for safe (products, convolutions) is computed in bfloat16."""


@dataclass(frozen=True)
class Setting:
    """device: 'cpu', 'cuda', or 'cuda:1'. processes: on this machine."""

    device: str = "cpu"
    precision: str = "fp32"
    processes: int = 1


def setting_of(device: str | None, precision: str | None, processes: int | None) -> Setting:
    """The setting that a person asked for; by default a GPU if there is one, fp32, and one process.

    Raises InputError where this machine has not what is asked for.
    """
    found = "cuda" if torch.cuda.is_available() else "cpu"
    chosen = Setting(device or found, precision or PRECISIONS[0], processes or 1)
    if chosen.precision not in PRECISIONS:
        near = suggestion(chosen.precision, PRECISIONS)
        raise InputError(f"precision is {chosen.precision!r}{near} Expected: {' or '.join(PRECISIONS)}.")
    _check_device(chosen.device)
    if processes is not None:
        _check_processes(processes, chosen.device)
    return chosen


def _check_device(device: str) -> None:
    kind, colon, number = device.partition(":")
    if kind not in ("cpu", "cuda") or (colon and not (kind == "cuda" and number.isdecimal())):
        raise InputError(f"device is {device!r}{suggestion(device, ('cpu', 'cuda'))} Expected: cpu, cuda or cuda:1.")
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not count:
            raise InputError(f"device is {device}, but PyTorch {torch.__version__} finds no GPU here: train on cpu.")
        if colon and int(number) >= count:
            raise InputError(f"device is {device}, but there are {count} GPUs here: cuda:0 to cuda:{count - 1}.")


def _check_processes(processes: int, device: str) -> None:
    if processes < 1:
        raise InputError(f"nproc is {processes}, expected at least 1.")
    if device.startswith("cuda:") and processes > 1:
        raise InputError(f"{processes} processes on {device}: each takes a GPU of its own; say cuda.")
    if device == "cuda" and processes > torch.cuda.device_count():
        raise InputError(f"{processes} processes, but {torch.cuda.device_count()} GPUs: each process takes one.")
    most = max(os.cpu_count() or 1, 2)
    if device == "cpu" and processes > most:
        raise InputError(f"{processes} processes on {os.cpu_count()} processors; give at most {most}.")
