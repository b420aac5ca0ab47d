"""Every command on every screen: 40 columns, a terminal that cannot redraw (as for a screen reader), and a pipe."""

import io
import os
import re
import subprocess
import sys
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from handmade.cli.app import COMMANDS
from handmade.recipes import recipe_of
from handmade.tasks import changed
from handmade.train import Trainer, new_run
from handmade.train.display import PlainDisplay
from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging.audit import Audit, audit
from tests.support.terminal import in_a_terminal

COLUMNS = 40

TYPED = {
    "plan": [["plan"], ["plan", "--all"], ["plan", "done", "cs231n-5"], ["plan", "undo", "cs231n-5"], ["plan", "no"]],
    "review": [["review", "--item", "lenet5"], ["review", "--numbers"]],
    "cards": [["cards"], ["cards", "softmax"]],
    "explain": [["explain", "softmax"], ["explain", "resnet20"], ["explain", "attention-scale"], ["explain", "no"]],
    "vault": [["vault", "notes", "--dry-run"], ["vault", "notes", "--yes"], ["vault", "nowhere"]],
    "train": [["train", "lenet5", "--data", "folder:PHOTOS", "--set", "batch_size=8", "--steps", "1"], ["train", "no"]],
    "sweep": [["sweep", "lenet5"], ["sweep", "lenet5", "--over", "lr=1,2"], ["sweep", "no"]],
    "eval": [["eval", "RUN"], ["eval", "nowhere"]],
    "predict": [["predict", "RUN", "PHOTOS/test/dark/0.png"], ["predict", "lenet5", "PHOTOS/test/dark/0.png"]],
    "sample": [["sample", "runs/char-gru-1", "--length", "9", "--seed", "0"], ["sample", "nowhere"]],
    "similar": [["similar", "a cat in words that are many", "text.txt"]],
    "translate": [["translate", "runs/seq2seq-attention-1", "abz"], ["translate", "RUN", "ab"]],
    "export": [["export", "RUN", "--to", "safetensors"], ["export", "nowhere", "--to", "onnx"], ["export", "RUN"]],
    "picture": [["picture", "RUN", "--image", "PHOTOS/test/dark/0.png", "--what", "filters"], ["picture", "RUN"]],
    "models": [["models"], ["models", "lenet5"], ["models", "no"]],
    "data": [["data"], ["data", "mnist"], ["data", "no"]],
    "start": [["start"], ["start", "--notebooks"]],
    "check": [["check", "softmax"], ["check"], ["check", "--isolation"], ["check", "no"], ["check", "--seed", "x"]],
    "try": [["try", "softmax"], ["try", "softmax", "--case", "no"]],
    "watch": [["watch"]],
    "hint": [["hint"]],
    "solution": [["solution", "softmax"], ["solution", "softmax", "--give-up"]],
    "reset": [["reset", "softmax"]],
    "progress": [["progress"], ["progress", "--all"], ["progress", "attention"]],
    "interview": [["interview", "--seed", "1"], ["interview", "--report"]],
    "drill": [["drill", "--seed", "2"]],
    "audit": [["audit", "noam"]],
    "grade": [["grade", "nowhere"], ["grade", "PHOTOS", "--setup", "github"], ["grade"]],
    "look": [["look", "nowhere"]],
}
"""What a person types, for each command; its --help is added."""

KEYS = {
    "review": "\n3\nx\ns\nq\n",
    "start": "tomorrow\n\n",
    "interview": "x\n\nq\n",
    "vault": "y\n",
}
"""The keys pressed after it."""

AS_IT_IS = {"solution", "sample"}
"""Commands whose output is code to copy, or a model's own text: their lines are printed as they are."""

WRONG = """import numpy as np


def softmax(x, axis=-1):
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)  # this line is longer than forty columns
"""
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
BOXES = re.compile("[\u2500-\u259f\u2800-\u28ff]")  # boxes, blocks, and the dots of spinners


class Screen(io.StringIO):
    """A terminal that keeps what was shown."""

    def isatty(self) -> bool:
        return True


