"""The program's commands, and how errors reach the person at the keyboard.

A command's file imports the rooms it needs inside its function, so that `handmade --help` loads none of them.
"""

import sys

import typer

from handmade.cli import (
    audit,
    check,
    data,
    drill,
    evaluate,
    hint,
    interview,
    models,
    picture,
    predict,
    progress,
    reset,
    sample,
    similar,
    solution,
    start,
    train,
    translate,
    watch,
)
from handmade.errors import InputError

app = typer.Typer(
    help="The canonical neural networks, made by hand on NumPy.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich takes longer to load than the rest of the help
    pretty_exceptions_enable=False,
)
app.command("train")(train.train)
app.command("eval")(evaluate.evaluate)
app.command("predict")(predict.predict)
app.command("sample")(sample.sample)
app.command("similar")(similar.similar)
app.command("translate")(translate.translate)
app.command("picture")(picture.picture)
app.command("models")(models.models)
app.command("data")(data.data)
app.command("start")(start.start)
app.command("check")(check.check)
app.command("watch")(watch.watch)
app.command("hint")(hint.hint)
app.command("solution")(solution.solution)
app.command("reset")(reset.reset)
app.command("progress")(progress.progress)
app.command("interview")(interview.interview)
app.command("drill")(drill.drill)
app.command("audit")(audit.audit)


def main() -> None:
    """Run the program: what a person gave and cannot be used ends it with one sentence and exit code 2."""
    try:
        app()
    except InputError as error:
        _fail(str(error))
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}.")


def _fail(message: str) -> None:
    print(f"handmade: {message}", file=sys.stderr)
    sys.exit(2)
