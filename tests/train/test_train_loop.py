"""The loop: it learns, it can be stopped anywhere, and it does not go on with numbers that are none."""

import errno
import itertools
import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest

import handmade
from handmade import nn, optim, random
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.train import checkpoint, loop
from handmade.train.checkpoint import load_checkpoint, save_checkpoint
from tests.support.clocks import with_clocks
from tests.support.tiny_task import RECIPE, trainer_in


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch):
    monkeypatch.setattr(loop, "draw_curves", lambda path, lines, title: None)


def learned(folder) -> dict[str, np.ndarray]:
    """The arrays of the model and the optimizer at the end of a run, and the model's file as bytes."""
    state = load_checkpoint(folder / "checkpoint")
    moments = {f"{n}.{key}": value for n, kept in state["optimizer"]["state"].items() for key, value in kept.items()}
    return {**state["model"], **moments, "file": np.frombuffer((folder / "model.safetensors").read_bytes(), np.uint8)}


def assert_same_bits(folder, other) -> None:
    a, b = learned(folder), learned(other)
    assert a.keys() == b.keys()
    for name in a:
        assert np.asarray(a[name]).tobytes() == np.asarray(b[name]).tobytes(), name


def metrics(folder) -> list[dict]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if "second" not in key} for line in lines]


def stop_at(trainer, step: int) -> None:
    """Press Ctrl-C in the middle of a step."""
    loss = trainer.task.loss

    def pressed(batch):
        if trainer.progress.step + 1 == step:
            signal.raise_signal(signal.SIGINT)
        return loss(batch)

    trainer.task.loss = pressed


@pytest.fixture
def whole(tmp_path):
    """The folder of a run that nothing interrupted."""
    folder = tmp_path / "whole"
    folder.mkdir()
    assert trainer_in(folder).train()
    return folder


def test_it_learns_and_says_how_well(whole):
    lines = metrics(whole)
    assert [line["step"] for line in lines] == [10, 12, 20, 24, 30, 36]
    assert lines[1].keys() == {"step", "epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy"}
    assert lines[0].keys() == {"step", "epoch", "loss", "accuracy", "learning_rate"}
    assert lines[-1]["test_loss"] < 0.6 < lines[1]["train_loss"]
    assert lines[-1]["test_accuracy"] > 0.9


def test_the_epochs_means_are_over_all_its_examples(tmp_path):
    trainer = trainer_in(tmp_path, replace(RECIPE, epochs=1))
    seen, loss = [], trainer.task.loss

    def remembered(batch):
        seen.append(loss(batch))
        return seen[-1]

    trainer.task.loss = remembered
    trainer.train()
    line = metrics(tmp_path)[-1]
    np.testing.assert_allclose(line["train_loss"], np.mean([outcome.loss.item() for outcome in seen]), rtol=1e-12)
    np.testing.assert_allclose(line["train_accuracy"], sum(outcome.totals["accuracy"] for outcome in seen) / 96)


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 5, 12, 13, 30, 35])
def test_stopped_and_resumed_ends_with_the_same_bits(tmp_path, whole, step):
    first = trainer_in(tmp_path)
    stop_at(first, step)
    assert not first.train()
    assert load_checkpoint(tmp_path / "checkpoint")["progress"]["step"] == step
    handmade.manual_seed(99)  # whatever happened in between
    handmade.rand(10)
    assert trainer_in(tmp_path).train()
    assert_same_bits(tmp_path, whole)
    assert metrics(tmp_path) == metrics(whole)


@pytest.mark.slow
def test_stopped_at_every_step_ends_with_the_same_bits(tmp_path, whole):
    for step in range(1, 36):
        trainer = trainer_in(tmp_path)
        stop_at(trainer, step)
        assert not trainer.train()
    assert trainer_in(tmp_path).train()
    assert_same_bits(tmp_path, whole)
    assert metrics(tmp_path) == metrics(whole)


def test_ctrl_c_in_the_last_step_finishes(tmp_path):
    trainer = trainer_in(tmp_path)
    stop_at(trainer, 36)
    assert trainer.train()


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    outside = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    trainer = trainer_in(tmp_path)

    def twice(batch):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    trainer.task.loss = twice
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert signal.getsignal(signal.SIGINT) == before
    signal.signal(signal.SIGINT, outside)


def test_a_finished_run_stays_as_it_is(whole):
    before, lines = learned(whole), metrics(whole)
    assert trainer_in(whole).train()
    assert all(np.array_equal(before[name], value) for name, value in learned(whole).items())
    assert metrics(whole) == lines


def test_steps_end_a_run_within_an_epoch(tmp_path):
    trainer_in(tmp_path, replace(RECIPE, steps=14)).train()
    lines = metrics(tmp_path)
    assert [line["step"] for line in lines] == [10, 12, 14]
    assert lines[-1]["epoch"] == 14 / 12
    assert "test_loss" in lines[-1]


