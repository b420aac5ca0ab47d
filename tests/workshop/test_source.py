"""Stubs, solutions and faulty code made from the references."""

import ast

import pytest

from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.folding import fold
from handmade.workshop.judging.audit import results_of
from handmade.workshop.judging.counterfactuals import Counterfactuals
from handmade.workshop.judging.reading import read
from handmade.workshop.source import faulty, solution, stub


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_solution_is_right_and_each_faulty_source_has_its_fault(name):
    exercise = exercise_named(name)
    given = Counterfactuals(exercise, exercise.all_cases())
    for fault in (None, *exercise.faults):
        source = solution(exercise) if fault is None else faulty(exercise, fault)
        assert "wrong(" not in source
        assert "convention(" not in source
        assert "handmade" not in source
        got, switches = results_of(source, exercise), frozenset([fault] if fault else [])
        assert all(given.agrees(result, switches, number) for number, result in enumerate(got)), fault


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_has_the_statement_and_is_not_written_yet(name, tmp_path):
    exercise, path = exercise_named(name), tmp_path / "stub.py"
    path.write_text(stub(exercise), "utf-8")
    assert [mistake.name for mistake in read(path, exercise, exercise.all_cases()).findings] == ["not written yet"]
    docstring = ast.get_docstring(ast.parse(stub(exercise)))
    assert docstring is not None
    assert exercise.statement in docstring


FOLDED = [
    ("y = 1 if wrong('a') else x + 2", "y = x + 2", "y = 1"),
    ("y = (1 if wrong('a') else x)", "y = x", "y = 1"),
    ("y = 3 * (1 if wrong('a') else x + 2)", "y = 3 * (x + 2)", "y = 3 * 1"),
    ("y = f(1 if wrong('a') else x)", "y = f(x)", "y = f(1)"),
    ("y = 1 if wrong('a') else 2 if wrong('b') else x", "y = x", "y = 1"),
    ("y = 1 if not wrong('a') and x else 2", "y = 1 if x else 2", "y = 2"),
    ("y = 1 if x or wrong('a') else 2", "y = 1 if x else 2", "y = 1"),
    ("y = 1 if (x or z) and not wrong('a') else 2", "y = 1 if x or z else 2", "y = 2"),
    ("if wrong('a'):\n    y = 1\nelse:\n    y = x  # why\nz = 3", "y = x  # why\nz = 3", "y = 1\nz = 3"),
    ("if not wrong('a'):\n    # why\n    y = x\nz = 3", "# why\ny = x\nz = 3", "z = 3"),
    (
        "if x:\n    y = 1\nelif wrong('a'):\n    y = 2\nelse:\n    y = 3",
        "if x:\n    y = 1\nelse:\n    y = 3",
        "if x:\n    y = 1\nelse:\n    y = 2",
    ),
    ("if wrong('a'):\n    y = 1\nelif x:\n    y = 2", "if x:\n    y = 2", "y = 1"),
    ("if x and not wrong('a'):\n    y = 1", "if x:\n    y = 1", ""),
    ("if x:\n    if wrong('a'):\n        y = 1", "if x:\n    pass", "if x:\n    y = 1"),
    ("µ = 'é' * (1 if wrong('a') else x)", "µ = 'é' * x", "µ = 'é' * 1"),
]


@pytest.mark.parametrize(("source", "off", "on"), FOLDED)
def test_folding_keeps_the_layout_and_the_comments(source, off, on):
    assert fold(source) == off
    assert fold(source, frozenset("a")) == on


@pytest.mark.parametrize("source", ["y = x * wrong('a')", "if wrong('a'): y = 1", "y = [wrong('a')]"])
def test_other_forms_are_refused(source):
    with pytest.raises(ValueError, match="switch"):
        fold(source)
