"""The audit of every exercise: each mistake refused by its name, nothing that is right refused."""

import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from handmade.workshop import exercises
from handmade.workshop.exercises import NAMES, ORDER, TOPICS, exercise_named
from handmade.workshop.judging.audit import audit
from handmade.workshop.judging.reading import read
from handmade.workshop.variants import variants_of


@pytest.mark.slow
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


@pytest.mark.slow
def test_an_exercise_is_added_by_its_files_alone(tmp_path):
    """A copy of the workshop, a file for the exercise and one for its right solutions: the rest is as it was."""
    package = Path(exercises.__file__).parents[2]
    copy = tmp_path / "handmade"
    shutil.copytree(package, copy, ignore=lambda folder, names: {"packaged", "__pycache__"} & set(names))
    for kind in ("exercises", "variants"):
        folder = copy / "workshop" / kind / "basics"
        (folder / "softer.py").write_text((folder / "softmax.py").read_text("utf-8"), "utf-8")
    code = (
        "from handmade.workshop.exercises import NAMES, ORDER, TOPICS, exercise_named\n"
        "from handmade.workshop.judging.audit import audit\n"
        "from handmade.workshop.workspace import Workspace\n"
        "from pathlib import Path\n"
        "assert audit(exercise_named('softer')).stub_refused\n"
        "print(exercise_named('softer').name, Workspace(Path('ws')).where('causal_mask'), *NAMES)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert ran.stdout.split() == ["softer", "attention/causal_mask.py", *NAMES, "softer"], ran.stderr


def test_every_topic_is_a_folder_and_the_order_of_study_names_what_is_there():
    folders = {path.name for path in Path(exercises.__file__).parent.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(TOPICS)
    assert NAMES[: len(ORDER)] == ORDER


def test_old_module_names_say_where_they_went():
    with pytest.raises(ModuleNotFoundError, match="has moved: .* handmade.workshop.judging.judge"):
        import_module("handmade.workshop.judge")
    with pytest.raises(ModuleNotFoundError, match="has moved: .* handmade.workshop.exercises.attention.causal_mask"):
        import_module("handmade.workshop.exercises.causal_mask")


def test_what_the_learners_process_loads_is_the_cell_alone():
    code = (
        "import sys, types\n"
        "for name, folder in {packages!r}:\n"
        "    sys.modules[name] = package = types.ModuleType(name)\n"
        "    package.__path__ = [folder]\n"
        "import handmade.workshop.cell.worker\n"
        "print(*sorted(name for name in sys.modules if name.startswith('handmade')))\n"
    )
    package = Path(exercises.__file__).parents[2]
    packages = [("handmade", str(package)), ("handmade.workshop", str(package / "workshop"))]
    ran = subprocess.run(
        [sys.executable, "-c", code.format(packages=packages)], capture_output=True, text=True, check=True
    )
    loaded = set(ran.stdout.split())
    assert all(name.startswith("handmade.workshop.cell") for name in loaded - {"handmade", "handmade.workshop"})
