"""The examples that need no published weights run as they are told to be run (the others: tests/models)."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def digit_strings():
    """The names of the example."""
    return runpy.run_path(str(EXAMPLES / "digit_strings.py"))


@pytest.mark.slow
def test_digit_strings_learns_and_reads(shared_data, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["digit_strings.py", "--steps", "2", "--batch-size", "3", "--test", "2"])
    runpy.run_path(str(EXAMPLES / "digit_strings.py"), run_name="__main__")
    first, greedy, beam = capsys.readouterr().out.splitlines()
    assert first.startswith("step 0: loss ")
    assert greedy.startswith("greedy: ")
    assert beam.startswith("beam search: ")


@pytest.mark.parametrize(
    ("found", "said", "wrong"),
    [([], [1, 2], 2), ([1, 2], [], 2), ([1, 2, 3], [1, 3], 1), ([1, 4, 3], [1, 2, 3], 1), ([2, 1], [1, 2], 2)],
)
def test_digits_wrong(digit_strings, found, said, wrong):
    assert digit_strings["digits_wrong"](found, said) == wrong


@pytest.mark.slow
def test_the_notebooks_run_from_top_to_bottom(tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("anywidget")
    both = [nbformat.read(path, as_version=4) for path in sorted(EXAMPLES.glob("*.ipynb"))]
    assert len(both) == 2
    for one in both:
        nbformat.validate(one)
        assert all(not cell.outputs for cell in one.cells if cell.cell_type == "code"), "outputs do not belong there"
    together = both[0]
    together.cells += both[1].cells  # one kernel for both: it takes longer to start than they to run
    (train,) = [cell for cell in together.cells if "STEPS = 300" in cell.source]
    train.source = train.source.replace("STEPS = 300", "STEPS = 2")
    nbclient.NotebookClient(together, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    code = {cell.id: cell.outputs for cell in together.cells if cell.cell_type == "code"}
    for shown in ("hand", "given", "conv", "heads"):
        assert any("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in code[shown])
    assert code["function"][0]["data"]["text/plain"].startswith("array([[1.")
    assert code["ablation"][0]["data"]["text/plain"].count(",") == 7  # two layers of four heads
