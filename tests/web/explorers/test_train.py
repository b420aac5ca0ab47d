"""Trainings: the curves are those of the runs, the page steers what trains, a run's mistake is found and counted."""

import json
import os
import re
import signal

import numpy as np
import pytest

from handmade.errors import InputError
from handmade.lens.learning import chance_loss, thinned
from handmade.recipes.faulty import FAULTS
from handmade.train.metrics import read_metrics
from handmade.web.bench import Bench
from handmade.web.explorers import train
from handmade.web.explorers.train import Question, answer
from handmade.web.jobs import Jobs
from handmade.web.models import Models
from handmade.web.observatory import Observatory
from handmade.web.questions import asked
from handmade.workshop.workspace import Workspace
from tests.web.conftest import Pages, number_in, put_run, running, state_of


def ask(observatory, **fields):
    return answer(asked(Question, json.dumps(fields).encode()), observatory)


def test_the_list_and_the_curves_are_those_of_the_runs(observatory, folder):
    lines = read_metrics(folder / "runs" / "gpt-1" / "metrics.jsonl")
    given = ask(observatory, compare=["runs/gpt-1"])
    (told,) = [run for run in given.meta["runs"] if run["name"] == "runs/gpt-1"]
    assert (told["network"], told["step"], told["takes"], told["job"]) == (
        "gpt",
        lines[-1]["step"],
        "causal_mask",
        None,
    )
    tested = [(line["step"], line["test_loss"]) for line in lines if "test_loss" in line]
    assert told["loss"] == tested[-1][1]
    np.testing.assert_allclose(given.arrays["test_0"], np.array(tested).T, rtol=1e-6)
    assert given.arrays["train_0"].shape == (2, sum("loss" in line for line in lines))
    assert given.meta["chance"] == pytest.approx(chance_loss(given.meta["letters"]))
    assert given.meta["chance"] in given.meta["offered"]
    given.frame()


def test_a_long_curve_is_thinned_by_means():
    steps, values = thinned(np.arange(1.0, 8), np.array([1.0, 2, 3, 4, 5, 6, 9]), 4)
    np.testing.assert_array_equal(steps, [1.5, 3.5, 5.5, 7])
    np.testing.assert_array_equal(values, [1.5, 3.5, 5.5, 9])
    for array in thinned(np.zeros(0), np.zeros(0), 4):
        assert array.shape == (0,)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"compare": ["../runs/gpt-1"]}, "no run"),
        ({"compare": ["runs/gpt-1", "runs/gpt-1"]}, "different"),
        ({"compare": ["a", "b", "c", "d", "e"]}, "at most 4"),
        ({"compare": "runs/gpt-1"}, "at most 4"),
        ({"job": 99}, "no job 99"),
        ({"job": 1, "guess": "bad luck"}, "guess"),
    ],
)
def test_what_does_not_fit_is_said(observatory, fields, said):
    with pytest.raises(InputError, match=said):
        ask(observatory, **fields)


def test_a_guess_is_graded_and_the_first_one_counted(jobs, tmp_path):
    workspace = Workspace(tmp_path / "workshop")
    workspace.add_missing()
    observatory = Observatory(Models(tmp_path), Bench(workspace), jobs=jobs)
    job = jobs.diagnosis("no mask")
    assert jobs.children[-1].command[:2] == ["--fault", "no mask"]
    offered = ask(observatory, job=job.number).meta["offered"]
    assert len(set(offered)) == 4
    assert set(offered) <= set(FAULTS)
    assert "no mask" in offered
    assert ask(observatory, job=job.number).meta == {"offered": offered}  # and nothing of the answer
    wrong = next(fault for fault in offered if fault != "no mask")
    told = ask(observatory, job=job.number, guess=wrong).meta
    assert (told["right"], told["fault"], told["cause"]) == (False, "no mask", FAULTS["no mask"].cause)
    assert ask(observatory, job=job.number, guess="no mask").meta["right"]
    assert [(one.fault, one.said) for one in workspace.progress().diagnoses] == [("no mask", wrong)]
    shown = jobs.diagnosis("no residual")
    assert ask(observatory, job=shown.number, show=True).meta["fault"] == "no residual"
    assert len(workspace.progress().diagnoses) == 1  # who is shown has not guessed


