"""The judge points at the line: by the traceback, by the values of right solutions, by the mend that it finds."""

import ast
from pathlib import Path

import numpy as np
import pytest

from benchmarks import candidates
from handmade.workshop.cell.cases import Case
from handmade.workshop.cell.job import Job, Limits
from handmade.workshop.cell.tracing import NUMBERS, SEEN, VALUES_OF_ONE_NODE, Recorder, instrumented, snapshot
from handmade.workshop.cell.versions import Pieces, Rounds, TracedPieces, assigned, edited
from handmade.workshop.cell.wire import Opaque, dumps, loads
from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging.alignment import Alignment
from handmade.workshop.judging.edits import Editor
from handmade.workshop.judging.links import Event
from handmade.workshop.judging.outcome import Outcome, outcome_of
from handmade.workshop.judging.pointing import told
from handmade.workshop.judging.rightvalues import EXACT, MOVED, UNKNOWN, RightRun, RightValues, right_run
from handmade.workshop.source import solution
from handmade.workshop.variants import variants_of
from tests.support.judging import RIGHT, SHORT
from tests.workshop.single_mistakes import MISTAKES

SAMPLE = (0, 3, 11, 15, 25)
"""Which of the single mistakes are tried here; all of them by `python -m benchmarks mutants`."""


def spoilt(name: str, old: str, new: str) -> tuple[str, int]:
    """The solution shown with one mistake in it, and the line that it is in."""
    source = solution(exercise_named(name))
    body = source.index('"""\n', 3) + 4
    assert old in source[body:]
    wrong = source[:body] + source[body:].replace(old, new, 1)
    return wrong, next(
        n for n, (a, b) in enumerate(zip(source.split("\n"), wrong.split("\n"), strict=False), 1) if a != b
    )


def test_every_single_mistake_can_be_made():
    assert [mistake for mistake in MISTAKES if mistake[1] not in solution(exercise_named(mistake[0]))] == []
    for mistake in MISTAKES:
        spoilt(*mistake)  # behind the docstring, too


@pytest.mark.slow
@pytest.mark.parametrize("mistake", [MISTAKES[n] for n in SAMPLE], ids=lambda mistake: f"{mistake[0]}: {mistake[2]}")
def test_a_single_mistake_is_pointed_at_and_its_mend_is_right(verdict, mistake):
    name, old, new = mistake
    source, line = spoilt(name, old, new)
    found = verdict(source, name).findings[0]
    assert found.line == line
    if found.mend is not None:
        mended = source.replace(found.mend.before, found.mend.after)
        assert mended != source
        assert verdict(mended, name).passed


IN_OTHER_STYLES = (  # candidates' mistakes, which `python -m benchmarks mutants --candidates` tries all
    ("im2col", "wide = (W - kw) // sw + 1"),  # a size that is right on some cases
    ("causal_mask", "p_attn = softmax(scores, dim=-1)"),  # a helper is right, its call is not
    ("lstm_step", "h_next = o_gate * np.tanh(c_next)"),  # listed, and given back under that name
    ("lstm_backward", "dcell = dc + dsquashed * (1 - squashed**2)"),  # what several wrong values are made of
    ("bidirectional", "state.dot(Wh) + b"),  # a list that grows
)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "old"), IN_OTHER_STYLES, ids=lambda value: value)
def test_the_line_is_shown_in_a_style_that_no_right_solution_has(verdict, name, old):
    source = (Path(candidates.__file__).parent / f"{name}.py").read_text("utf-8")
    (new,) = (new for other, before, new in candidates.MISTAKES if (other, before) == (name, old))
    assert verdict(source.replace(old, new, 1), name).findings[0].line == source[: source.index(old)].count("\n") + 1


def test_a_pass_among_other_statements_says_that_something_is_missing(verdict):
    source = (
        "import numpy as np\n\n\ndef cross_entropy(logits, targets):\n    p = np.exp(logits)\n    pass\n"
        "    loss = strange(p)\n    return loss, p\n"
    )
    assert verdict(source, "cross_entropy").findings[0].line == 6


