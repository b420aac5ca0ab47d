"""handmade sample: a trained language model writes, piece by piece, or says why not."""

import sys

import pytest

from handmade.recipes import recipe_of
from handmade.tasks import LanguageModelling, Writer, changed
from handmade.train import Trainer, new_run
from handmade.train.display import PlainDisplay

pytestmark = pytest.mark.slow  # all need the model that the first one makes

SETTINGS = ["hidden_size=16", "num_layers=1", "batch_size=4", "sequence_length=30", "learning_rate=0.03", "steps=40"]


@pytest.fixture(scope="module")
def text_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "cats.txt"
    path.write_text("the cat sat on the mat.\n" * 40)
    return path


@pytest.fixture(scope="module")
def run(text_file, tmp_path_factory):
    """The folder of a run on the text."""
    recipe = changed(recipe_of("char-lstm"), [*SETTINGS, f"data=text:{text_file}"])
    task = recipe.task()
    run = new_run(recipe, task.facts, tmp_path_factory.mktemp("runs") / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LanguageModelling, "draw", lambda self, folder: [])
        Trainer(task, run, PlainDisplay(task)).train()
    return run.folder


def test_training_says_how_to_go_on(handmade, text_file, tmp_path):
    changes = [part for setting in [*SETTINGS, "steps=2"] for part in ("--set", setting)]
    ran = handmade("train", "char-lstm", "--data", f"text:{text_file}", *changes, "--out", tmp_path / "run")
    assert ran.code == 0, ran.err
    assert f"handmade eval {tmp_path / 'run'}\n  handmade sample {tmp_path / 'run'}\n" in ran.out
    assert (tmp_path / "run" / "surprise.png").exists()
    assert handmade("sample", tmp_path / "run", "--length", "5").code == 0


def test_it_writes_what_was_asked_for(handmade, run):
    ran = handmade("sample", run, "--prompt", "the c", "--length", "30", "--seed", "3")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("the c")
    assert len(ran.out) - ran.out.endswith("\n") in (34, 35)
    assert handmade("sample", run, "--prompt", "the c", "--max-tokens", "30", "--seed", "3").out == ran.out
    assert handmade("sample", run, "--prompt", "the c", "--length", "30", "--seed", "4").out != ran.out
    options = "--top-k", "3", "--top-p", "0.9", "--temperature", "0.5"
    assert handmade("sample", run, *options, "--length", "20").code == 0
    greedy = [handmade("sample", run, "--temperature", "0", "--length", "48").out for _ in range(2)]
    assert greedy[0] == greedy[1]
    assert handmade("eval", run).out.startswith("char-lstm on the test set of text:")


def test_several_texts_and_stop_strings(handmade, run):
    ran = handmade("sample", run, "--prompt", "the", "--length", "12", "--samples", "3", "--seed", "1")
    assert (ran.code, ran.err) == (0, "")
    texts = ran.out.removesuffix("\n").split("\n---\n")
    assert [text[:3] for text in texts] == ["the"] * 3
    assert [len(text) for text in texts] == [15] * 3
    ran = handmade("sample", run, "--prompt", "the", "--length", "90", "--stop", ".", "--stop", "\n", "--seed", "1")
    assert ran.code == 0
    assert ran.out.count("\n") == 1
    assert "." not in ran.out
    assert handmade("sample", run, "--repetition-penalty", "1.5", "--length", "9").code == 0


@pytest.fixture(scope="module")
def gpt_run(text_file, tmp_path_factory):
    """A run of a GPT that sees 16 characters, hardly trained."""
    recipe = changed(
        recipe_of("gpt"), ["n_layer=1", "n_embd=16", "sequence_length=16", "steps=2", f"data=text:{text_file}"]
    )
    task = recipe.task()
    run = new_run(recipe, task.facts, tmp_path_factory.mktemp("runs") / "gpt")
    run.save_model(task.model)
    return run.folder


def test_a_prompt_longer_than_the_block_says_what_is_done(handmade, gpt_run):
    ran = handmade("sample", gpt_run, "--prompt", "the cat sat on the mat", "--length", "30")
    assert ran.code == 0
    assert ran.out.startswith("the cat sat on the mat")
    assert "The prompt has 22 tokens, and the model sees at most 16 at once" in ran.err
    assert "a window that moves on by 8," in ran.err
    assert handmade("sample", gpt_run, "--prompt", "the cat", "--length", "30").err == ""


def test_published_gpt2_needs_its_files(handmade, run, tmp_path):
    ran = handmade("sample", "gpt2")
    assert ran.code == 2
    assert "gpt2 writes with published weights: download model.safetensors, vocab.json and merges.txt" in ran.err
    ran = handmade("sample", "gpt2", "--weights", tmp_path)
    assert ran.code == 2
    assert "holds no weights" in ran.err
    ran = handmade("sample", run, "--weights", tmp_path)
    assert ran.code == 2
    assert "is a run and has weights of its own" in ran.err


@pytest.mark.parametrize(("terminal", "escape"), [(True, r"\x1b"), (False, "\x1b")])
def test_each_character_is_shown_as_it_comes(handmade, run, monkeypatch, terminal, escape):
    """A terminal is not shown what would control it."""
    shown = []

    class Screen:
        encoding = "utf-8"

        def isatty(self):
            return terminal

        def write(self, text):
            shown.append(text)

        def flush(self):
            shown.append("flush")

    def stream(self, prompt, length, seed, **choice):
        for character in "abc\x1b":
            yield character
            assert shown[-1] == "flush"
            assert (escape if character == "\x1b" else character) in shown[-4:]

    monkeypatch.setattr(Writer, "stream", stream)
    monkeypatch.setattr(sys, "stdout", Screen())
    handmade("sample", run)
    assert "".join(shown).replace("flush", "") == f"abc{escape}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--temperature", "-1"], "temperature: got -1.0, expected 0"),
        (["--top-p", "0"], "top_p: got 0.0, expected above 0 and at most 1"),
        (["--top-p", "1.01"], "top_p: got 1.01, expected above 0 and at most 1"),
        (["--top-k", "0"], "top_k: got 0, expected 1 or more"),
        (["--length", "0"], "length is 0, expected at least 1 character"),
        (["--samples", "0"], "samples is 0, expected at least 1"),
        (["--stop", ""], "stop: got an empty string"),
        (["--repetition-penalty", "0"], "repetition_penalty: got 0.0, expected above 0"),
        (["--seed", "-1"], "--seed is -1, expected 0 or more"),
        (["--prompt", "thé"], "character 'é' (U+00E9 LATIN SMALL LETTER E WITH ACUTE) at position 2"),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_written(handmade, run, options, message):
    ran = handmade("sample", run, *options)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_text_that_does_not_fit_the_model(handmade, run, tmp_path):
    (tmp_path / "other.txt").write_text("Über den Wolken. " * 30)
    ran = handmade("eval", run, "--data", f"text:{tmp_path / 'other.txt'}")
    assert ran.code == 2
    assert "does not fit this model's vocabulary" in ran.err


def test_no_run_no_text(handmade, tmp_path):
    ran = handmade("sample", tmp_path / "absent")
    assert ran.code == 2
    assert "holds no run" in ran.err


def test_a_classifier_does_not_write(handmade, picture_folder, tmp_path):
    trained = handmade(
        "train", "lenet5", "--data", f"folder:{picture_folder}", "--steps", "1", "--set", "batch_size=8",
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert trained.code == 0
    ran = handmade("sample", tmp_path / "run")
    assert ran.code == 2
    assert "holds a run of lenet5, which does not write text" in ran.err
