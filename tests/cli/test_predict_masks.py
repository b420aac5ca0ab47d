"""handmade predict: a BERT fills in masks."""

import re

import pytest


@pytest.fixture
def run(handmade, tmp_path):
    """The folder of a small run."""
    (tmp_path / "text.txt").write_text("To be, or not to be: that is the question.\n" * 20)
    changes = ["merges=20", "num_layers=1", "num_heads=2", "hidden_size=8", "sequence_length=16"]
    options = ["--data", f"text:{tmp_path / 'text.txt'}", "--steps", 2, "--out", tmp_path / "run"]
    ran = handmade("train", "bert", *options, *(part for change in changes for part in ("--set", change)))
    assert ran.code == 0, ran.err
    assert "handmade predict" in ran.out
    return tmp_path / "run"


@pytest.mark.slow
def test_masks_are_filled_in(handmade, run):
    ran = handmade("predict", run, "To be, [MASK] not", "[MASK] be[MASK]")
    assert ran.code == 0, ran.err
    first, mask, second, *others = ran.out.split("\n")
    assert first.startswith("To be,")
    assert first.endswith(" not")
    assert re.fullmatch(r"  mask 1: (\S+ \d+\.\d %(, )?){5}", mask)
    assert " be" in second
    assert [line.partition(":")[0] for line in others] == ["  mask 1", "  mask 2", ""]
    assert handmade("eval", run).out.startswith("bert on the test set of text:")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("To be", "'To be' holds no [MASK]: put one where the model shall fill in."),
        ("", "'' holds no [MASK]"),
        ("[MASK]" + "ü" * 9, "the text has 19 tokens, and this model sees 14 at once: shorten it."),
    ],
)
def test_what_makes_no_sense_ends_with_one_sentence(handmade, run, text, message):
    ran = handmade("predict", run, text)
    assert ran.code == 2
    assert message in ran.err
