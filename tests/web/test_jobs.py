"""Jobs: a run that trains in a child process is watched, steered, forked, lost and found again; and nobody else may."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handmade.train import open_run
from handmade.train.checkpoint import load_checkpoint
from handmade.train.interventions import interventions
from handmade.web import events as events_module
from handmade.web.bench import Bench
from handmade.web.events import Busy
from handmade.web.jobs import Jobs
from handmade.web.models import Models
from handmade.web.observatory import Observatory
from handmade.web.questions import LARGEST
from tests.web.conftest import Running, put_run, running

SECONDS = 60  # no wait is longer


class Reader:
    """What a page reads of a job: events as (number, kind, data)."""

    def __init__(self, server: Running, job: int, last: int | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
        headers = {"Host": f"127.0.0.1:{server.port}", "Authorization": f"Bearer {server.token}"}
        more = {} if last is None else {"Last-Event-ID": str(last)}
        self.connection.request("GET", f"/api/jobs/{job}/events", headers=headers | more)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.headers["content-type"].startswith("text/event-stream")

    def events(self) -> Iterator[tuple[int, str, Any]]:
        fields: dict[str, str] = {}
        while line := self.answer.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if line != "\n":
                fields[name] = value
            elif "data" in fields:
                yield int(fields.get("id", -1)), fields["event"], json.loads(fields["data"])
                fields = {}

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def until(self, kind: str) -> list[tuple[int, str, Any]]:
        """The events up to the next of this kind."""
        seen = []
        for event in self.events():
            seen.append(event)
            if event[1] == kind:
                return seen
        raise AssertionError(f"no {kind!r} came: {[kind for _, kind, _ in seen]}, {seen[-2:]}")

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def told(server: Running, path: str, question: Any) -> Any:
    status, _, body = server.request(f"/api/{path}", question)
    assert status == 200, body
    length = int.from_bytes(body[:8], "little")
    return json.loads(json.loads(body[8 : 8 + length])["__metadata__"]["meta"])


def step_of_checkpoint(run: Path) -> int:
    return load_checkpoint(run / "checkpoint")["progress"]["step"]


@pytest.mark.slow
def test_a_run_is_watched_steered_forked_killed_and_resumed(tmp_path):
    run = put_run(tmp_path)
    observatory = Observatory(Models(tmp_path), Bench(None), jobs=Jobs(tmp_path))
    with running(observatory) as server:
        job = told(server, "jobs", {"run": "runs/gpt-1"})["job"]
        assert server.request("/api/jobs", {"run": "runs/gpt-1"})[0] == 422  # it trains already
        reader = Reader(server, job)
        events = reader.until("steps")
        begun = events[0][2]
        assert (begun["run"], begun["step"], begun["steps"], begun["parameters"]) == ("runs/gpt-1", 0, 100_000, 7456)
        assert begun["chance"] == pytest.approx(4.1109, abs=1e-4)  # log 61
        # another reader, cut off and back: none is lost or comes twice
        other = Reader(server, job)
        seen = other.until("steps")
        other.close()
        told(server, f"jobs/{job}/rate", {"factor": 0.5})
        events += reader.until("changed")
        other = Reader(server, job, last=seen[-1][0])
        seen += other.until("changed")
        other.close()
        assert seen == events[: len(seen)]
        assert [number for number, _, _ in events] == list(range(len(events)))
        losses = [loss for _, kind, data in events if kind == "steps" for loss in data["losses"]]
        changed = events[-1][2]
        assert len(losses) == changed["step"]  # every step was told
        assert changed["rate"] == pytest.approx(0.5 * events[-2][2]["rate"])
        norms = [data for _, kind, data in events if kind == "steps" and data["norms"]]
        assert len(norms[0]["norms"]) == len(begun["layers"])
        assert norms[0]["norm"] == pytest.approx(sum(norm**2 for norm in norms[0]["norms"]) ** 0.5)
        # paused, it makes no step, and can be forked
        told(server, f"jobs/{job}/pause", {})
        paused = reader.until("paused")[-1][2]["step"]
        told(server, f"jobs/{job}/fork", {})
        events = reader.until("forked")
        assert events[-1][2] == {"step": paused, "run": "runs/gpt-1-fork-1"}
        assert [kind for _, kind, _ in events] == ["forked"]
        fork = tmp_path / "runs" / "gpt-1-fork-1"
        assert step_of_checkpoint(fork) == step_of_checkpoint(run) == paused
        assert [line["what"] for line in interventions(fork)] == ["rate", "fork"]
        assert open_run(fork).recipe == open_run(run).recipe
        # killed, it says so; resumed, it goes on from the checkpoint at the rate that was set
        told(server, f"jobs/{job}/pause", {"paused": False})
        reader.until("steps")
        os.kill(observatory.jobs.job(job).pid, signal.SIGKILL)
        failed, _ = reader.until("end")[-2:]
        assert failed[1] == "failed"
        assert "killed by signal 9" in failed[2]["message"]
        assert "resume" in failed[2]["message"]
        reader.close()
        assert server.request(f"/api/jobs/{job}/pause", {})[0] == 422  # it has ended
        job = told(server, "jobs", {"run": "runs/gpt-1"})["job"]
        reader = Reader(server, job)
        begun = reader.until("begun")[-1][2]
        assert begun["step"] == paused
        assert begun["rate"] == pytest.approx(changed["rate"], rel=0.01)
        assert begun["rate"] == pytest.approx(0.5 * open_run(run).recipe.learning_rate, rel=0.01)
        assert os.getsid(observatory.jobs.job(job).pid) != os.getsid(0)  # Ctrl-C of the terminal is not for it
        # ended by hand, it is saved
        reader.until("steps")
        told(server, f"jobs/{job}/cancel", {})
        ended = reader.until("ended")[-1][2]
        assert not ended["done"]
        assert step_of_checkpoint(run) == ended["step"] > paused
        reader.close()
        told(server, f"jobs/{job}/fork", {})  # and can be forked still
        assert step_of_checkpoint(tmp_path / "runs" / "gpt-1-fork-2") == ended["step"]
    observatory.close()


@pytest.mark.slow
def test_ctrl_c_of_the_server_saves_what_trains(tmp_path):
    run = put_run(tmp_path)
    command = [sys.executable, "-m", "handmade", "look", "--no-browser"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True) as look:
        assert look.stdout is not None
        address, _, token = look.stdout.readline().strip().partition("/#token=")
        server: Any = Running(None, int(address.rpartition(":")[2]), token)  # type: ignore[arg-type]
        with Reader(server, told(server, "jobs", {"run": "runs/gpt-1"})["job"]) as reader:
            last = reader.until("steps")[-1][2]["step"]
        look.send_signal(signal.SIGINT)
        look.wait(SECONDS)
    assert step_of_checkpoint(run) >= last
    assert (run / "model.safetensors").exists()


@pytest.mark.slow
def test_a_job_that_nobody_reads_pauses_and_then_is_saved_and_ends(tmp_path):
    run = put_run(tmp_path)
    jobs = Jobs(tmp_path, paused_after=0.5, ended_after=2.5)
    job = jobs.resume("runs/gpt-1")
    wait = lambda *states: wait_for(lambda: job.state in states)
    with job.read():
        wait("training")
        time.sleep(1)
        assert job.state == "training"  # somebody reads
    wait("paused")
    with job.read():
        wait("training")  # and is back
    wait("paused")
    wait("ended")
    assert step_of_checkpoint(run) == job.step > 0
    jobs.close()


def wait_for(come) -> None:
    deadline = time.monotonic() + SECONDS
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# --- without a child --------------------------------------------------------------------------------------------------


def test_two_train_at_once_and_a_third_is_sent_back(jobs, tmp_path):
    for name in "abc":
        put_run(tmp_path, name)
    first, second = jobs.resume("runs/a"), jobs.new("gpt", ["steps=5"])
    assert jobs.children[0].command == ["runs/a"]
    assert jobs.children[1].command == ["--new", "gpt", "--set", "steps=5"]
    observatory = Observatory(Models(tmp_path), Bench(None), jobs=jobs)
    with running(observatory) as server:
        status, _, body = server.request("/api/jobs", {"run": "runs/c"})
        assert (status, b"2 trainings" in body) == (429, True)
        jobs.children[0].stop(0)
        wait_for(lambda: not first.live)
        assert server.request("/api/jobs", {"run": "runs/c"})[0] == 200
    assert second.live


def test_of_many_events_the_newest_are_kept_under_their_numbers(jobs, tmp_path, monkeypatch):
    monkeypatch.setattr(events_module, "MOST_EVENTS", 10)
    put_run(tmp_path)
    job = jobs.resume("runs/gpt-1")
    for number in range(25):
        job.note("said", text=str(number))
    assert len(job.events) <= 10
    assert [event.number for event in job.since(22)] == [22, 23, 24]
    assert [json.loads(event.data)["text"] for event in job.since(22)] == ["22", "23", "24"]
    assert job.since(0)[0].number == 0  # it says what the job is
    assert job.since(0)[-1].number == 24
    assert job.since(25) == []


def test_a_job_has_so_many_readers_and_no_more(jobs, tmp_path, monkeypatch):
    monkeypatch.setattr(events_module, "MOST_READERS", 1)
    put_run(tmp_path)
    job = jobs.resume("runs/gpt-1")
    with running(Observatory(Models(tmp_path), Bench(None), jobs=jobs)) as server:
        reader = Reader(server, job.number)
        wait_for(lambda: job.readers == 1)
        with pytest.raises(Busy, match="readers"), job.read():
            pass
        assert server.request(f"/api/jobs/{job.number}/events", None, "GET")[0] == 429
        reader.close()
        wait_for(lambda: job.readers == 0)


def test_what_a_child_says_last_and_what_it_prints_is_told(jobs, tmp_path):
    put_run(tmp_path)
    job, child = jobs.resume("runs/gpt-1"), jobs.children[0]
    os.write(child._error, b"Segmentation \x1b[31mfault\n")
    os.write(child._out, b"no JSON\n")
    child.say("begun", run="runs/gpt-1", step=3)
    child.stop(-11)
    wait_for(lambda: not job.live)
    kinds = [event.kind for event in job.events]
    assert kinds == ["begun", "failed"]
    message = json.loads(job.events[-1].data)["message"]
    assert "killed by signal 11 after step 3" in message
    assert "Segmentation" in message
    assert "\x1b" not in message


# --- who may ---------------------------------------------------------------------------------------------------------

PATHS = ["jobs", "jobs/heads", "jobs/1/pause", "jobs/1/rate", "jobs/1/fork", "jobs/1/cancel"]


@pytest.mark.parametrize("path", PATHS)
def test_orders_come_from_our_own_pages_with_the_token_and_are_small(server, path):
    path = f"/api/{path}"
    assert server.request(path, {}, authorization=None)[0] == 401
    assert server.request(path, {}, authorization=f"Bearer {server.token}x")[0] == 401
    assert server.request(path, {}, origin="http://evil.example")[0] == 403
    assert server.request(path, {}, origin=None)[0] == 403
    assert server.request(path, {}, sec_fetch_site="cross-site")[0] == 403
    assert server.request(path, None, "GET")[0] in (404, 405)
    assert server.request(path, b" " * (LARGEST + 1))[0] == 413
    assert server.request(path, {"unknown": 1})[0] == 422


def test_events_are_told_to_the_token_only(server):
    path = "/api/jobs/99/events"
    assert server.request(path, None, "GET", authorization=None)[0] == 401
    assert server.request(path, None, "GET", sec_fetch_site="cross-site")[0] == 403
    assert server.request(path, None, "GET", host="evil.example")[0] == 421
    assert server.request(path, None, "GET")[0] == 404  # there is no such job
    assert server.request(path, {})[0] in (404, 405)


@pytest.mark.parametrize(
    ("path", "question", "said"),
    [
        ("jobs", {}, "name one of them"),
        ("jobs", {"run": "runs/a", "network": "gpt"}, "name one of them"),
        ("jobs", {"run": "../runs/gpt-1"}, "no run '../runs/gpt-1'"),
        ("jobs", {"run": "/etc"}, "no run '/etc'"),
        ("jobs", {"run": "runs/gpt-1/../gpt-1"}, "no run"),
        ("jobs", {"run": "handmade-workshop"}, "no run"),
        ("jobs", {"network": "--out=/tmp/x"}, "network"),
        ("jobs", {"network": "gpt", "rate": 1e9}, "rate"),
        ("jobs", {"fault": "no such"}, "fault"),
        ("jobs", {"network": "gpt", "mine": True}, "handmade check causal_mask"),
        ("jobs", {"network": "lenet5", "mine": True}, "no function of yours fits"),
        ("jobs/99/pause", {}, "no job 99"),
        ("jobs/1/rate", {"factor": 0}, "factor"),
        ("jobs/1/rate", {"factor": "1"}, "factor"),
    ],
)
def test_what_a_job_is_comes_from_lists(server, path, question, said):
    before = dict(server.observatory.jobs._jobs)
    status, _, body = server.request(f"/api/{path}", question)
    assert status == 422
    assert said in json.loads(body)["error"]
    assert server.observatory.jobs._jobs == before


def test_an_order_that_a_job_does_not_know_is_refused(server):
    assert server.request("/api/jobs/1/remove", {})[0] == 404
    assert server.request("/api/jobs/x/pause", {})[0] == 404