class Keyboard(io.TextIOWrapper):
    """Keys that were pressed at a terminal, which goes to a new line when Enter is."""

    def isatty(self) -> bool:
        return True

    def readline(self, *_) -> str:
        print()
        return super().readline()


@pytest.fixture(scope="module")
def place(tmp_path_factory, picture_folder):
    """A workspace with a mistake in it, and runs."""
    folder = tmp_path_factory.mktemp("place")
    before = os.getcwd()
    os.chdir(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDMADE_STUDY", str(tmp_path_factory.mktemp("study")))
        from handmade.workshop.workspace import start

        start(folder)
    for file in folder.glob("*/*.py"):
        if file.stem not in ("softmax", "linear", "bleu"):
            file.unlink()  # of some it is said that they are missing; three are enough to be judged
    (folder / "notes" / ".obsidian").mkdir(parents=True)
    (folder / "text.txt").write_text("the cat sat on the mat.\n" * 30)
    words = [a + b + c for a in "abc" for b in "abc" for c in "abc"]
    (folder / "words").write_text("\n".join(words))
    runs = {
        "lenet5": [f"data=folder:{picture_folder}", "batch_size=8"],
        "char-gru": ["data=text:text.txt", "hidden_size=8", "num_layers=1", "batch_size=2", "sequence_length=10"],
        "seq2seq-attention": ["data=parallel:words,words", "tokens=characters", "hidden_size=8", "batch_size=9"],
    }
    for model, settings in runs.items():
        recipe = changed(recipe_of(model), [*settings, "steps=1"])
        task = recipe.task()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(task), "evaluate", lambda self: {"loss": 0.0})
            patch.setattr(type(task), "draw", lambda self, folder: [])
            Trainer(task, new_run(recipe, task.facts, folder / "runs" / f"{model}-1"), PlainDisplay(task)).train()
    yield folder
    os.chdir(before)


@cache
def _audit_of(exercise: str) -> Audit:
    return audit(exercise_named(exercise))


@pytest.fixture
def shown(handmade, place, picture_folder, monkeypatch):
    """What a command shows: on a terminal of 40 columns of this kind, or in a pipe (None)."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    monkeypatch.setenv("LINES", "1000")  # nothing in a pager
    monkeypatch.setattr("watchfiles.watch", lambda *_, **__: iter(()))
    pressed = SimpleNamespace(
        environ=os.environ, read=lambda *read: (key := os.read(*read), key == b"\n" and print())[0]
    )
    monkeypatch.setattr("handmade.cli.handing_in.os", pressed)
    monkeypatch.setattr("handmade.workshop.judging.audit.audit", lambda exercise: _audit_of(exercise.name))
    monkeypatch.setattr("handmade.draw.style.Picture.save", lambda self, path: None)
    nearest = SimpleNamespace(nearest=lambda text, lines, count: [(0.5, line) for line in lines[:count]])
    monkeypatch.setattr("handmade.weights.sentence_encoder", lambda weights: nearest)
    (place / "basics" / "softmax.py").write_text(WRONG)

    def run(command: list[str], terminal: str | None) -> str:
        names = {"RUN": "runs/lenet5-1", "PHOTOS": str(picture_folder)}
        command = [re.sub("RUN|PHOTOS", lambda name: names[name[0]], word) for word in command]
        reader, writer = os.pipe()
        os.write(writer, KEYS.get(command[0], "").encode())
        os.close(writer)
        screen = Screen()
        with monkeypatch.context() as patch, Keyboard(io.FileIO(reader)) as keyboard:
            pressed = keyboard if terminal and command[0] != "watch" else io.StringIO()
            patch.setattr(sys, "stdin", pressed if command[0] not in ("interview", "watch") or terminal else keyboard)
            patch.setattr(keyboard.__class__, "isatty", lambda self: terminal is not None)
            patch.setenv("TERM", terminal or "xterm")
            if terminal:
                patch.setattr(sys, "stdout", screen)
                patch.setattr(sys, "stderr", screen)
            ran = handmade(*command)
        said = screen.getvalue() if terminal else ran.out + ran.err
        assert ran.code in (0, 1, 2, 130), said
        assert "Traceback" not in said
        assert "Warning" not in said
        return said

    return run


def plain(screen: str) -> str:
    """Without colours; of a line that was written over, the last."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen)
    return "\n".join(line.split("\r")[-1].rstrip() for line in text.split("\n"))


