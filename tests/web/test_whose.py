"""Whose code computes: what the learner's file or a mistake gives, beside the reference, and never in this process."""

import json
import os
import threading
import time
from pathlib import Path

import anyio
import numpy as np
import pytest

import handmade.web
from handmade.errors import InputError
from handmade.web import about
from handmade.web.bench import Bench
from handmade.web.explorers import NAMES, explorer_named
from handmade.web.models import Models
from handmade.web.observatory import Observatory
from handmade.web.whose import computed, visible
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercises import exercise_named
from handmade.workshop.workspace import Workspace
from tests.support.judging import RIGHT
from tests.web.conftest import running

EXERCISE = exercise_named("self_attention")
STATIC = Path(handmade.web.__file__).parent / "static" / "explorers"


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    (workspace.folder / "attention").mkdir()
    bench = Bench(workspace)
    yield bench
    bench.close()


def test_a_workspace_that_is_made_later_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr("handmade.web.bench.AGAIN", -1.0)
    bench = Bench(tmp_path)
    assert (bench.workspace, bench.file("conv2d")) == (None, None)
    Workspace(tmp_path / "handmade-workshop").add_missing()
    assert bench.file("conv2d") == Workspace(tmp_path / "handmade-workshop").file("conv2d")


@pytest.mark.slow
def test_the_switch_finds_a_workspace_that_is_made_while_the_page_is_open(browser, tmp_path):
    with running(Observatory(Models(tmp_path), Bench(tmp_path))) as server:
        page = browser.new_page()
        page.goto(f"{server.url}/hand#token={server.token}")
        mine = page.get_by_role("button", name="my code")
        mine.wait_for()
        assert mine.is_disabled()
        Workspace(tmp_path / "handmade-workshop").add_missing()
        page.wait_for_timeout(600)  # as long as the server does not look again
        page.evaluate("() => { window.dispatchEvent(new Event('focus')); }")  # one comes back from the terminal
        page.locator("button:enabled", has_text="my code").wait_for()
        page.close()


@pytest.fixture
def file(bench):
    """Writes the learner's file."""
    path = bench.workspace.folder / "attention" / "self_attention.py"
    yield path.write_text
    path.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def cases():
    draw = np.random.default_rng(0).standard_normal
    return [Case(f"head {h}", (draw((3, 2)), draw((4, 2)), draw((4, 5)))) for h in range(2)]


def test_the_reference_differs_from_itself_in_nothing(bench, cases):
    made = computed(bench, EXERCISE, cases, "reference")
    assert made.told("output") == {"problem": "", "printed": "", "difference": {"output": 0.0}}
    right, weights = EXERCISE.run(cases)[1].outputs.values()
    np.testing.assert_allclose(made.stacked("output", (2, 3, 5))[1], right, rtol=1e-6)
    np.testing.assert_allclose(made.stacked("attention_weights", (2, 3, 4))[1], weights, rtol=1e-6)


@pytest.mark.parametrize("fault", EXERCISE.faults)
def test_with_a_mistake_it_gives_what_the_mistake_gives(bench, cases, fault):
    made = computed(bench, EXERCISE, cases, "mistake", fault)
    expected = EXERCISE.run(cases, frozenset({fault}))[0]
    if expected.raised is not None:
        assert expected.raised.kind in made.problem
    elif made.outputs[0] is None:
        assert "expected" in made.problem  # a shape that is not the reference's
    else:
        np.testing.assert_allclose(made.outputs[0]["output"], expected.outputs["output"], rtol=1e-5)
        assert (max(made.difference("output"), made.difference("attention_weights")) > 1e-5) == (
            fault in visible(EXERCISE, cases)
        )


def test_most_mistakes_are_seen_on_ordinary_numbers(cases):
    assert {"no scale", "softmax over the queries", "no softmax"} <= set(visible(EXERCISE, cases))
    assert "overflows" not in visible(EXERCISE, cases)


def test_what_can_be_seen_is_told_of_the_cases_that_are_asked_about(cases):
    flat = [Case("all alike", tuple(np.zeros_like(array) for array in cases[0].args))]
    before = visible(EXERCISE, cases)
    assert "no scale" not in visible(EXERCISE, flat)
    assert visible(EXERCISE, cases) == before
    for n in range(20):  # more than are kept
        visible(EXERCISE, [Case(str(n), cases[0].args)])
    assert visible(EXERCISE, cases) == before


def test_an_unknown_mistake_is_refused(bench, cases):
    with pytest.raises(InputError, match="did you mean 'no scale'"):
        computed(bench, EXERCISE, cases, "mistake", "no scales")


def test_without_a_file_there_is_a_mend(bench, cases):
    for other in (bench, Bench(None)):
        with pytest.raises(InputError, match="handmade start"):
            computed(other, EXERCISE, cases, "mine")


