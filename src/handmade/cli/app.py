"""The program's commands, and how errors reach the person at the keyboard.

A command's file imports the rooms it needs inside its function, so that `handmade --help` loads none of them.
"""

import sys
from collections.abc import Iterable
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer

from handmade import __version__
from handmade.errors import InputError, JudgeError

COMMANDS = {
    "plan": "Show what is next today.",
    "review": "Ask the cards that are due.",
    "cards": "Find and read concept cards; write them for Anki.",
    "explain": "Explain a card, an exercise or a network.",
    "vault": "Write cards and plan into an Obsidian vault.",
    "train": None,  # the first sentence of what its own --help says
    "eval": None,
    "predict": "Classify images or sounds, or fill in masks.",
    "sample": "Write text with a trained model.",
    "similar": "Find the lines closest in meaning to a sentence.",
    "translate": "Translate with a trained model.",
    "picture": None,
    "look": "Look into live models in the browser.",
    "models": None,
    "data": None,
    "start": "Create a workspace of exercises.",
    "check": "Check a solution: which mistake is in it?",
    "try": "Run your function on one case.",
    "watch": None,
    "hint": "Show an exercise's next hint.",
    "solution": "Print our solution to a passed exercise.",
    "reset": "Restore an exercise's stub.",
    "progress": "Show your progress.",
    "interview": "Solve an exercise against the clock.",
    "drill": "Find the mistake in our code.",
    "audit": "Test the judge itself.",
}
"""Each command with what `handmade --help` says of it. It is the function of its name in the file of its name."""

_NAMED_OTHERWISE = {"eval": "evaluate", "try": "try_"}  # names of Python's own


def application(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The program with the commands of these names; the files of the others are not imported."""
    program = typer.Typer(
        help="The canonical neural networks, made by hand on NumPy. Without a command: where you stand in the plan.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # rich takes longer to load than the rest of the help
        pretty_exceptions_enable=False,
    )
    program.callback()(_options)  # and a command that is alone is still called by its name
    for name in names:
        file = _NAMED_OTHERWISE.get(name, name)
        function = getattr(import_module(f"handmade.cli.{file}"), file)
        program.command(name, short_help=COMMANDS[name])(function)
    return program


def _print_version(asked: bool) -> bool:
    if asked:
        typer.echo(f"handmade {__version__}")
        raise typer.Exit
    return asked


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


def run() -> None:
    """Run the program: what a person gave and cannot be used ends it with one sentence and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a screen of few signs shows ? for ✓
    try:
        if len(sys.argv) == 1:
            _say_where_one_stands()
        asked = sys.argv[1]
        application([asked] if asked in COMMANDS else COMMANDS)()
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
    from handmade.cli.screen import say
    from handmade.cli.studying import overview

    say(overview())
    sys.exit(0)


def _fail(message: str) -> None:
    from handmade.cli.screen import say

    say(f"handmade: {message}", error=True)
    sys.exit(2)