def test_the_right_run_has_no_mistake_to_find(jobs, tmp_path):
    job = jobs.diagnosis("")
    with pytest.raises(InputError, match="no mistake"):
        ask(Observatory(Models(tmp_path), Bench(None), jobs=jobs), job=job.number)


# --- the page -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """A server over a folder with a run that has not begun."""
    folder = tmp_path_factory.mktemp("training")
    put_run(folder)
    observatory = Observatory(Models(folder), Bench(None), jobs=Jobs(folder))
    with running(observatory) as server:
        yield server
    observatory.close()


@pytest.fixture
def here(browser, training):
    pages = Pages(browser, training)
    yield pages
    for context in pages.contexts:
        context.close()
    assert not pages.problems, pages.problems


@pytest.mark.slow
def test_the_page_asks_for_the_first_loss_and_then_steers_a_run_by_keys(here, training):
    page = here.open("/train")
    assert page.locator(".chart, .runs").count() == 0
    offered, chance = page.locator(".predict .choice button").all_inner_texts(), f"{chance_loss(train.LETTERS):.2f}"
    page.keyboard.press(next(str(n) for n, text in enumerate(offered, 1) if chance in text))
    page.get_by_text("Right", exact=True).wait_for()
    page.get_by_role("listitem").get_by_role("button", name="train").click()
    page.get_by_test_id("loss").get_by_text(re.compile(r"^\d\.\d")).wait_for()
    page.get_by_text("Guessing among 61").wait_for()
    page.keyboard.press(" ")
    page.get_by_text("paused", exact=True).wait_for()
    step, rate = page.get_by_test_id("step").inner_text(), number_in(page.get_by_test_id("rate").inner_text())
    page.keyboard.press("-")
    page.get_by_text("Where is the training loss 30 steps later?").wait_for()
    assert number_in(page.get_by_test_id("rate").inner_text()) == rate  # nothing is changed before it is predicted
    page.keyboard.press("s")
    page.get_by_text("rate \u00d7 0.5").wait_for()
    assert number_in(page.get_by_test_id("rate").inner_text()) == pytest.approx(rate / 2, rel=0.02)
    page.keyboard.press("f")
    page.get_by_text("forked to gpt-1-fork-1").wait_for()
    assert page.get_by_test_id("step").inner_text().split("·")[0] == step.split("·")[0]
    # the table has what the picture shows; the layers are those of the run
    rows = page.locator(".sr table tr").all_inner_texts()
    assert abs(float(rows[-1].split("\t")[1]) - number_in(page.get_by_test_id("loss").inner_text())) < 1e-3
    assert page.locator(".bars .name").count() == 11
    # another page shows the same, and a narrow one does not scroll sideways
    other = here.open(f"/train#{state_of(page)}", width=420)
    other.get_by_text("forked to gpt-1-fork-1").wait_for()
    assert other.get_by_test_id("loss").inner_text() == page.get_by_test_id("loss").inner_text()
    assert other.evaluate("() => document.documentElement.scrollWidth") <= 420
    # compared with its fork; killed, it says so, and is resumed
    page.get_by_label("gpt-1-fork-1").check()
    page.locator(".strokes").get_by_text("gpt-1-fork-1", exact=True).wait_for()
    assert "compare=" in state_of(page)
    os.kill(training.observatory.jobs.job(1).pid, signal.SIGKILL)
    page.get_by_text("killed by signal 9").wait_for()
    page.locator(".icon.go").get_by_text("resume").click()
    page.get_by_text("trains", exact=True).wait_for()
    page.locator(".failed").wait_for(state="detached")
    page.keyboard.press("x")
    page.get_by_text("ended, saved", exact=True).wait_for()


