"""Measurements that take long: they come piece by piece, let others in between, and end when nobody wants them."""

import json
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from handmade.errors import InputError
from handmade.web import measuring
from handmade.web.bench import Bench
from handmade.web.events import Busy
from handmade.web.explorers import heads
from handmade.web.jobs import MOST_MEASURED, Jobs
from handmade.web.measuring import Measurement
from handmade.web.models import Models
from handmade.web.observatory import Observatory
from tests.web.conftest import running
from tests.web.test_jobs import SECONDS, Reader, told, wait_for


def kinds(job):
    return [event.kind for event in job.events]


class Steps:
    """Pieces that come when they are let: `let` as many as a test wants."""

    def __init__(self, most=5):
        self.let, self.closed, self.most = threading.Semaphore(0), False, most

    def __iter__(self):
        try:
            for number in range(self.most):
                assert self.let.acquire(timeout=SECONDS)
                yield {"number": number}
        finally:
            self.closed = True


def test_pieces_are_events_and_the_end_is_said():
    job = Measurement(3, ({"square": n * n} for n in range(3)))
    wait_for(lambda: not job.live)
    assert kinds(job) == ["piece", "piece", "piece", "done"]
    assert [json.loads(event.data) for event in job.since(1)[:2]] == [{"square": 1}, {"square": 4}]


def test_cancelled_it_ends_with_its_piece_and_lets_go_of_the_rest():
    steps = Steps()
    job = Measurement(1, iter(steps))
    steps.let.release()
    wait_for(lambda: kinds(job) == ["piece"])
    job.order("stop")
    steps.let.release()  # the piece that was under way
    wait_for(lambda: not job.live)
    assert kinds(job) == ["piece", "cancelled"]
    assert steps.closed


def test_what_goes_wrong_is_told(capsys):
    def unknown():
        yield {}
        raise InputError("there is no such head")

    def broken():
        yield {}
        raise ZeroDivisionError("oh")

    for pieces, said in ((unknown(), "there is no such head"), (broken(), "its mistake: ZeroDivisionError: oh")):
        job = Measurement(1, pieces)
        wait_for(lambda job=job: not job.live)
        assert kinds(job) == ["piece", "failed"]
        assert said in json.loads(job.events[-1].data)["message"]
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_that_nobody_reads_ends(monkeypatch):
    monkeypatch.setattr(measuring, "ABANDONED", 0.2)
    steps = Steps()
    job = Measurement(1, iter(steps))
    with job.read():
        time.sleep(0.3)
        job.look_after(60, 600)
        steps.let.release()
        wait_for(lambda: kinds(job) == ["piece"])  # somebody reads
    job.look_after(60, 600)
    assert job.live
    time.sleep(0.3)
    job.look_after(60, 600)
    steps.let.release()
    wait_for(lambda: not job.live)
    assert kinds(job) == ["piece", "cancelled"]


def test_so_many_at_once_and_no_more(tmp_path):
    jobs, some = Jobs(tmp_path), [Steps(1) for _ in range(MOST_MEASURED)]
    running_now = [jobs.measure(iter(steps)) for steps in some]
    with pytest.raises(Busy, match=f"{MOST_MEASURED} measurements run already"):
        jobs.measure(iter(Steps()))
    some[0].let.release()
    wait_for(lambda: not running_now[0].live)
    assert jobs.measure(iter(Steps(0))).number == MOST_MEASURED + 1
    assert jobs.last_secret == ""
    with pytest.raises(InputError, match="job 1 is a measurement: it trains nothing"):
        jobs.training(1)
    assert jobs.of("runs/gpt-1") is None
    for steps in some[1:]:
        steps.let.release()
    jobs.close()
    assert not any(job.live for job in running_now)


@pytest.fixture(scope="module")
def own(folder):
    """A server that no other test has jobs on."""
    observatory = Observatory(Models(folder), Bench(None), jobs=Jobs(folder))
    with running(observatory) as server:
        yield server
    observatory.close()


def test_over_http_it_begins_is_read_and_is_cancelled(own, monkeypatch):
    question = {"model": "runs/gpt-1", "text": "ROMEO: But soft"}
    job = told(own, "jobs/heads", question)["job"]
    with Reader(own, job) as reader:
        events = reader.until("end")
    assert [kind for _, kind, _ in events] == ["piece"] * 3 + ["done", "end"]  # the loss, and two heads of each layer
    steps = Steps()
    monkeypatch.setattr(heads, "EXPLORER", replace(heads.EXPLORER, pieces=lambda question, observatory: iter(steps)))
    job = told(own, "jobs/heads", question)["job"]
    with Reader(own, job) as reader:
        steps.let.release()
        reader.until("piece")
        for what, order in (("rate", {"factor": 0.5}), ("pause", {}), ("fork", {})):
            status, _, body = own.request(f"/api/jobs/{job}/{what}", order)
            assert (status, b"it can be cancelled" in body) == (422, True)
        told(own, f"jobs/{job}/cancel", {})
        steps.let.release()
        assert [kind for _, kind, _ in reader.until("end")] == ["cancelled", "end"]


def test_what_is_measured_comes_from_a_list(own):
    for name in ("sizes", "nobody", "..", "1"):
        assert own.request(f"/api/jobs/{name}", {})[0] in (404, 405)
    status, _, body = own.request("/api/jobs/heads", {"layer": "first"})
    assert (status, b"layer is 'first'" in body) == (422, True)
    job = told(own, "jobs/heads", {"model": "../secret"})["job"]
    with Reader(own, job) as reader:
        data = reader.until("failed")[-1][2]
    assert "no model '../secret'" in data["message"]


def test_others_may_ask_the_model_between_two_pieces_and_one_that_is_opened_anew_ends_it(folder):
    models, entered = Models(folder), threading.Event()
    with models.opened("runs/gpt-1") as used:
        model = used.model

    def made() -> Any:
        for number in range(1000):
            entered.set()
            time.sleep(0.002)
            yield number

    given: list[int] = []
    measure = models.one_by_one("runs/gpt-1", lambda card: True, model, made())

    def work() -> None:
        with suppress(InputError):  # opened anew
            for one in measure:
                given.append(one)
                time.sleep(measuring.BREATH)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert entered.wait(SECONDS)
    with models.opened("runs/gpt-1") as used:
        assert used.model is model
        so_far = len(given)
        time.sleep(0.1)
        assert len(given) <= so_far + 1  # it waits while another has the model
        models.forget_busy()
    assert len(given) < 1000
    with models.opened("runs/gpt-1") as used:
        assert used.model is not model
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert len(given) < 1000