@pytest.mark.slow
def test_the_seed_decides_what_is_learned(tmp_path, whole):
    trainer_in(tmp_path, replace(RECIPE, seed=1)).train()
    assert not np.array_equal(learned(tmp_path)["first.weight"], learned(whole)["first.weight"])


# --- what goes wrong --------------------------------------------------------------------------------------------------


class Broken(nn.Module):
    """From its eighth call on, makes one value NaN."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, input: Tensor) -> Tensor:
        self.calls += 1
        return input * np.nan if self.calls >= 8 else input


def test_a_loss_that_is_nan_names_the_first_layer_and_keeps_the_checkpoint(tmp_path):
    trainer = trainer_in(tmp_path, replace(RECIPE, checkpoint_seconds=0.0))
    trainer.task.model.tanh = Broken()
    with pytest.raises(InputError) as caught:
        trainer.train()
    assert "the loss is nan at step 8: the first layer whose output is not finite is tanh (Broken)" in str(caught.value)
    assert f"{tmp_path} keeps the checkpoint of step 7" in str(caught.value)
    state = load_checkpoint(tmp_path / "checkpoint")
    assert state["progress"]["step"] == 7
    assert checkpoint.first_nonfinite(state) is None


class Unlucky(nn.Module):
    """Makes everything infinite, but rarely: when what it draws is small."""

    def forward(self, input: Tensor) -> Tensor:
        return input / 0 if random.generator().random() < 0.1 else input


def test_a_layer_that_fails_by_chance_is_found_by_drawing_the_same_again(tmp_path):
    trainer = trainer_in(tmp_path)
    trainer.task.model.drop = Unlucky()
    with pytest.raises(InputError, match=r"the first layer whose output is not finite is drop \(Unlucky\)"):
        trainer.train()


def test_weights_that_an_update_made_infinite_are_not_saved(tmp_path):
    trainer = trainer_in(tmp_path, replace(RECIPE, checkpoint_seconds=0.0))
    step = trainer.task.optimizer.step

    def too_far() -> None:
        step()
        if trainer.progress.step == 4:
            trainer.task.model.second.weight.array[1, 2] = np.inf

    trainer.task.optimizer.step = too_far
    with pytest.raises(InputError, match=r"model/second.weight is no longer finite after step 5.* step 4\."):
        trainer.train()
    assert load_checkpoint(tmp_path / "checkpoint")["progress"]["step"] == 4


def test_a_learning_rate_far_too_high_is_reported_without_warnings(tmp_path):
    trainer = trainer_in(tmp_path, replace(RECIPE, learning_rate=1e38))
    with pytest.raises(InputError, match=r"training diverged: .* has no checkpoint yet"):
        trainer.train()


@pytest.mark.slow
def test_a_full_disk_keeps_the_last_checkpoint_and_the_run_can_go_on(tmp_path, whole, monkeypatch):
    folder = tmp_path / "full"
    folder.mkdir()
    trainer = trainer_in(folder, replace(RECIPE, checkpoint_seconds=0.0))
    save = loop.save_checkpoint

    def until_full(path, tree):
        if tree["progress"]["step"] == 17:
            monkeypatch.setattr("os.fsync", full)
        save(path, tree)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(loop, "save_checkpoint", until_full)
        with pytest.raises(InputError, match=r"cannot write .*checkpoint: No space left on device"):
            trainer.train()
    monkeypatch.undo()
    monkeypatch.setattr(loop, "draw_curves", lambda path, lines, title: None)
    assert load_checkpoint(folder / "checkpoint")["progress"]["step"] == 16
    assert trainer_in(folder).train()
    assert_same_bits(folder, whole)


def test_a_checkpoint_of_another_model_lists_what_differs(whole):
    with pytest.raises(InputError) as caught:
        trainer_in(whole, replace(RECIPE, hidden=8))
    assert "checkpoint is not of this run's tiny" in str(caught.value)
    assert "first.weight: given (16, 2), expected (8, 2)" in str(caught.value)


def test_a_damaged_checkpoint_is_not_gone_on_with(whole):
    path = whole / "checkpoint"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="damaged"):
        trainer_in(whole)


def test_what_a_killed_run_left_is_removed(tmp_path):
    (tmp_path / ".checkpoint.123.part").write_bytes(b"half")
    trainer_in(tmp_path).train()
    assert not list(tmp_path.glob(".*"))


def test_a_line_an_epoch_is_printed(tmp_path, capsys):
    trainer_in(tmp_path).train()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("epoch 1/3  train: loss ")
    assert " %  test: loss " in lines[1]


class Killed(BaseException):
    """The end of the process, where nothing may clean up."""


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_each_file_that_is_written_ends_with_the_same_bits(tmp_path, whole, monkeypatch, after):
    replace_file = os.replace
    for number in itertools.count():
        folder, written = tmp_path / f"killed{number}", itertools.count()
        folder.mkdir()

        def dies(source, target, number=number, written=written):
            if next(written) != number:
                return replace_file(source, target)
            if after:
                replace_file(source, target)
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr("os.replace", dies)
            try:
                trainer_in(folder).train()
                break  # it wrote fewer files than `number`
            except Killed:
                pass
        assert trainer_in(folder).train()
        assert_same_bits(folder, whole)
        assert metrics(folder) == metrics(whole)
    assert number == 7  # metrics once, model and checkpoint for each of three epochs


def test_a_run_that_another_process_trains_is_left_alone(tmp_path, whole):
    """Of two trainers of one folder the second is refused before it writes anything, and the first is not disturbed."""
    folder = tmp_path / "run"
    folder.mkdir()
    first, second = trainer_in(folder), trainer_in(folder)
    learn = first.task.learn

    def meanwhile(outcome):
        if first.progress.step == 20:
            before = {path: path.read_bytes() for path in folder.iterdir()}
            with pytest.raises(InputError, match=f"^{folder} is in use: another process trains it"):
                second.train()
            assert {path: path.read_bytes() for path in folder.iterdir()} == before
        return learn(outcome)

    first.task.learn = meanwhile
    assert first.train()
    assert_same_bits(folder, whole)
    assert trainer_in(folder).train(), "the folder is free again"


def test_damaged_metrics_do_not_keep_a_run_from_going_on(tmp_path, whole, capsys):
    trainer = trainer_in(tmp_path)
    stop_at(trainer, 20)
    assert not trainer.train()
    trainer.run.metrics.write_bytes(b"5\n\xff\n" + trainer.run.metrics.read_bytes())
    assert trainer_in(tmp_path).train()
    assert_same_bits(tmp_path, whole)
    assert metrics(tmp_path) == metrics(whole)
    assert "metrics.jsonl, line 1, is 5" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "value"),
    [("model", 5), ("optimizer", None), ("schedule", []), ("random", "x"), ("random", {}), ("progress", {"step": 5})]
    + [("progress", {"step": step, "seconds": 0.0, "count": 0, "totals": {}}) for step in (-1, "x", None, 1.5, True)],
)
def test_a_checkpoint_of_another_form_is_refused(tmp_path, place, value):
    trainer = trainer_in(tmp_path)
    stop_at(trainer, 8)
    trainer.train()
    tree = load_checkpoint(trainer.run.checkpoint)
    save_checkpoint(trainer.run.checkpoint, {**tree, place: value})
    with pytest.raises(InputError, match="checkpoint is not of this run's tiny: "):
        trainer_in(tmp_path)


def test_what_the_optimizer_keeps_is_laid_out_as_its_weights_again():
    """Convolutions keep weights in an order of their own; another order runs another kernel, which rounds otherwise."""
    conv = nn.Conv2d(6, 16, 5)
    for rule in (optim.Adam(conv.parameters()), optim.SGD(conv.parameters(), 0.1, 0.9)):
        conv(handmade.randn(2, 6, 9, 9)).sum().backward()
        rule.step()
        tree = rule.state_dict()
        tree["state"] = {
            n: {k: np.ascontiguousarray(v) if isinstance(v, np.ndarray) and v.ndim else v for k, v in kept.items()}
            for n, kept in tree["state"].items()
        }
        rule.load_state_dict(tree)
        for weight, kept in rule.state.items():
            arrays = [value for value in kept.values() if isinstance(value, np.ndarray)]
            assert arrays
            assert all(array.strides == weight.array.strides for array in arrays)


def test_a_run_that_is_held_makes_no_step_saves_where_it_is_and_ends_with_the_same_bits(tmp_path, whole):
    (tmp_path / "held").mkdir()
    trainer, held = trainer_in(tmp_path / "held"), []

    def hold():
        if trainer.progress.step == 5 and not held:
            trainer.save()
            held.append(load_checkpoint(tmp_path / "held" / "checkpoint")["progress"]["step"])
            signal.raise_signal(signal.SIGINT)

    trainer.display.hold = hold
    assert not trainer.train()
    assert held == [5]
    assert trainer.progress.step == 5  # asked to stop before the step, it does not make it
    assert trainer_in(tmp_path / "held").train()
    assert_same_bits(tmp_path / "held", whole)


def test_while_it_is_held_no_time_of_training_passes(tmp_path, monkeypatch):
    clock = itertools.count()
    now = [0.0]
    monkeypatch.setattr(loop, "time", with_clocks(monotonic=lambda: now[0] + 1e-6 * next(clock)))
    trainer = trainer_in(tmp_path)

    def hold():
        now[0] += 100

    trainer.display.hold = hold
    trainer.train()
    assert trainer.progress.seconds < 1