@pytest.mark.slow
def test_a_stream_that_breaks_goes_on_after_its_last_event(pages):
    page = pages.open("/hand")
    heard = page.evaluate(
        """async () => {
          const { follow } = await import("/static/lib/stream.js");
          const asked = [], told = [], line = [], { signal } = new AbortController();
          const event = (id) => `id: ${id}\\nevent: steps\\ndata: ${id}\\n\\n`;
          const bodies = [event(0) + event(1).slice(0, 12), event(1), null, "event: end\\ndata: {}\\n\\n"];
          const open = async (last) => {
            asked.push(last);
            const body = bodies.shift();
            if (body === null) throw new Error("no connection");
            return new Response(body);
          };
          await follow(open, (event, data) => told.push([event, data]), signal, (how) => line.push(how));
          const refused = async () => { throw Object.assign(new Error("no"), { refused: true }); };
          await follow(refused, () => told.push("never"), signal, (how, why) => line.push(how + why));
          return [asked, told, line];
        }"""
    )
    assert heard == [
        ["", "0", "1", "1"],
        [["steps", 0], ["steps", 1], ["end", {}]],
        ["lost", "found", "lost", "lost", "found", "goneno"],
    ]


@pytest.mark.slow
def test_a_change_of_the_rate_is_judged_by_means_and_their_noise(pages):
    rng = np.random.default_rng(0)
    before, after = rng.normal(2, 0.1, 20), rng.normal(2, 0.1, 30)
    noise = 2 * np.sqrt(2 * before[-10:].var(ddof=1) / 10)
    moved = {
        "higher": after + 1,
        "lower": after - 1,
        "about the same": after - after[-10:].mean() + before[-10:].mean() + 0.5 * noise,
    }
    page = pages.open("/hand")
    judge = """async ([losses, step]) => {
      const { live, outcome } = await import("/static/lib/runs.js");
      let tell;
      const run = live({ listen: (path, given) => { tell = given; return () => {}; } }, 1);
      tell("steps", { step: 100 + losses.length, losses, norms: [], rate: 1, per_second: 1 });
      return [outcome(run, 100 + step), run.loss()];
    }"""
    for what, later in moved.items():
        made, last = page.evaluate(judge, [[*before, *later], 20])
        assert made["what"] == what
        assert made["noise"] == pytest.approx(noise)
        assert (made["before"], made["after"]) == pytest.approx((before[-10:].mean(), later[-10:].mean()))
        assert last == pytest.approx(later[-10:].mean())
    made, last = page.evaluate(judge, [[*before, *after[:-1], None], 20])
    assert (made["what"], made["after"], last) == ("higher", None, None)  # a loss that is no number has no mean
    assert page.evaluate(judge, [[*before, *after[:-1]], 20])[0] is None  # a step too early
    assert page.evaluate(judge, [[*before[:9], *after], 9])[0] is None  # of too few batches


@pytest.mark.slow
def test_a_mistake_is_found_on_the_page(here, training):
    page = here.open("/train#mode=diagnosis")
    page.get_by_role("button", name="train it").click()
    page.locator(".predict .choice button").nth(3).wait_for()
    page.get_by_test_id("loss").get_by_text(re.compile(r"^\d")).wait_for()
    page.locator(".strokes").get_by_text("without a mistake", exact=True).first.wait_for()
    secret = training.observatory.jobs.job(int(re.search(r"riddle=(\d+)", state_of(page))[1])).secret  # type: ignore[index]
    assert page.get_by_text(FAULTS[secret].cause).count() == 0
    buttons = [text.rpartition(" ")[0].strip() for text in page.locator(".predict .choice button").all_inner_texts()]
    page.keyboard.press(str(1 + buttons.index(secret)))
    page.get_by_text("Right", exact=True).wait_for()
    page.get_by_text(FAULTS[secret].sign).wait_for()
    for job in list(training.observatory.jobs._jobs.values()):
        if job.live:
            job.order("stop")


@pytest.mark.slow
def test_everyone_can_read_it(check_access):
    ready = lambda page: page.locator(".runs").wait_for()
    check_access('/train#seen=1&compare=["runs/gpt-1"]', ready)
