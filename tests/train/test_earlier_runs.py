"""Runs that an earlier version left behind: they open, resume to the same result, and their models are used.

tests/fixtures/runs/README.md says how they were made.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import handmade
from handmade.data.speech import read_spoken_digits
from handmade.train import Trainer, open_run
from handmade.train.display import PlainDisplay
from handmade.train.metrics import read_metrics
from handmade.weights import read
from tests.support.clips import tone, tones_archive

RUNS = Path(__file__).parents[1] / "fixtures" / "runs"
KINDS = ("images", "language", "lines", "gpt", "masked", "translation", "transformer", "speech", "trigger")

ANOTHER_CPU = {"rel": 1e-3, "abs": 1e-5}
"""Results are those of then to 3e-5, most of them the same bits. Another CPU's matrix products add up in another order,
which six steps of float32 at a high learning rate grow to about 1e-4 of a value."""

IDLE = (".key.bias", ".in_proj_bias", "convolution.bias")
IDLE_BIASES = {"rel": 1e-3, "abs": 5e-4}
"""Two kinds of biases change nothing that a model computes: those of attention's keys, the middle third of in_proj_bias
(they add the same to all scores of a query, which softmax does not see), and one before a BatchNorm, which subtracts it
again. Their gradient is 0 but for rounding, and Adam makes a full step of any gradient. So kernels that add up in
another order, as the compiled ones do, move each by up to 3e-3, and their norms by up to 4.4e-4."""


@pytest.fixture(autouse=True)
def tones(monkeypatch):
    """The runs of speech were made on tones."""
    train, test = read_spoken_digits(tones_archive(), "tones.tar.xz").hold_out("theo")
    load, parts = handmade.data.load, {"train": train, "test": test}
    monkeypatch.setattr(
        handmade.data, "load", lambda name, split: parts[split] if name == "spoken-digits" else load(name, split)
    )
    monkeypatch.chdir(RUNS)  # for the text and the pairs


def use(kind, folder):
    used = handmade.open(folder)
    if kind == "images":
        return used.probabilities(list(handmade.data.load("fashion-mnist", "test").images[:2]))
    if kind in ("language", "gpt"):
        return used.write("To be", 40, 5, temperature=0.8)
    if kind == "lines":
        return used.write("em", 40, 5)
    if kind == "masked":
        (guesses,) = used.fill("To be, or n[MASK]t to be", 3)
        return guesses
    if kind in ("translation", "transformer"):
        return used.translate(["3 May 2007"], beam=2)
    return used.probabilities(tone(4, 1.0))


def test_there_is_a_run_of_each_kind():
    assert {path.name for path in RUNS.iterdir() if path.is_dir()} == set(KINDS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_it_resumes_to_the_same_result_and_is_used(kind, tmp_path):
    shutil.copytree(RUNS / kind, tmp_path / kind)
    expected = json.loads((tmp_path / kind / "expected.json").read_text())
    run = open_run(tmp_path / kind)
    task = run.task()
    trainer = Trainer(task, run, PlainDisplay(task))
    assert trainer.progress.step == 3
    assert trainer.train()

    last = read_metrics(run.metrics)[-1]
    assert last["step"] == 6
    measures = {name: value for name, value in last.items() if name.startswith("test_")}
    assert measures == pytest.approx(expected["measures"], **ANOTHER_CPU)
    norms = {name: np.linalg.norm(array) for name, array in read(run.weights).items()}
    assert norms.keys() == expected["norms"].keys()
    for name, norm in norms.items():
        tolerance = IDLE_BIASES if name.endswith(IDLE) else ANOTHER_CPU
        assert norm == pytest.approx(expected["norms"][name], **tolerance), name
    assert sorted(path.name for path in run.folder.glob("*.png")) == expected["pictures"]
    assert task.sample() == expected["sample"]

    used, before = use(kind, run.folder), expected["use"]
    if kind == "masked":
        assert [token for token, _ in used] == [token for token, _ in before[0]]
        used, before = [share for _, share in used], [share for _, share in before[0]]
    if isinstance(used, str) or isinstance(used[0], str):
        assert used == before
    else:
        np.testing.assert_allclose(used, before, rtol=1e-3, atol=1e-5)  # as ANOTHER_CPU


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted({*KINDS} - {"images"}))
def test_a_stopped_run_is_used(kind):
    assert len(use(kind, RUNS / kind))