@pytest.mark.slow
def test_the_learners_file_computes_and_is_judged(bench, file, cases):
    file(RIGHT + "print('here')\n")
    made = computed(bench, EXERCISE, cases, "mine")
    assert (made.problem, made.printed.strip()) == ("", "here")
    assert made.difference("output") < 1e-6
    file(RIGHT)
    assert bench.verdict(EXERCISE).passed
    file(RIGHT.replace(" / np.sqrt(K.shape[-1])", ""))
    assert bench.verdict(EXERCISE).findings[0].name == "no scale"
    made, wrong = computed(bench, EXERCISE, cases, "mine"), computed(bench, EXERCISE, cases, "mistake", "no scale")
    np.testing.assert_allclose(made.stacked("output", (2, 3, 5)), wrong.stacked("output", (2, 3, 5)), rtol=1e-5)


@pytest.mark.slow
def test_the_process_outlives_the_thread_of_a_question(bench, file, cases):
    file(RIGHT)
    for _ in range(3):
        made = []
        thread = threading.Thread(target=lambda made=made: made.append(computed(bench, EXERCISE, cases, "mine")))
        thread.start()
        thread.join(30)
        time.sleep(0.1)  # a process that ends with the thread is gone then
        assert made[0].problem == ""


@pytest.mark.slow
def test_control_characters_are_written_out(bench, file, cases):
    file("print('\\x1b[2J\\u202e')\n" + RIGHT)
    assert computed(bench, EXERCISE, cases, "mine").printed.strip() == r"\x1b[2J\u202e"
    file("def self_attention(Q, K, V):\n    raise ValueError('\\x1b[2J\\u202e')\n")
    problem = computed(bench, EXERCISE, cases, "mine").problem
    assert problem.isprintable()
    assert r"\x1b[2J\u202e" in problem


LIES = {
    "raises": ("raise ZeroDivisionError('no')", "ZeroDivisionError: no"),
    "another shape": ("return V, V", "output has shape (4, 5), expected (3, 5)."),
    "text": ("return 'a', 'b'", "output is"),
    "nothing": ("return None", "returned None"),
    "ends": ("import os; os._exit(0)", ""),
    "asks where": ("return __import__('os').getpid() * (Q[:, :1] + 0 * V[0]), Q @ K.T", ""),
    "writes": ("open('/tmp/handmade-hostile-was-here', 'w'); return V[:3], Q @ K.T", ""),
}


@pytest.mark.slow
def test_code_that_lies_or_breaks_harms_nothing(bench, file, cases):
    for what, (line, said) in LIES.items():
        file(f"def self_attention(Q, K, V):\n    {line}\n")
        made = computed(bench, EXERCISE, cases, "mine")
        assert said in made.problem, what
        if what == "asks where":
            assert made.outputs[0] is not None
            assert os.getpid() != round(float(made.outputs[0]["output"][0, 0] / np.float32(cases[0].args[0][0, 0])))
        elif what == "writes":
            assert not os.path.exists("/tmp/handmade-hostile-was-here")
        else:
            assert made.problem, what
            assert made.outputs[0] is None
    file(RIGHT)
    assert computed(bench, EXERCISE, cases, "mine").difference("output") < 1e-6


def test_what_is_not_a_number_is_told_as_that(bench, cases):
    made = computed(bench, EXERCISE, cases, "reference")
    made.outputs[0] = {name: np.full_like(array, np.nan) for name, array in made.right[0].items()}
    assert made.told("output")["difference"] == {"output": "nan"}


@pytest.mark.slow
def test_a_saved_file_is_told_within_a_second(bench, file):
    heard: list[tuple[float, list[str]]] = []

    async def listen() -> None:
        stop = anyio.Event()

        async def first() -> None:
            async for names in bench.saved(stop):
                heard.append((time.monotonic(), names))
                stop.set()

        async with anyio.create_task_group() as group:
            group.start_soon(first)
            with anyio.move_on_after(10):
                while not heard:
                    self_saved.append(time.monotonic())
                    file(f"{RIGHT}# {len(self_saved)}\n")
                    await anyio.sleep(0.6)
            stop.set()

    self_saved: list[float] = []
    thread = threading.Thread(target=anyio.run, args=(listen,))  # this one may have a browser's loop in it
    thread.start()
    thread.join(30)
    assert heard
    assert heard[0][1] == ["self_attention"]
    assert heard[0][0] - self_saved[-1] < 1


@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_which_exercises_run_on_it(observatory, name):
    explorer = explorer_named(name)
    told = about.told(json.dumps({"explorer": name}).encode(), observatory).meta
    assert [one["name"] for one in told["exercises"]] == [*explorer.exercises, *explorer.related]
    assert told["run"] == list(explorer.exercises)
    switch = (STATIC / f"{name}.js").read_text()
    assert bool(told["run"]) == ("<${Switch}" in switch)


@pytest.mark.slow
def test_a_page_that_goes_away_ends_no_other_stream(bench):
    async def listen() -> bool:
        stop = anyio.Event()
        with anyio.move_on_after(0.3):
            async for _ in bench.saved(stop):
                pass
        return stop.is_set()

    stopped: list[bool] = []
    thread = threading.Thread(target=lambda: stopped.append(anyio.run(listen)))
    thread.start()
    thread.join(30)
    assert stopped == [False]
