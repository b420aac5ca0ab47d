"""Kill -9 at random moments: what was killed and resumed ends with the same bits as what was not."""

import json
import multiprocessing
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.tiny_task import RECIPE, trainer_in

MOMENTS = 20
OFTEN = replace(RECIPE, checkpoint_seconds=0.0)  # 36 steps, a checkpoint after each

forkserver = multiprocessing.get_context("forkserver")  # forks processes that have everything imported already
forkserver.set_forkserver_preload(["pytest", "handmade.train", "handmade.weights"])


def train(folder: Path, started: Any) -> None:
    """Train in `folder` from whatever is there; runs in a process of its own."""
    from handmade.train import loop

    loop.draw_curves = lambda path, lines, title: None
    trainer = trainer_in(folder, OFTEN)
    started.set()
    trainer.train()


def trained(folder: Path, kill_after: float | None = None) -> tuple[float, int | None]:
    """Train for `kill_after` seconds, or to the end: the seconds that training took, and the process's exit code."""
    folder.mkdir(exist_ok=True)
    started = forkserver.Event()
    process = forkserver.Process(target=train, args=(folder, started))
    process.start()
    started.wait()
    began = time.monotonic()
    process.join(timeout=kill_after)
    process.kill()
    process.join()
    return time.monotonic() - began, process.exitcode


def killed_half_way(folder: Path) -> None:
    """Train in `folder`, and kill that after some steps."""
    folder.mkdir()
    started = forkserver.Event()
    process = forkserver.Process(target=train, args=(folder, started))
    process.start()
    written, until = folder / "metrics.jsonl", time.monotonic() + 120
    while not (written.exists() and written.read_bytes().count(b"\n") >= 3) and time.monotonic() < until:
        time.sleep(0.001)
    process.kill()
    process.join()
    assert process.exitcode == -9, "it had ended already"


def metrics(folder: Path) -> list[dict]:
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [{key: value for key, value in line.items() if "second" not in key} for line in lines]


@pytest.mark.slow
def test_killed_at_random_moments_and_resumed_ends_with_the_same_bits(tmp_path):
    whole = tmp_path / "whole"
    duration, exitcode = trained(whole)
    assert exitcode == 0
    expected = (whole / "model.safetensors").read_bytes()
    exitcodes = []
    for number, moment in enumerate(np.random.default_rng().uniform(0, duration, MOMENTS)):
        folder = tmp_path / str(number)
        exitcodes.append(trained(folder, kill_after=moment)[1])
        assert trained(folder)[1] == 0
        assert (folder / "model.safetensors").read_bytes() == expected, moment
        assert metrics(folder) == metrics(whole), moment
        assert not list(folder.glob(".*")), moment
    assert exitcodes.count(-9) >= MOMENTS // 4, "too few were killed in the middle to say anything"


def train_slowly(folder: Path, inside: Any, go_on: Any) -> None:
    """Train, but wait in the first step until told to go on."""
    from handmade.train import loop

    loop.draw_curves = lambda path, lines, title: None
    trainer = trainer_in(folder, OFTEN)
    loss = trainer.task.loss

    def waiting(batch: Any) -> Any:
        inside.set()
        assert go_on.wait(120)
        return loss(batch)

    trainer.task.loss = waiting
    trainer.train()


def train_too(folder: Path, told: Any) -> None:
    """Try to resume, and tell what was said."""
    from handmade.errors import InputError

    try:
        trainer_in(folder, OFTEN).train()
        told.put("trained")
    except InputError as error:
        told.put(str(error))


@pytest.mark.slow
def test_two_processes_that_resume_one_folder(tmp_path):
    whole, folder = tmp_path / "whole", tmp_path / "run"
    trained(whole)
    killed_half_way(folder)
    inside, go_on, told = forkserver.Event(), forkserver.Event(), forkserver.Queue()
    first = forkserver.Process(target=train_slowly, args=(folder, inside, go_on))
    second = forkserver.Process(target=train_too, args=(folder, told))
    try:
        first.start()
        assert inside.wait(120)
        second.start()
        assert told.get(timeout=120).startswith(f"{folder} is in use: another process trains it")
        go_on.set()
        first.join(120)
        assert first.exitcode == 0
    finally:
        for process in (one for one in (first, second) if one.pid):
            process.kill()
            process.join()
    assert (folder / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert metrics(folder) == metrics(whole)
