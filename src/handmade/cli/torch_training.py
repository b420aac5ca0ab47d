"""handmade train --engine torch: in this process, in several that it starts, or in one that torchrun has started."""

import dataclasses
import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from handmade.cli.screen import say
from handmade.cli.train import keep_length, resumed, say_how_to_resume, say_resumed, say_what_next
from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.tasks import Recipe, Task
    from handmade.torch_engine import Processes, Setting
    from handmade.train import Run

Opened = tuple["Run", "Task"]
Open = Callable[[Callable[["Recipe"], "Recipe"]], Opened]
"""Gives the run that is resumed, or a new one of the recipe as the function that it gets changes it."""


def train_with_torch(
    open_run: Open, out: Path | None, resumes: bool, longer: bool, wanted: tuple[str | None, str | None, int | None]
) -> None:
    """Train as `handmade train` does, with PyTorch for the steps.

    out: the folder that was named for a new run. resumes, longer: whether a run is resumed, and to another length.
    wanted: --device, --precision and --nproc.
    """
    if find_spec("torch") is None:
        raise InputError("--engine torch needs PyTorch, which is not installed: pip install 'handmade[torch]'.")
    from handmade.torch_engine import STOPPED, TorchEngine, launch, setting_of, under_torchrun
    from handmade.train import Trainer, display_of

    setting = setting_of(*wanted)
    if under_torchrun():
        if out is None and not resumes:
            raise InputError(
                "under torchrun give the run's folder with --out: processes that are restarted look there."
            )
        _train_along(open_run, out, longer, setting)
        return
    run, task = open_run(partial(_for_processes, count=setting.processes))
    if resumes:
        say_resumed(run)
    trainer = Trainer(task, run, display_of(task), TorchEngine(task, setting.device, setting.precision))
    if longer:
        keep_length(trainer)
    if setting.processes > 1:
        code = launch(run.folder, setting)
    else:
        code = 0 if trainer.train() else STOPPED
    _say_how_it_ended(code, run, task, options_of(setting))
    raise typer.Exit(code)


def _train_along(open_run: Open, out: Path | None, longer: bool, setting: "Setting") -> None:
    """Train as one of the processes that torchrun has started, each with this command."""
    from handmade.torch_engine import Processes, end, has_ended, lost_another

    processes = Processes.joined(setting.device)
    try:
        code = _trained_along(open_run, out, longer, setting, processes)
    except InputError as error:
        if processes.first:
            say(f"handmade: {error}", error=True)
        code = 2
    except RuntimeError as error:
        if not lost_another(error):
            raise
        os._exit(0 if has_ended() else 1)  # at once: what is under way waits for a process that is gone
    processes.leave()
    raise typer.Exit(end(code, processes.first))


def _trained_along(open_run: Open, out: Path | None, longer: bool, setting: "Setting", processes: "Processes") -> int:
    """The exit code of the whole, after training."""
    from handmade.torch_engine import STOPPED, Follower, TorchEngine, launched, local_device, restarts
    from handmade.train import Trainer, display_of

    if restarts() and out is not None and (out / "config.json").exists():
        open_run, longer = (lambda _: resumed(out, None, None, None)), False
    run, task = _opened(partial(open_run, partial(_for_processes, count=processes.count)), processes)
    engine = TorchEngine(task, local_device(setting.device), setting.precision, processes)
    if not processes.first:
        return 0 if Follower(task, run, engine).train() else STOPPED
    trainer = Trainer(task, run, display_of(task), engine)
    if longer:
        keep_length(trainer)
    if restarts():
        say(f"A process died. All are started anew, and go on from step {trainer.progress.step:,}.", error=True)
    code = 0 if trainer.train() else STOPPED
    if not launched():
        _say_how_it_ended(code, run, task, options_of(setting))
    return code


def _opened(open_run: Callable[[], Opened], processes: "Processes") -> Opened:
    """The run, which the first process opens for all, and its task; what cannot be opened is everybody's error."""
    opened, error = None, None
    if processes.first:
        try:
            opened = open_run()
        except InputError as problem:
            error = problem
    run, error = processes.shared((opened and opened[0], error))
    if error is not None:
        raise error
    assert run is not None
    return opened or (run, run.task())


def _for_processes(recipe: "Recipe", count: int) -> "Recipe":
    """The recipe with its batch_size for each process."""
    from handmade.torch_engine import objective_of

    objective_of(recipe)  # known?
    if count > 1:
        say(f"{count} processes with a batch_size of {recipe.batch_size} each: {count * recipe.batch_size} in a step.")
    return dataclasses.replace(recipe, batch_size=count * recipe.batch_size)


def options_of(setting: "Setting") -> str:
    """As they are given to `handmade train`; those by default are left out."""
    device = f" --device {setting.device}" if setting.device != "cpu" else ""
    precision = f" --precision {setting.precision}" if setting.precision != "fp32" else ""
    processes = f" --nproc {setting.processes}" if setting.processes > 1 else ""
    return f" --engine torch{device}{precision}{processes}"


def _say_how_it_ended(code: int, run: "Run", task: "Task", options: str) -> None:
    from handmade.torch_engine import STOPPED

    if code == 0:
        say_what_next(run, task)
    elif code == STOPPED:
        say_how_to_resume(run, options)