def words(text: str) -> set[str]:
    """Words of letters only, in the singular; names and numbers of files that are new each time are none."""
    return {word.rstrip("s") for word in re.findall(r"(?<![\w./-])[A-Za-z]{4,}(?![\w/-]|\.\w)", text)}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_on_every_screen(shown, command):
    assert command in TYPED, f"say in TYPED how `handmade {command}` is called"
    for typed in [*TYPED[command], [command, "--help"]]:
        piped = shown(typed, None)
        narrow = plain(shown(typed, "xterm"))
        dumb = shown(typed, "dumb")

        assert not CONTROL.search(piped), f"in a pipe: {piped!r}"
        assert not CONTROL.search(dumb), f"redrawn or coloured: {dumb!r}"
        assert not BOXES.search(piped + dumb), dumb
        if command in AS_IT_IS and typed[-1] != "--help":
            continue
        for screen in (narrow, dumb):  # a path or an address alone in its line cannot be broken
            wide = [line for line in screen.split("\n") if len(line) > COLUMNS and " " in line.strip()]
            assert not wide, f"{typed}:\n" + "\n".join(wide)
        broken = words(narrow) - words(" ".join(piped.split()) + " " + " ".join(dumb.split()))
        assert not broken, f"{typed} breaks words: {broken}"


@pytest.mark.slow
def test_no_colour_is_asked_for(shown, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown(["check", "softmax"], "xterm"))
    monkeypatch.delenv("NO_COLOR")
    assert re.search(r"\x1b\[[0-9;]*3[0-7]m", shown(["check", "softmax"], "xterm"))


PAGER = """#!/bin/sh
cat > read
printf "(q leaves) " > /dev/tty
read key < /dev/tty
"""


@pytest.mark.slow
@pytest.mark.parametrize("keys", ["q\n", "\x03"])
def test_what_is_longer_than_the_screen_goes_through_the_pager(tmp_path, keys):
    pager = tmp_path / "pager"
    pager.write_text(PAGER)
    pager.chmod(0o755)
    settings = {"PAGER": str(pager), "LINES": "24", "HANDMADE_STUDY": str(tmp_path)}
    screen = in_a_terminal(["cards"], tmp_path, [keys], 80, (0,), **settings)
    assert "Traceback" not in screen
    assert screen.split("(q leaves)")[0].strip() == ""  # all of it went there
    assert len((tmp_path / "read").read_text().splitlines()) > 24


def test_without_a_pager_a_dumb_terminal_or_a_low_list_everything_is_printed(monkeypatch):
    from handmade.cli.screen import page

    long = "\n".join(map(str, range(30)))
    for lines, terminal, pager, text in [
        ("24", "xterm", "no-such-program", long),
        ("24", "xterm", "", long),
        ("24", "xterm", 'less "', long),
        ("24", "dumb", "false", long),
        ("24", "xterm", "false", "short"),
    ]:
        for name, value in {"LINES": lines, "TERM": terminal, "PAGER": pager}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdin", Screen())
        monkeypatch.setattr(sys, "stdout", Screen())
        page(text)
        assert sys.stdout.getvalue() == f"{text}\n"


def test_a_removed_folder_is_one_sentence(handmade, tmp_path, monkeypatch):
    folder = tmp_path / "removed"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    ran = handmade("check")
    assert (ran.code, ran.err) == (2, "handmade: the current folder does not exist any more: go to another.\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
@pytest.mark.parametrize("command", ["models", "--help"])
def test_a_full_disk_is_one_sentence(command):
    with open("/dev/full", "w") as full:
        run = [sys.executable, "-m", "handmade", command]
        ran = subprocess.run(run, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (
        2,
        "handmade: the output cannot be written: No space left on device.\n",
    )


def test_the_rule_for_words_finds_a_broken_one():
    assert words("a bro-\nken word, unbro\nken") - words("a broken word, unbroken") == {"unbro"}
    assert np.all([CONTROL.search(sign) for sign in ("\r", "\x1b[K")])
