"""Gradescope and GitHub Classroom: their forms of a result, and the files that a teacher puts there.

Gradescope runs `run_autograder` on one student's folder and reads results.json ("Autograder specifications" of its
documentation). GitHub Classroom's reporter (education/autograding-grading-reporter) reads one base64 text for each
step of a workflow.
"""

import base64
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from handmade import __version__
from handmade.classroom.grading import Grade
from handmade.classroom.summary import mistakes
from handmade.errors import InputError
from handmade.files import cannot_write, write_bytes, write_text

Service = Literal["gradescope", "github"]

PLACES: dict[Service, str] = {"gradescope": "/autograder/submission", "github": '"$PWD"'}
"""Where a service has put the student's files."""

SETUP_SH = f"""#!/usr/bin/env bash
set -euo pipefail
apt-get update -qq
apt-get install -y -qq python3-venv bubblewrap
python3 -m venv /opt/handmade
/opt/handmade/bin/pip install --quiet "handmade=={__version__}"
"""

RUN_AUTOGRADER = """#!/usr/bin/env bash
set -euo pipefail
mkdir -p /autograder/results
/opt/handmade/bin/{command} > /autograder/results/results.json
"""

WORKFLOW = f"""name: Autograding Tests
on: [push, workflow_dispatch]
permissions:
  checks: write
  actions: read
  contents: read
jobs:
  autograding:
    runs-on: ubuntu-latest
    if: github.actor != 'github-classroom[bot]'
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install --quiet "handmade=={__version__}"
      - id: handmade
        run: echo "result=$({{command}})" >> "$GITHUB_OUTPUT"
      - uses: education/autograding-grading-reporter@v1
        env:
          HANDMADE_RESULTS: ${{{{{{{{steps.handmade.outputs.result}}}}}}}}
        with:
          runners: handmade
"""


def as_gradescope(grades: Sequence[Grade], expected: Sequence[str], notes: Sequence[str] = ()) -> str:
    """results.json: a point for each exercise that is passed, and what is wrong with the others."""
    return json.dumps(
        {
            "output": "\n".join(notes),
            "output_format": "text",
            "tests": [
                {
                    "name": name,
                    "score": 1.0 if passed else 0.0,
                    "max_score": 1.0,
                    "status": "passed" if passed else "failed",
                    "output": words,
                    "output_format": "text",
                    "visibility": "visible",
                }
                for name, passed, words in _results(grades, expected)
            ],
        }
    )


def as_github(grades: Sequence[Grade], expected: Sequence[str]) -> str:
    """What the reporter reads, in base64: each exercise is a test, and the share that is passed is the score."""
    results = list(_results(grades, expected))
    passed = all(passed for _, passed, _ in results)
    facts: dict[str, Any] = {
        "version": 1,
        "status": "pass" if passed else "fail",
        "max_score": len(results),
        "tests": [
            {"name": name, "status": "pass" if passed else "fail", "message": None if passed else words}
            for name, passed, words in results
        ],
    }
    return base64.b64encode(json.dumps(facts).encode()).decode()


def _results(grades: Sequence[Grade], expected: Sequence[str]) -> Iterator[tuple[str, bool, str]]:
    """Name, whether passed, and the words about it, of each expected exercise."""
    own = {grade.exercise: grade for grade in grades}
    for name in expected:
        if name not in own:
            yield name, False, f"There is no file {name}.py."
            continue
        told = zip(mistakes(own[name]), own[name].verdict["mistakes"], strict=True)
        said = [f"{words}. {mistake['message']}" for words, mistake in told]
        yield name, own[name].passed, "\n\n".join(said) or "passed"


def set_up(service: Service, folder: Path, exercises: Sequence[str]) -> Path:
    """Write the file that a teacher gives the service; its path. Raises InputError where it is there already.

    Gradescope takes autograder.zip; GitHub Classroom a workflow in the repository that students start from.
    """
    chosen = ["--exercises", ",".join(exercises)] if exercises else []
    command = " ".join(["handmade", "grade", *chosen, "--for", service, PLACES[service]])
    path = folder / ("autograder.zip" if service == "gradescope" else ".github/workflows/classroom.yml")
    if path.exists():
        raise InputError(f"{path} exists already: remove it, or name another folder.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
    if service == "github":
        write_text(path, WORKFLOW.format(command=command))
        return path
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in (("setup.sh", SETUP_SH), ("run_autograder", RUN_AUTOGRADER.format(command=command))):
            member = zipfile.ZipInfo(name)
            member.external_attr = 0o755 << 16
            archive.writestr(member, text)
    write_bytes(path, content.getvalue())
    return path
