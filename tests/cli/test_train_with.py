"""handmade train MODEL --with FILE."""

import pytest
from typer.testing import CliRunner

from handmade.cli.app import application
from handmade.workshop.side_by_side import Row, comparison
from handmade.workshop.variants import variants_of

SETTINGS = "--set n_layer=2 --set n_embd=16 --set n_head=2 --set batch_size=2"
SMALL = ("--data", "text:play.txt", *SETTINGS.split(), "--steps", "2")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "play.txt").write_text("To be, or not to be: that is the question.\n" * 60)
    return lambda *arguments: CliRunner().invoke(application(), [str(argument) for argument in arguments])


@pytest.mark.slow
def test_solution_that_passes_trains_the_model(run, tmp_path):
    path = tmp_path / "attention.py"
    path.write_text(next(iter(variants_of("causal_mask").values())))
    result = run("train", "gpt", *SMALL, "--with", path, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "Your causal_attention passes." in result.output
    assert "From here on gpt trains with yours, in 2 places." in result.output
    assert (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.slow
def test_wrong_solution_is_judged_and_nothing_is_trained(run, tmp_path):
    path = tmp_path / "attention.py"
    path.write_text(
        "import numpy as np\n\n\ndef causal_attention(Q, K, V):\n"
        "    weights = np.exp(Q @ K.swapaxes(-1, -2))\n"
        "    weights /= weights.sum(-1, keepdims=True)\n    return weights @ V, weights\n"
    )
    result = run("train", "gpt", *SMALL, "--with", path, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "not yet" in result.output
    assert not (tmp_path / "run").exists()


def test_comparison_shows_losses_times_and_the_ratio():
    text = comparison([Row(1, 4.0, 0.010, 4.0, 0.030), Row(2, 3.5, 0.010, 3.5, 0.020), Row(3, 3.0, 0.010, 3.0, 0.020)])
    assert "3.50000" in text
    assert text.endswith("takes 2.0 times as long.")
