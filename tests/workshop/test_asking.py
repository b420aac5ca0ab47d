"""The workshop from Python and from notebooks, without a terminal."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest

import handmade.workshop
from handmade.errors import InputError
from handmade.workshop.exercises import NAMES, TOPICS, exercise_named
from handmade.workshop.gathering import with_surroundings
from handmade.workshop.notebooks import notebook, write_notebooks
from handmade.workshop.source import solution
from handmade.workshop.workspace import start

SCALE = 2.0


def exponentials(x):
    return np.exp(x - x.max(-1, keepdims=True))


def mine(Q, K, V):
    """With a helper, a module and a constant of this file."""
    weights = exponentials(Q @ np.swapaxes(K, -1, -2) / (SCALE / 2))
    weights = weights / weights.sum(-1, keepdims=True)
    return weights @ V, weights


def right(Q, K, V):
    weights = exponentials(Q @ np.swapaxes(K, -1, -2) / np.sqrt(K.shape[-1]))
    weights = weights / weights.sum(-1, keepdims=True)
    return weights @ V, weights


def raising(x, axis=-1):
    return x.nothing()


def test_a_function_is_judged_whatever_its_name_with_what_it_needs():
    answer = handmade.workshop.check("self_attention", mine)
    assert not answer.passed
    assert answer.mistakes == ["no scale"]
    assert repr(answer).startswith("✗ Self-attention: not yet\n\n  no scale\n  The scores are not divided")
    assert handmade.workshop.check("35", right, seed=1).passed
    assert (
        "✓ Self-attention: passed" in handmade.workshop.check("Self-Attention", right, case="one query")._repr_html_()
    )


def test_an_error_is_shown_with_its_line_marked_where_it_was_written():
    answer = handmade.workshop.check("softmax", raising)
    number = raising.__code__.co_firstlineno + 1
    assert f"> {number:3}      return x.nothing()" in repr(answer)
    assert f"<mark>&gt; {number:3}      return x.nothing()</mark>" in answer._repr_html_()


@pytest.mark.slow
def test_values_are_tables_in_a_notebook():
    def unnormalised(x, axis=-1):
        return 2 * exponentials(x)

    shown = handmade.workshop.check("softmax", unnormalised)._repr_html_()
    assert "<caption>x</caption><tr><td" in shown
    assert "<caption>expected probabilities</caption>" in shown
    assert "<script" not in handmade.workshop.check("softmax", unnormalised)._repr_html_()


def test_a_function_is_tried_and_hints_and_sources_are_had_from_python():
    assert "gives\n  output = [[" in str(handmade.workshop.try_("self_attention", right))
    assert handmade.workshop.hint("softmax", 2) == exercise_named("softmax").hints[1]
    assert "raise NotImplementedError" in handmade.workshop.stub("1")
    assert handmade.workshop.statement("softmax").startswith("Softmax")
    assert "def softmax" in handmade.workshop.solution("softmax")


def test_a_file_is_judged_where_it_is_beside_its_own_modules(tmp_path):
    (tmp_path / "own_helper.py").write_text("import numpy as np\n\ndef exponentials(x):\n    return np.exp(x)\n")
    path = tmp_path / "softmax.py"
    path.write_text(
        "from own_helper import exponentials\n\ndef softmax(x, axis=-1):\n"
        "    e = exponentials(x - x.max(axis, keepdims=True))\n    return e / e.sum(axis, keepdims=True)\n"
    )
    assert handmade.workshop.check("softmax", path).passed
    assert "gives" in str(handmade.workshop.try_("softmax", str(path)))
    path.write_text("import nothing_of_mine\n" + path.read_text())
    assert ">   1  import nothing_of_mine" in repr(handmade.workshop.check("softmax", path))
    path.write_text(path.read_text(), "utf-16")
    assert "text in UTF-16" in repr(handmade.workshop.check("softmax", path))


@pytest.mark.parametrize(
    ("solution", "told"),
    [
        ((), "check needs the solution, too"),
        ((3,), "the solution is 3, expected a function"),
        ((len,), "the source of len is not to be had"),
        ((lambda x: x,), "write the function with def"),
        (("none.py",), "cannot read none.py"),
    ],
)
def test_what_is_no_solution_is_said(solution, told):
    with pytest.raises(InputError, match=told):
        handmade.workshop.check("softmax", *solution)


def test_what_a_cell_uses_comes_along_in_the_first_line():
    body = "def f(x):\n    return np.exp(x) * scale + table[0] + g(x)\n"
    source = with_surroundings(body, {"np": np, "scale": 2, "table": np.arange(2.0), "g": exponentials, "other": 1})
    first, *rest = source.split("\n")
    assert "import numpy as np" in first
    assert "scale = 2" in first
    assert "other" not in first
    assert rest[0] == "def f(x):"
    namespace: dict = {}
    exec(source, namespace)
    assert namespace["f"](np.zeros(3)).tolist() == [3.0, 3.0, 3.0]
    assert with_surroundings("def f(:\n", {"np": np}).split("\n")[1] == "def f(:"


@pytest.fixture(scope="module")
def shell():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "handmade")
    yield shell
    assert shell.history_manager
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def run(shell, cell):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        result = shell.run_cell(cell).result
    return result, out.getvalue() + err.getvalue()


def test_a_cell_is_judged_and_then_runs(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(start(tmp_path / "ws").workspace.folder)
    run(shell, "import numpy as np\nlast = -1")
    body = (
        "def softmax(x, axis=last):\n    e = np.exp(x - x.max(axis, keepdims=True))\n    return e / e.sum(axis, {})\n"
    )
    answer, _ = run(shell, "%%check softmax\n" + body.format("keepdims=False"))
    assert not answer.passed
    assert "> " in repr(answer)
    answer, _ = run(shell, "%%check softmax\n" + body.format("keepdims=True"))
    assert answer.passed
    assert run(shell, "softmax(np.zeros(2)).tolist()")[0] == [0.5, 0.5]
    record = json.loads((tmp_path / "ws" / "progress.json").read_text())["exercises"]["softmax"]
    assert (record["attempts"], record["passed"] is not None) == (2, True)
    tried, _ = run(shell, "%%try softmax\n" + body.format("keepdims=True"))
    assert "gives" in str(tried)
    assert exercise_named("softmax").hints[1] in run(shell, "%hint softmax 2")[1]
    assert "def softmax" in run(shell, "%solution softmax")[1]
    for cell in ("%%check softmx\nx = 1", "%hint softmx", "%%check\nx = 1"):
        said = run(shell, cell)[1]
        assert "there is no exercise" in said
        assert "Traceback" not in said


def test_notebooks_are_one_a_topic_valid_and_never_replaced(tmp_path):
    import nbformat

    written = write_notebooks(tmp_path)
    assert [path.stem for path in written] == list(TOPICS)
    cells = []
    for path in written:
        read = nbformat.read(path, as_version=4)
        nbformat.validate(read)
        cells += [cell.source for cell in read.cells if cell.source.startswith("%%check")]
    assert [cell.split()[1] for cell in cells] == sorted(
        NAMES, key=lambda name: TOPICS.index(exercise_named(name).topic)
    )
    assert all("NotImplementedError" in cell for cell in cells)
    written[0].write_text("mine")
    assert write_notebooks(tmp_path) == []
    assert written[0].read_text() == "mine"


def test_the_first_cell_of_a_notebook_is_judged_once_it_is_written(shell):
    cells = notebook("basics", [exercise_named("softmax")])["cells"]
    source = "".join(cells[-1]["source"])
    assert "not written yet" in repr(run(shell, source)[0])
    written = solution(exercise_named("softmax"))
    assert run(shell, f"%%check softmax\n{written}")[0].passed