def test_the_line_of_a_crash_is_the_tracebacks(verdict):
    source = RIGHT.replace("    weights = np.exp", "    Q[17, 4, 5]\n    weights = np.exp")
    found = verdict(source).findings[0]
    assert (found.name, found.line) == ("raises IndexError", 6)
    found = verdict("import numpy as np\n\nnp.nothing\n" + RIGHT).findings[0]
    assert (found.name, found.line) == ("does not load", 3)


def test_what_happens_to_stand_in_memory_is_no_right_value():
    """An array of np.empty may hold a wrong result of a moment ago."""
    exercise = exercise_named("softmax")
    case = exercise.all_cases()[1]
    source = variants_of("softmax")["loops"]
    assert "np.empty" in source
    shape = case.args[0].shape
    for _ in range(20):
        kept = [np.full(shape, 0.123456) for _ in range(200)]
        del kept
        values = RightValues.of([right_run(source, exercise, case)])
        assert values.find(np.full(shape, 0.123456)) == UNKNOWN
        assert not any(np.any(value == 0.123456) for value in values.by_name["out"])


UNSCALED = """import numpy as np


def self_attention(Q, K, V):
    raw = Q @ np.swapaxes(K, -1, -2)
    top = raw.max(-1, keepdims=True)
    e = np.exp(raw - top)
    w = e / e.sum(-1, keepdims=True)
    return w @ V, w
"""


def test_a_listed_mistake_is_where_its_twins_first_wrong_value_is(verdict):
    """All values of line 5 are right ones, which others scale later; only the reference with the mistake has none
    that is scaled."""
    found = verdict(UNSCALED).findings[0]
    assert (found.name, found.line) == ("no scale", 5)


ONE_SUM = """import numpy as np


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum()
"""


def test_a_letter_may_stand_for_anything(verdict):
    """One of the right solutions calls something else e."""
    found = verdict(ONE_SUM, "softmax").findings[0]
    assert (found.name, found.line) == ("one sum for all", 6)


LOOPS = """import math

import numpy as np


def cross_entropy(logits, labels):
    loss, dlogits = 0.0, np.zeros(logits.shape)
    N = len(logits)
    for n, row in enumerate(logits):
        largest = max(row)
        log_sum = largest + math.log(sum(loss.exp(value - largest) for value in row))
        loss += (log_sum - row[labels[n]]) / N
        dlogits[n] = [math.exp(value - log_sum) / N for value in row]
        dlogits[n, labels[n]] -= 1 / N
    return loss, dlogits
"""


def test_an_error_that_no_shape_explains_is_where_it_was_raised(verdict):
    """Arrays of zeros that are to be filled say nothing."""
    found = verdict(LOOPS, "cross_entropy").findings[0]
    assert (found.name, found.line) == ("raises AttributeError", 11)


@pytest.mark.slow
def test_versions_that_were_lost_with_their_process_are_tried_once_more(verdict, warm, monkeypatch):
    source = RIGHT.replace("K.shape[-1])", "K.shape[-1] + 1)")
    expected = verdict(source).findings[0].mend
    assert expected is not None
    run, lost = warm.pointer.run, []

    def loses_the_first(job):
        if job.edits and not lost:
            lost.append(job)
            return Outcome()
        return run(job)

    monkeypatch.setattr(warm.pointer, "run", loses_the_first)
    assert verdict(source).findings[0].mend == expected
    assert lost


def test_the_mend_as_data(verdict):
    source = RIGHT.replace("np.sqrt(K.shape[-1])", "int(np.sqrt(K.shape[-1]))")
    (mistake,) = verdict(source).as_json()["mistakes"]
    assert mistake["line"] == 5
    assert mistake["mend"] == {
        "before": "scores = Q @ K.swapaxes(-1, -2) / int(np.sqrt(K.shape[-1]))",
        "after": "scores = Q @ K.swapaxes(-1, -2) / np.sqrt(K.shape[-1])",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "searched"),
    [("1 + weights @ V", True), ("str", False), ("1 + weights @ V + np.random.rand()", False)],
    ids=["values", "another kind", "a trouble"],
)
def test_no_mend_is_searched_for_where_there_can_be_none(verdict, warm, monkeypatch, wrong, searched):
    said = []
    monkeypatch.setattr(warm, "saying", said.append)
    assert not verdict(RIGHT.replace("weights @ V", wrong)).passed
    assert said == ["Looking for the line and its mend"] * searched


