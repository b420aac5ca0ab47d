"""handmade train --engine torch: begun here and continued there, in several processes, killed, asked for too much."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from handmade.torch_engine.launching import ENDED, end, has_ended
from handmade.train import Trainer
from handmade.weights import read
from tests.support.torch_training import settings_of, write_data

TORCH = ("--engine", "torch", "--device", "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, picture_folder) -> Path:
    return write_data(tmp_path_factory.mktemp("small"), picture_folder)


@pytest.fixture
def _no_pictures(monkeypatch):
    monkeypatch.setattr(Trainer, "_finish", lambda trainer: None)


def options(model: str, folder: Path, *more: str) -> list[str]:
    return [part for setting in settings_of(model, folder, *more) for part in ("--set", setting)]


@pytest.fixture
def stopping(monkeypatch):
    """Ctrl-C is pressed in the fourth step."""
    step = Trainer._step

    def pressed(self, batch) -> None:
        step(self, batch)
        if self.progress.step == 4:
            signal.raise_signal(signal.SIGINT)

    def press(on: bool) -> None:
        monkeypatch.setattr(Trainer, "_step", pressed if on else step)

    return press


def weights(run: Path) -> dict[str, np.ndarray]:
    return read(run / "model.safetensors")


def losses(run: Path) -> list[float]:
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines if "loss" in line]


@pytest.mark.slow
@pytest.mark.usefixtures("_no_pictures")
@pytest.mark.parametrize("model", ["lenet5", "char-lstm"])
def test_begun_with_one_engine_and_continued_with_the_other(handmade, folder, tmp_path, stopping, model):
    """In float32; the state that an LSTM carries through its text included."""
    wanted = options(model, folder, "steps=9")
    assert handmade("train", model, *wanted, "--out", tmp_path / "whole").code == 0
    for first, second in ((), TORCH), (TORCH, ()):
        run = tmp_path / ("begun-with-torch" if first else "begun-with-handmade")
        stopping(True)
        begun = handmade("train", model, *wanted, "--out", run, *first)
        stopping(False)
        assert begun.code == 130
        assert f"handmade train --resume {run}{' --engine torch' if first else ''}\n" in begun.out
        assert handmade("train", "--resume", run, *second).code == 0
        for name, array in weights(tmp_path / "whole").items():
            np.testing.assert_allclose(weights(run)[name], array, rtol=0, atol=2e-4, err_msg=name)
        files = {path.name for path in run.iterdir()}
        assert files == {path.name for path in (tmp_path / "whole").iterdir()}


@pytest.mark.usefixtures("_no_pictures")
def test_stopped_and_resumed_under_pytorch_is_as_if_never_stopped(handmade, folder, tmp_path, stopping):
    """Dropout included."""
    wanted = [*options("gpt", folder, "steps=9", "dropout=0.3"), *TORCH]
    assert handmade("train", "gpt", *wanted, "--out", tmp_path / "whole").code == 0
    stopping(True)
    assert handmade("train", "gpt", *wanted, "--out", tmp_path / "run").code == 130
    stopping(False)
    assert handmade("train", "--resume", tmp_path / "run", *TORCH).code == 0
    assert (tmp_path / "run/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()


def test_a_loss_that_is_none_is_told_with_its_layer(handmade, folder, tmp_path):
    ran = handmade("train", "lenet5", *options("lenet5", folder, "learning_rate=1e37"), "--out", tmp_path / "r", *TORCH)
    assert ran.code == 2
    assert "training diverged: the loss is inf at step 2: the first layer whose output is not finite is c1" in ran.err


# --- several processes ------------------------------------------------------------------------------------------------


def workers_of(launcher: int) -> list[int]:
    """The processes that train, in the order of their ranks."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1]) if entry.name.isdigit() else 0
            if parent == launcher and b"--resume" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass  # it has ended meanwhile
    return sorted(found)


@pytest.mark.slow
@pytest.mark.usefixtures("_no_pictures")
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for the processes")
def test_a_process_of_two_is_killed_and_nothing_is_lost(handmade, folder, tmp_path):
    """All are started anew from the last checkpoint; the run is that of one process with twice the batch."""
    run, steps = tmp_path / "run", "steps=40"
    wanted = options("lenet5", folder, steps, "batch_size=4", "checkpoint_seconds=0")
    command = [sys.executable, "-m", "handmade", "train", "lenet5", *wanted, "--out", str(run), *TORCH, "--nproc", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=one_thread())
    until = time.monotonic() + 200
    while not (run / "checkpoint").exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    os.kill(workers_of(process.pid)[1], signal.SIGKILL)
    out, err = process.communicate(timeout=250)
    assert process.returncode == 0, err
    assert "2 processes with a batch_size of 4 each: 8 in a step." in out
    assert "A process died. All are started anew, and go on from step " in err
    assert "Traceback" not in err
    assert out.count("Done. ") == 1

    alone = options("lenet5", folder, steps, "batch_size=8")
    assert handmade("train", "lenet5", *alone, "--out", tmp_path / "alone", *TORCH).code == 0
    np.testing.assert_allclose(losses(run), losses(tmp_path / "alone"), rtol=0, atol=1e-4)
    assert len(losses(run)) == 4
    assert json.loads((run / "config.json").read_text())["recipe"]["batch_size"] == 8


