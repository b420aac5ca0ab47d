"""The exercises as notebooks, one a topic: for courses, and for Jupyter and Colab without a terminal.

They are in nbformat 4.5, which is JSON: https://nbformat.readthedocs.io.
"""

import ast
import json
import textwrap
from pathlib import Path
from typing import Any

from handmade.files import write_text
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import TOPICS, exercise_named, names_of
from handmade.workshop.source import stub
from handmade.workshop.workspace import made

FOLDER = "notebooks"

COLUMNS = 88
"""Of text in a cell of a notebook."""


def write_notebooks(folder: Path) -> list[Path]:
    """Write the notebooks that a workspace lacks into its folder `notebooks`; those that are there stay as they are."""
    written = []
    for topic in TOPICS:
        path = made(folder / FOLDER) / f"{topic}.ipynb"
        names = names_of(topic)
        if names and not path.exists():
            write_text(path, json.dumps(notebook(topic, [exercise_named(name) for name in names]), indent=1) + "\n")
            written.append(path)
    return written


def notebook(topic: str, exercises: list[Exercise]) -> dict[str, Any]:
    """One topic's notebook: for each exercise its statement, and a cell that is judged as it runs."""
    cells = [
        _cell("markdown", f"{topic}-about", _about(topic, len(exercises))),
        _cell("code", f"{topic}-load", "# %pip install handmade  # where it is not installed yet\n%load_ext handmade"),
    ]
    for exercise in exercises:
        cells += [
            _cell("markdown", f"{exercise.name}-text", _text(exercise)),
            _cell("code", exercise.name, f"%%check {exercise.name}\n{_without_statement(stub(exercise))}"),
        ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _about(topic: str, count: int) -> str:
    return (
        f"# {topic.capitalize()}: {count} exercise{'s' if count > 1 else ''}\n\n"
        "Replace `raise NotImplementedError` with your code and run the cell: `%%check` says whether it is right, and "
        "which mistake is in it. It runs in a process of its own, and then here.\n\n"
        "`%hint NAME` gives a hint (`%hint NAME 2` the second), `%%try NAME` in place of `%%check NAME` shows what "
        "yours gives on one case, and `%solution NAME` prints our code. From Python: `handmade.workshop.check(NAME, "
        "function)`."
    )


def _text(exercise: Exercise) -> str:
    return (
        f"## {exercise.title}\n\n```text\n{_narrow(exercise.statement)}\n```\n\n"
        f"Paper: {exercise.paper}. About {exercise.minutes} minutes."
    )


def _narrow(statement: str) -> str:
    """A statement in lines of so many columns as a cell has; formulas, which stand further right, as they are."""
    paragraphs = statement.split("\n\n")
    return "\n\n".join(text if "\n " in f"\n{text}" else textwrap.fill(text, COLUMNS) for text in paragraphs)


def _without_statement(source: str) -> str:
    """A stub without its first docstring, which stands above the cell."""
    node = ast.parse(source).body[0]
    return "\n".join(source.split("\n")[node.end_lineno or 0 :]).strip() + "\n"


def _cell(kind: str, id: str, source: str) -> dict[str, Any]:
    lines = source.rstrip("\n").splitlines(keepends=True)
    cell = {"cell_type": kind, "id": id.replace("_", "-")[:64], "metadata": {}, "source": lines}
    return cell if kind == "markdown" else {**cell, "execution_count": None, "outputs": []}
