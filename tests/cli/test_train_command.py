"""handmade train, eval and predict: from the first step to the answer about a picture."""

import json
import re
import signal

import pytest

from handmade.cli.train import usage
from handmade.recipes import RECIPES, recipe_of
from handmade.train import Trainer

FILES = {"config.json", "metrics.jsonl", "checkpoint", "model.safetensors"}
PICTURES = {"curves.png", "confusion.png", "misclassified.png"}


@pytest.fixture
def options(picture_folder) -> list[str]:
    """Twelve steps on the dark and light pictures."""
    return ["--data", f"folder:{picture_folder}", "--set", "batch_size=8", "--set", "epochs=2", "--seed", "5"]


@pytest.fixture
def stopped(handmade, options, tmp_path, monkeypatch):
    """What a run says in whose third step Ctrl-C was pressed."""
    step = Trainer._step

    def pressed(self, batch) -> None:
        step(self, batch)
        if self.progress.step == 3:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", pressed)
        return handmade("train", "lenet5", *options, "--out", tmp_path / "stopped")


@pytest.mark.slow
def test_a_model_is_trained_tested_and_asked(handmade, options, tmp_path, monkeypatch, picture_folder):
    monkeypatch.chdir(tmp_path)
    ran = handmade("train", "lenet5", *options, "--set", "learning_rate=0.003")
    assert ran.code == 0
    captions = {picture.replace(".png", ".txt") for picture in PICTURES}
    assert {path.name for path in (tmp_path / "runs/lenet5-1").iterdir()} == FILES | PICTURES | captions
    assert "  handmade eval runs/lenet5-1\n  handmade predict runs/lenet5-1 IMAGE\n" in ran.out
    assert [line[:9] for line in ran.err.splitlines() if "  test: " in line] == ["epoch 1/2", "epoch 2/2"]
    recipe = json.loads((tmp_path / "runs/lenet5-1/config.json").read_text())["recipe"]
    assert (recipe["epochs"], recipe["batch_size"], recipe["seed"], recipe["learning_rate"]) == (2, 8, 5, 0.003)

    last = json.loads((tmp_path / "runs/lenet5-1/metrics.jsonl").read_text().splitlines()[-1])
    tested = handmade("eval", "runs/lenet5-1")
    assert tested.code == 0
    assert f"loss {last['test_loss']:.3f}, accuracy {100 * last['test_accuracy']:.1f} %" in tested.out

    pictures = [picture_folder / "test/dark/0.png", picture_folder / "test/light/1.png"]
    asked = handmade("predict", "runs/lenet5-1", *pictures)
    assert asked.code == 0
    assert [line.split(": ")[1].split(" ")[0] for line in asked.out.splitlines()] == ["dark", "light"]


def test_ctrl_c_saves_and_says_how_to_go_on(stopped, tmp_path):
    assert stopped.code == 130
    assert f"To resume:\n  handmade train --resume {tmp_path / 'stopped'}\n" in stopped.out
    assert {path.name for path in (tmp_path / "stopped").iterdir()} == FILES


@pytest.mark.slow
def test_a_resumed_run_ends_with_the_bits_of_one_that_was_not_stopped(handmade, stopped, options, tmp_path):
    assert handmade("train", "lenet5", "--resume", tmp_path / "stopped").code == 0
    assert handmade("train", "lenet5", *options, "--out", tmp_path / "whole").code == 0
    weights = [(tmp_path / run / "model.safetensors").read_bytes() for run in ("stopped", "whole")]
    assert weights[0] == weights[1]


def test_a_run_that_was_stopped_can_be_tested(handmade, stopped, tmp_path):
    assert "accuracy" in handmade("eval", tmp_path / "stopped").out


