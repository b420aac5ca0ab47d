"""handmade translate: texts as arguments or lines, searched with a beam, drawn; or why not."""

import io
import sys
from itertools import product

import pytest

from handmade.recipes import recipe_of
from handmade.tasks import changed
from handmade.train import Trainer, new_run
from handmade.train.display import PlainDisplay

pytestmark = pytest.mark.slow  # all need the model that the first one makes

SETTINGS = [
    "tokens=characters", "hidden_size=32", "embedding_dim=16", "batch_size=150", "learning_rate=0.03", "steps=100",
]  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """parallel:SOURCE,TARGET of words and the same in capitals."""
    folder = tmp_path_factory.mktemp("words")
    words = ["".join(letters) for length in (2, 3, 4, 5) for letters in product("abc", repeat=length)][::2]
    (folder / "low").write_text("\n".join(words))
    (folder / "high").write_text("\n".join(words).upper())
    return f"parallel:{folder / 'low'},{folder / 'high'}"


@pytest.fixture(scope="module")
def run(files, tmp_path_factory):
    """The folder of a run that has learned to write capitals."""
    recipe = changed(recipe_of("seq2seq-attention"), [*SETTINGS, f"data={files}"])
    task = recipe.task()
    run = new_run(recipe, task.facts, tmp_path_factory.mktemp("runs") / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(task), "evaluate", lambda self: {"loss": 0.0})
        patch.setattr(type(task), "draw", lambda self, folder: [])
        Trainer(task, run, PlainDisplay(task)).train()
    return run.folder


def test_training_says_how_to_go_on(handmade, files, tmp_path):
    changes = [part for setting in SETTINGS[:3] for part in ("--set", setting)]
    ran = handmade("train", "seq2seq", "--data", files, "--steps", 2, *changes, "--out", tmp_path / "run")
    assert ran.code == 0, ran.err
    assert f"handmade eval {tmp_path / 'run'}\n  handmade translate {tmp_path / 'run'} baa\n" in ran.out
    assert "curves.png, exact.png" in ran.out
    ran = handmade("translate", tmp_path / "run", "ab", "--picture", tmp_path / "a.png")
    assert ran.code == 2
    assert "--picture: seq2seq has no attention to draw" in ran.err


def test_texts_as_arguments(handmade, run):
    ran = handmade("translate", run, "abcab", "baba")
    assert (ran.code, ran.out, ran.err) == (0, "ABCAB\nBABA\n", "")
    assert handmade("translate", run, "abcab", "--beam", "1", "--alpha", "0").out == "ABCAB\n"


def test_lines_of_stdin(handmade, run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("abcab\r\nbaba\n"))
    ran = handmade("translate", run)
    assert (ran.code, ran.out) == (0, "ABCAB\nBABA\n")


def test_a_picture(handmade, run, tmp_path):
    ran = handmade("translate", run, "abcab", "--picture", tmp_path / "a.png")
    assert (ran.code, ran.out) == (0, "ABCAB\n")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_characters_it_has_never_seen(handmade, run):
    ran = handmade("translate", run, "aωbé")
    assert ran.code == 0
    assert ran.err == "handmade: 'é', 'ω' did not occur in the training data; the model reads them as unknown.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ab", ""], "text 2 is empty: there is nothing to translate"),
        (["ab", "--beam", "0"], "beam: got 0, expected 1 (greedy) or more"),
        (["ab", "--alpha", "-1"], "alpha: got -1.0, expected 0"),
        (["ab", "ba", "--picture", "a.png"], "--picture draws one text; got 2 as arguments"),
        (["--picture", "a.png"], "--picture draws one text; got 0 as arguments"),
        (["ab", "--picture", "nowhere/a.png"], "cannot write nowhere/a.png: No such file or directory"),
    ],
)
def test_what_cannot_be_used(handmade, run, arguments, message):
    ran = handmade("translate", run, *arguments)
    assert ran.code == 2
    assert message in ran.err


def test_weights_of_another_vocabulary(handmade, run, tmp_path):
    other = tmp_path / "run"
    other.mkdir()
    for path in run.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    config = (other / "config.json").read_text()
    (other / "config.json").write_text(config.replace('"A",', '"A", "X",'))
    ran = handmade("translate", other, "ab")
    assert ran.code == 2
    assert "source_vectors.weight" in ran.err


def test_a_model_that_does_not_translate(handmade, tmp_path):
    (tmp_path / "text").write_text("the cat sat on the mat. " * 30)
    settings = ["--set", "hidden_size=8", "--set", "batch_size=4", "--steps", "1"]
    assert (
        handmade("train", "char-rnn", "--data", f"text:{tmp_path / 'text'}", *settings, "--out", tmp_path / "r").code
        == 0
    )
    ran = handmade("translate", tmp_path / "r", "ab")
    assert ran.code == 2
    assert "holds a run of char-rnn, which does not translate" in ran.err