@pytest.mark.slow
def test_two_mistakes_are_both_pointed_at_and_mended(verdict):
    source = RIGHT.replace("np.sqrt(K.shape[-1])", "np.log(K.shape[-1])").replace("weights @ V", "weights @ V + 1")
    first, second = verdict(source).findings
    assert (first.line, second.line) == (5, 8)
    for finding in (first, second):
        source = source.replace(finding.mend.before, finding.mend.after)
    assert verdict(source).passed


def test_a_missing_statement_is_put_in_and_an_unwritten_result_is_seen(verdict):
    name = "linear"
    source = solution(exercise_named(name)).replace("    db = dout.sum(0)\n", "")
    (found,) = verdict(source, name).findings
    assert "dout.sum(0)" in found.mend.after
    unfinished = RIGHT.replace("    weights = weights / weights.sum(-1, keepdims=True)\n", "")
    assert verdict(unfinished).findings[0].line in (6, 7)


# --- what is recorded -------------------------------------------------------------------------------------------------


def test_an_instrumented_solution_computes_the_same():
    for name in ("self_attention", "bpe", "backprop"):
        for source in variants_of(name).values():
            if "torch" not in source:
                compile(instrumented(source), name, "exec")
    recorder = Recorder()
    names: dict = {SEEN: recorder}
    exec(
        compile(instrumented("def f(x, n=2):\n    y = [x * k for k in range(n)]\n    return y[-1] + 1\n"), "f", "exec"),
        names,
    )
    assert names["f"](3.0, n=3) == 7.0
    nodes = list(ast.walk(ast.parse("def f(x, n=2):\n    y = [x * k for k in range(n)]\n    return y[-1] + 1\n")))
    values = {ast.unparse(nodes[number]): value for number, value in recorder.events}
    assert (values["x"], values["y[-1]"], values["y[-1] + 1"]) == (3.0, 6.0, 7.0)


def test_what_is_recorded_has_a_bound_and_is_a_copy():
    recorder, array = Recorder(), np.arange(5.0)
    for _ in range(100):
        recorder(1, array)
    array += 1
    assert len(recorder.events) == VALUES_OF_ONE_NODE
    assert recorder.events[0][1][0] == 0.0
    for number in range(10_000):
        recorder(number, np.zeros(1000))
    assert sum(np.size(value) for _, value in recorder.events) < NUMBERS + 2000
    assert snapshot(object()) is None
    assert snapshot(np.zeros(10**6)) is None
    assert snapshot({"b": 1, "a": (2, "c")}) == snapshot({"a": (2, "c"), "b": 1})


@pytest.mark.slow
def test_integers_of_thousands_of_digits_are_judged_and_pointed_at(verdict):
    """An edit may turn d_model * d_model into d_model ** d_model."""
    source = (
        "def noam_lr(step, d_model, warmup):\n    size = d_model * d_model\n    rising = step * warmup\n"
        "    falling = step * 3\n    return size * min(falling, rising)\n"
    )
    assert not verdict(source, "noam").passed
    assert not verdict("def noam_lr(step, d_model, warmup):\n    return 4000**4000\n", "noam").passed
    assert snapshot(4000**4000) is None
    assert snapshot([4000**4000, 4000**4000]) is None
    assert loads(dumps(4000**4000)) == Opaque("int")
    assert snapshot(np.complex128(1j)).tolist() == [0, 1]
    assert snapshot(np.float64(0.5)) == 0.5


