"""The audit of every exercise: each mistake refused by its name, nothing that is right refused."""

import pytest

from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.judging.audit import audit
from handmade.workshop.judging.reading import read
from handmade.workshop.variants import variants_of


@pytest.mark.parametrize("name", NAMES)
def test_the_judge_names_every_mistake_and_accepts_what_is_right(name):
    found = audit(exercise_named(name))
    assert {fault: named for fault, named in found.singles.items() if named != fault} == {}
    assert [pair for pair, named in found.pairs.items() if named == ()] == []
    assert found.ambiguous == []
    assert [style for style, accepted in found.accepted.items() if not accepted] == []
    assert found.stub_refused
    both = [pair for pair, named in found.pairs.items() if named is not None and set(named) == set(pair)]
    assert len(both) >= 0.7 * len(found.pairs)  # 0.85 of all together: `handmade audit`


@pytest.mark.parametrize("name", NAMES)
def test_no_right_solution_is_refused_before_it_runs(name, tmp_path):
    exercise, styles = exercise_named(name), variants_of(name)
    assert len(styles) >= 3
    for source in styles.values():
        path = tmp_path / "variant.py"
        path.write_text(source, "utf-8")
        assert read(path, exercise, exercise.all_cases()).findings == []


@pytest.mark.parametrize("name", NAMES)
def test_each_exercise_is_complete(name):
    exercise = exercise_named(name)
    assert exercise.name == name
    assert exercise.statement
    assert len(exercise.hints) == 3
    labels = [case.label for case in exercise.all_cases()]
    assert len(set(labels)) == len(labels)
    assert not set(exercise.faults) & set(exercise.conventions)
    assert all(fault.cause and fault.consequence and fault.mend for fault in exercise.faults.values())