def one_thread() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def test_torchrun_starts_nothing_anew_for_an_error_that_would_come_again(monkeypatch, tmp_path):
    assert end(2, first=True) == end(2, first=False) == 2  # under a torchrun of the user's own
    monkeypatch.setenv(ENDED, str(tmp_path / "code"))
    assert end(2, first=False) == 0
    assert not has_ended()
    assert end(2, first=True) == 0
    assert has_ended()
    assert (tmp_path / "code").read_text() == "2"


# --- what cannot be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--engine", "jax"], "--engine is 'jax', expected handmade or torch"),
        (["--device", "cpu"], "--device, --precision and --nproc are for PyTorch: give --engine torch, too"),
        (["--nproc", "2"], "give --engine torch, too"),
        (["--engine", "torch", "--device", "gpu"], "device is 'gpu'; did you mean 'cpu'? Expected: cpu, cuda or"),
        (["--engine", "torch", "--device", "cpu:1"], "device is 'cpu:1'; did you mean 'cpu'?"),
        (["--engine", "torch", "--precision", "bf61"], "precision is 'bf61'; did you mean 'bf16'? Expected: fp32 or"),
        ([*TORCH, "--nproc", "0"], "nproc is 0, expected at least 1"),
        ([*TORCH, "--nproc", "5000"], f"5000 processes on {os.cpu_count()} processors; give at most"),
        (["--engine", "torch", "--with", "mine.py"], "--with and --show are for handmade's own engine"),
        (["--engine", "torch", "--show"], "--with and --show are for handmade's own engine"),
        ([*TORCH, "--resume", "nowhere"], "nowhere holds no run"),
    ],
)
def test_what_cannot_be_ends_with_one_sentence(handmade, tmp_path, monkeypatch, given, message):
    monkeypatch.chdir(tmp_path)
    ran = handmade("train", "lenet5", *given)
    assert ran.code == 2
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_gpus_that_are_not_there(handmade, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    ran = handmade("train", "lenet5", "--engine", "torch", "--device", "cuda")
    assert "finds no GPU here: train on cpu" in ran.err
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for given, message in [
        (["--device", "cuda:2"], "there are 2 GPUs here: cuda:0 to cuda:1"),
        (["--device", "cuda", "--nproc", "3"], "3 processes, but 2 GPUs: each process takes one"),
        (["--device", "cuda:1", "--nproc", "2"], "2 processes on cuda:1: each takes a GPU of its own; say cuda"),
    ]:
        ran = handmade("train", "lenet5", "--engine", "torch", *given)
        assert (ran.code, message in ran.err) == (2, True), ran.err
    assert not list(tmp_path.iterdir())


def test_without_pytorch_the_line_that_installs_it(handmade, monkeypatch):
    monkeypatch.setattr("handmade.cli.torch_training.find_spec", lambda name: None)
    ran = handmade("train", "lenet5", "--engine", "torch")
    assert ran.code == 2
    assert "PyTorch, which is not installed: pip install 'handmade[torch]'" in ran.err


def test_a_checkpoint_of_another_recipe(handmade, folder, tmp_path, stopping):
    stopping(True)
    for name, hidden in ("small", 12), ("large", 16):
        wanted = options("char-lstm", folder, f"hidden_size={hidden}")
        assert handmade("train", "char-lstm", *wanted, "--out", tmp_path / name, *TORCH).code == 130
    (tmp_path / "small/checkpoint").write_bytes((tmp_path / "large/checkpoint").read_bytes())
    ran = handmade("train", "--resume", tmp_path / "small", *TORCH)
    assert ran.code == 2
    assert "small/checkpoint is not of this run's char-lstm: the state does not fit RecurrentLM" in ran.err


def test_under_torchrun_a_run_has_a_name(handmade, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    ran = handmade("train", "lenet5", *TORCH)
    assert "under torchrun give the run's folder with --out" in ran.err
