"""The child of a job, in this process: it puts the learner's function in once the judge passed it, and costs little."""

import io
import json
import queue
import sys

import pytest

from handmade.engine import no_grad
from handmade.errors import InputError
from handmade.train import open_run
from handmade.train.interventions import interventions
from handmade.web import trainer
from handmade.web.bench import Bench
from handmade.web.models import Models
from handmade.web.observatory import Observatory
from handmade.web.steering import begin
from handmade.workshop import transplant
from handmade.workshop.exercises import exercise_named
from handmade.workshop.workspace import Workspace
from tests.support.clocks import with_clocks
from tests.web.conftest import put_run

RIGHT = """import numpy as np
print("made")


def causal_attention(Q, K, V):
    print("called")
    scores = Q @ K.swapaxes(-1, -2) / np.sqrt(K.shape[-1])
    S_q, S_k = scores.shape[-2:]
    scores = np.where(np.tri(S_q, S_k, S_k - S_q, dtype=bool), scores, -np.inf)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    w = e / e.sum(-1, keepdims=True)
    return w @ V, w
"""
WRONG = RIGHT.replace(" / np.sqrt(K.shape[-1])", "")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    put_run(folder, steps=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # its text is found from there
        yield open_run(folder / "runs" / "gpt-1")


@pytest.mark.slow
def test_the_learners_function_trains_once_the_judge_passed_it(run, tmp_path, capfd, monkeypatch):
    file = tmp_path / "causal_mask.py"
    file.write_text("def causal_attention(Q, K, V):\n    raise NotImplementedError\n")
    task = run.task()
    with pytest.raises(InputError, match="not written yet"):
        trainer.transplanted(task, run, file)
    batch = next(iter(task.batches(0, 0)))
    with no_grad():
        before = task.loss(batch).loss.item()
    file.write_text(RIGHT)
    passing = lambda graft, file: transplant.function_in(
        file, exercise_named(graft.exercise)
    )  # the judge is tested below
    monkeypatch.setattr(transplant, "passing_function", passing)
    for method in ("_finish", "_end_epoch"):  # no pictures, no test
        monkeypatch.setattr(trainer.Trainer, method, lambda self: None)
    given = trainer.argparse.Namespace(run=run.folder, yours=file, fault=None, new=None, set=[], out=None)
    told = []
    monkeypatch.setattr(trainer, "FRAME", -1.0)  # every step is told
    trainer.train(given, queue.SimpleQueue(), lambda event, **data: told.append((event, data)))
    kinds = [event for event, _ in told]
    assert kinds[:2] == ["changed", "begun"]
    assert told[0][1]["exercise"] == "causal_mask"
    assert told[0][1]["places"] == 2
    assert interventions(run.folder) == [told[0][1]]
    losses = [loss for event, data in told if event == "steps" for loss in data["losses"]]
    assert losses[0] == pytest.approx(before, rel=1e-5)  # what it computes is what the reference computes
    assert len(losses) == 3
    assert told[-1] == ("ended", {"step": 3, "done": True})
    assert "called" in capfd.readouterr().out


@pytest.mark.slow
def test_a_page_may_train_with_a_file_that_passes_and_with_no_other(jobs, tmp_path):
    workspace = Workspace(tmp_path / "workshop")
    workspace.add_missing()
    bench = Bench(workspace)
    observatory = Observatory(Models(tmp_path), bench, jobs=jobs)
    question = json.dumps({"network": "gpt", "mine": True}).encode()
    workspace.file("causal_mask").write_text(WRONG)
    with pytest.raises(InputError, match="handmade check causal_mask"):
        begin(question, observatory)
    assert jobs.children == []
    workspace.file("causal_mask").write_text(RIGHT)
    begin(question, observatory)
    bench.close()
    assert jobs.children[0].command[-2:] == ["--with", str(workspace.file("causal_mask").resolve())]


def test_numbers_that_are_none_are_told_as_null_and_prints_stay_out_of_the_lines(capfd, monkeypatch):
    saved = trainer.os.dup(1)
    try:
        with trainer.channel() as out:
            trainer.os.write(1, b"a learner prints")
            trainer.teller(out)("steps", losses=[1.0, float("nan")], norm=float("inf"))
    finally:
        trainer.os.dup2(saved, 1)
        trainer.os.close(saved)
    out, err = capfd.readouterr()
    assert json.loads(out) == {"event": "steps", "data": {"losses": [1.0, None], "norm": None}}
    assert "a learner prints" in err


def test_when_the_server_is_gone_the_run_is_told_to_stop(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"do": "pause"}\n'))
    orders = trainer.orders_from_stdin()
    assert [orders.get(timeout=10)["do"] for _ in range(2)] == ["pause", "stop"]


def test_what_is_told_of_a_step_costs_a_small_part_of_it(run, monkeypatch):
    """By a clock of our own: gradients are looked at ten times a second, and less often where that costs too much."""
    now = {"monotonic": 0.0, "thread_time": 0.0}
    clocks = {clock: lambda clock=clock: now[clock] for clock in now}
    monkeypatch.setattr(trainer, "time", with_clocks(**clocks))
    own, looked = trainer.gradient_norms_by_layer, []

    def look(model):
        looked.append(1)
        now["thread_time"] += cost
        return own(model)

    monkeypatch.setattr(trainer, "gradient_norms_by_layer", look)
    for cost, most in ((1e-5, 11), (0.01, 3)):  # seconds of the processor
        task = run.task()
        display = trainer.Steered(task, run, queue.SimpleQueue(), lambda event, **data: None)
        batch = next(iter(task.batches(0, 0)))
        looked.clear()
        for step in range(1, 41):
            now["monotonic"] += 0.025
            now["thread_time"] += 0.025
            task.learn(task.loss(batch))
            display.step(step, {}, 1.0)
        assert most - 1 <= len(looked) <= most
        assert (len(looked) - 1) * cost <= trainer.SHARE
