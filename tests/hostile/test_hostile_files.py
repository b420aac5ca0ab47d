"""Every file of these folders, under every confinement that this machine can enter: refused or contained, and named.

`expected.toml` says what the judge says of each. They are Python, and run in the project's sandbox and nowhere else.
"""

import os
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from handmade.errors import InputError
from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging.judge import Judge
from handmade.workshop.judging.sandbox import Sandbox, confinements
from tests.support.judging import RIGHT, SMALL

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
EXPECTED = tomllib.loads((HERE / "expected.toml").read_text("utf-8"))
SHORTER = replace(SMALL, seconds=0.1)  # for those that do not end, which may be ended before they begin, too
FILES = [f"{kind}/{name}" for kind, names in EXPECTED.items() for name in names]


@pytest.fixture(scope="module", params=confinements())
def judge(request) -> Iterator[Judge]:
    sandbox = Sandbox(request.param)
    try:
        assert sandbox.confinement.name == request.param
    except InputError:  # the program or the kernel's part is there and does not work here: the next best
        sandbox.close()
        sandbox = Sandbox()
    with Judge(SMALL, sandbox) as judge:
        yield judge


@pytest.fixture(scope="module")
def right(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("right") / "self_attention.py"
    path.write_text(RIGHT)
    return path


@pytest.mark.parametrize("file", FILES)
def test_it_is_contained_and_named_and_the_next_verdict_is_right(judge, right, file, monkeypatch):
    kind, name = file.split("/")
    said = EXPECTED[kind][name]
    exercise, said = (said["exercise"], said["said"]) if isinstance(said, dict) else ("self_attention", said)
    path = HERE / kind / f"{name}.txt"
    before, around = path.read_bytes(), sorted(os.listdir(path.parent))
    allowed = said.split(" | ")
    with monkeypatch.context() as patch:
        patch.setattr(judge, "limits", SHORTER if "time limit" in allowed else SMALL)
        verdict = judge.check(path, exercise_named(exercise))
    names = [finding.name for finding in verdict.findings]
    if allowed != ["*"]:
        assert (set(names) & set(allowed)) or (verdict.passed and "passes" in allowed), (names, verdict.findings)
    assert verdict.passed is not bool(names)
    assert path.read_bytes() == before
    assert [entry for entry in sorted(os.listdir(path.parent)) if entry != "__pycache__"] == around
    for finding in verdict.findings:
        shown = finding.name + finding.message + finding.evidence
        assert len(shown) < 12_000
        assert all(sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs") for sign in shown)
    after = judge.check(right, exercise_named("self_attention"))
    assert after.passed, (file, after.findings)


def test_nothing_was_written_outside(judge):
    assert not [path for path in Path("/tmp").glob("hostile*") if not path.is_dir()]
    assert not Path("/etc/hostile").exists()


def test_every_file_is_expected_and_there_are_enough():
    there = {f"{path.parent.name}/{path.stem}" for path in HERE.glob("*/*.txt")}
    assert there == set(FILES)
    assert len(FILES) >= 150
