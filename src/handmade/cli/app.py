"""The program's commands, and how errors reach the person at the keyboard.

A command's file imports the rooms it needs inside its function, so that `handmade --help` loads none of them.
"""

import sys
from typing import NoReturn

import typer

from handmade.cli import (
    audit,
    cards,
    check,
    data,
    drill,
    evaluate,
    explain,
    hint,
    interview,
    models,
    picture,
    plan,
    predict,
    progress,
    reset,
    review,
    sample,
    similar,
    solution,
    start,
    train,
    translate,
    try_,
    vault,
    watch,
)
from handmade.errors import InputError, JudgeError

app = typer.Typer(
    help="The canonical neural networks, made by hand on NumPy. Without a command: where you stand in the plan.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich takes longer to load than the rest of the help
    pretty_exceptions_enable=False,
)


app.command("plan", short_help="Show what is next today.")(plan.plan)
app.command("review", short_help="Ask the cards that are due.")(review.review)
app.command("cards", short_help="Find and read concept cards; write them for Anki.")(cards.cards)
app.command("explain", short_help="Explain a card, an exercise or a network.")(explain.explain)
app.command("vault", short_help="Write cards and plan into an Obsidian vault.")(vault.vault)
app.command("train")(train.train)
app.command("eval")(evaluate.evaluate)
app.command("predict", short_help="Classify images or sounds, or fill in masks.")(predict.predict)
app.command("sample", short_help="Write text with a trained model.")(sample.sample)
app.command("similar", short_help="Find the lines closest in meaning to a sentence.")(similar.similar)
app.command("translate", short_help="Translate with a trained model.")(translate.translate)
app.command("picture")(picture.picture)
app.command("models")(models.models)
app.command("data")(data.data)
app.command("start", short_help="Create a workspace of exercises.")(start.start)
app.command("check", short_help="Check a solution: which mistake is in it?")(check.check)
app.command("try", short_help="Run your function on one case.")(try_.try_)
app.command("watch")(watch.watch)
app.command("hint", short_help="Show an exercise's next hint.")(hint.hint)
app.command("solution", short_help="Print our solution to a passed exercise.")(solution.solution)
app.command("reset", short_help="Restore an exercise's stub.")(reset.reset)
app.command("progress", short_help="Show your progress.")(progress.progress)
app.command("interview", short_help="Solve an exercise against the clock.")(interview.interview)
app.command("drill", short_help="Find the mistake in our code.")(drill.drill)
app.command("audit", short_help="Test the judge itself.")(audit.audit)


def main() -> None:
    """Run the program: what a person gave and cannot be used ends it with one sentence and exit code 2."""
    try:
        if len(sys.argv) == 1:
            _say_where_one_stands()
        app()
    except InputError as error:
        _fail(str(error))
    except JudgeError as error:
        from handmade.cli.reporting import keep_for_a_report

        keep_for_a_report(error)
        sys.exit(3)
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}.")


def _say_where_one_stands() -> NoReturn:
    from handmade.cli.studying import overview, show

    show(overview())
    sys.exit(0)


def _fail(message: str) -> None:
    print(f"handmade: {message}", file=sys.stderr)
    sys.exit(2)