def test_a_loss_that_is_none_ends_with_one_sentence(handmade, options, tmp_path):
    ran = handmade("train", "lenet5", *options, "--set", "learning_rate=1e38", "--out", tmp_path / "run")
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith("handmade: training diverged: the loss is nan at step 2: the first layer whose output is")
    assert (tmp_path / "run/metrics.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train"], "name the network to train"),
        (["train", "lnet5"], "did you mean 'lenet5'?"),
        (["train", "lenet5", "--data", "fashion-mnits"], "did you mean 'fashion-mnist'?"),
        (["train", "lenet5", "--data", "names"], "names holds no images"),
        (["train", "lenet5", "--set", "epoch=3"], "did you mean 'epochs'?"),
        (["train", "lenet5", "--epochs", "0"], "epochs is 0"),
        (["train", "lenet5", "--epochs", "1", "--steps", "3"], "--epochs and --steps both set the length of training"),
        (["train", "--resume", "nowhere"], "nowhere holds no run"),
        (["train", "--resume", "nowhere", "--seed", "3"], "beside it only --steps or --epochs go"),
        (["train", "--resume", "nowhere", "--steps", "0"], "at least 1"),
        (["train", "lenet5", "--set", "lr=0.1"], "the recipe has no 'lr'; did you mean 'learning_rate'?"),
        (["train", "lenet5", "--set", "LR=0.1"], "did you mean 'learning_rate'?"),
        (["eval", "nowhere"], "nowhere holds no run"),
        (["predict", "lnet5", "picture.png"], "did you mean 'lenet5'?"),
    ],
)
def test_what_makes_no_sense_ends_with_one_sentence(handmade, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    ran = handmade(*arguments)
    assert ran.code == 2
    assert ran.err.startswith("handmade: ")
    assert message in ran.err
    assert not list(tmp_path.iterdir()), "nothing is made before all is known to be right"


@pytest.mark.parametrize("option", ["--epochs", "--steps", "--seed"])
def test_an_option_that_is_no_number_is_refused(handmade, option):
    ran = handmade("train", "lenet5", option, "many")
    assert ran.code == 2
    assert f"Invalid value for '{option}'" in ran.err


@pytest.mark.slow
def test_errors_about_a_run_name_it(handmade, stopped, options, tmp_path, picture_folder):
    run = tmp_path / "stopped"
    assert "holds a run already" in handmade("train", "lenet5", *options, "--out", run).err
    assert "holds a run of lenet5, not of char-lstm" in handmade("train", "char-lstm", "--resume", run).err
    assert "cannot read nothing.png" in handmade("predict", run, "nothing.png").err
    assert "is not an image" in handmade("predict", run, run / "config.json").err
    tested = handmade("eval", run, "--data", "fashion-mnist")
    assert "the model tells dark, light apart, but the classes of fashion-mnist are T-shirt/top" in tested.err
    (run / "checkpoint").write_bytes((run / "checkpoint").read_bytes()[:-9])
    assert "checkpoint is damaged" in handmade("train", "--resume", run).err
    (run / "model.safetensors").write_bytes(b"half")
    assert "model.safetensors" in handmade("eval", run).err


@pytest.mark.slow
def test_a_stage_of_gpt_is_compared_with_the_others(handmade, tmp_path):
    (tmp_path / "text.txt").write_text("the cat sat on the mat.\n" * 20)
    ran = handmade(
        "train", "gpt", "--stage", "2", "--data", f"text:{tmp_path / 'text.txt'}", "--steps", "2",
        "--set", "n_embd=8", "--out", tmp_path / "run",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "stage              nats    gain" in ran.out
    assert "2  one head" in ran.out
    assert "this run: " in ran.out
    ran = handmade("train", "lenet5", "--stage", "2")
    assert ran.code == 2
    assert "--stage is only for gpt, for example: handmade train gpt --stage 3" in ran.err
    ran = handmade("train", "gpt", "--stage", "9")
    assert ran.code == 2
    assert "stage is 9, expected 1 to 7" in ran.err


@pytest.mark.slow
def test_a_former_name_is_told_the_new_one(handmade):
    ran = handmade("train", "alexnet", "--data", "nothing")
    assert ran.err.splitlines()[0] == "alexnet for small images is called alexnet-cifar now."
    assert "handmade train alexnet-cifar" in handmade("models", "alexnet").out


def test_help_sends_to_a_list_of_all_that_can_be_trained(handmade):
    assert "'handmade models' marks what can be trained" in " ".join(handmade("train", "--help").out.split())
    listed = {row["name"] for row in json.loads(handmade("models", "--json").out) if "train" in row["use"]}
    assert listed == set(RECIPES)


@pytest.mark.slow
def test_after_training_the_command_that_uses_the_model_is_said():
    assert re.fullmatch(r"handmade translate r '[^']+'", usage(recipe_of("seq2seq").task(), "r"))
    text = {"lines": False, "characters": ["a", "b"]}
    assert usage(recipe_of("gpt-cpu").task(text), "r") == "handmade sample r"
    assert usage(recipe_of("bert").task({"merges": []}), "r") == "handmade predict r 'To be, or n[MASK]t to be'"
    assert usage(recipe_of("spoken-digits").task({"classes": ["1"]}), "r") == "handmade predict r CLIP.wav"