@pytest.mark.slow
def test_what_an_edited_pytorch_solution_assigns_is_seen():
    pytest.importorskip("torch")
    case = Case("one", (np.arange(3.0),))
    job = Job("a.py", "", (), ("f",), "call", ("y",), [case], True, Limits(), edits=((),), traced=True)
    source = "def f(x):\n    y = x.square().unsqueeze(0)\n    return y\n"
    lines = assigned(job, TracedPieces(source), (), Rounds())
    assert [line for line, _ in lines] == [2, 3]
    assert np.array_equal(lines[0][1], [[0, 1, 4]])


@pytest.mark.parametrize(
    ("before", "pieces"),
    [
        ("import math\n", 2),
        ("a = 1; b = 2\n", 2),
        ("from __future__ import annotations\n", 1),
        ("a = [\n]; b = 2\n", 1),
    ],
)
def test_a_file_is_taken_apart_where_it_can_be(before, pieces):
    source = f"{before}def f(x{': Unknown' if '__' in before else ''} = 1):\n    return x + 2\n"
    taken = Pieces(source)
    assert len(taken.codes) == pieces
    at = source.index("+ 2") + 2
    names: dict = {}
    for code in taken.edited([(at, at + 1, "5")]):
        exec(code, names)
    assert names["f"]() == 6


def test_nothing_is_said_against_a_right_value_under_another_name():
    nodes = list(ast.walk(ast.parse("a = b + c")))
    number = next(n for n, node in enumerate(nodes) if isinstance(node, ast.BinOp))
    for found, said in (EXACT, ""), (UNKNOWN, "up to here all is right, a is the first that is not."):
        assert told(Alignment(nodes, [Event(number, 1.5, [], found)], suspects=[number]), []) == said


def test_what_an_edit_reports_is_checked():
    job = Job("a.py", "", (), ("f",), "call", (), [], False, Limits(), edits=((),), traced=True)
    end = {"left": 0, "printed": "", "cut": False, "exit": 0, "overfull": False}
    for outputs, ending in ([[3, 1.5]], "finished"), ([5], "lost"), ([[3, {}]], "lost"), ([["a", 1]], "lost"):
        lines = [dumps({"kind": "edit", "outputs": outputs}), dumps({"kind": "done", "seconds": 0.0})]
        assert outcome_of(end, "\n".join(lines).encode(), job).ending == ending


def test_values_are_found_however_they_are_laid_out():
    array = np.random.default_rng(0).standard_normal((2, 3))
    right = RightValues.of([RightRun("", [], [(0, array), (1, 4), (2, np.array([np.inf, np.nan]))])])
    assert right.find(array.copy()) == EXACT
    assert right.find(array[:, None]) == EXACT
    assert right.find(array.T) == right.find(array.ravel()) == MOVED
    assert right.find(array * 1.001) == right.find(5) == UNKNOWN
    assert right.find(4.0) == right.find(np.array([np.inf, np.nan])) == EXACT


def test_edits_are_python_and_change_the_line_they_name():
    source = RIGHT
    editor = Editor(source, ast.parse(source))
    edits = [edit for number in range(len(editor.nodes)) for edit in (*editor.narrow(number), *editor.wide(number))]
    assert len(edits) > 500
    for edit in edits[::7]:
        new = edited(source, edit.parts)
        ast.parse(new)
        assert new != source or edit.kind


def test_a_file_nested_deeply_is_judged_all_the_same(verdict):
    deep = "1 + " * 400 + "1"
    source = RIGHT.replace("    weights = np.exp", f"    weights = {deep}\n    weights = np.exp", 1)
    assert verdict(source).passed
    assert not verdict(source.replace(" / np.sqrt(K.shape[-1])", "")).passed


def test_a_file_that_is_wrong_in_an_endless_loop_has_its_end(verdict, warm, monkeypatch):
    monkeypatch.setattr(warm, "limits", SHORT)
    source = RIGHT.replace("    weights = np.exp", "    while len(Q) == 3:\n        pass\n    weights = np.exp", 1)
    assert verdict(source).findings[0].name == "time limit"
