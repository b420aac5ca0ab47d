"""The program's commands, and how errors reach the person at the keyboard.

A command's file imports the rooms it needs inside its function, so that `handmade --help` loads none of them.
"""

import errno
import os
import re
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any, NoReturn

import typer

from handmade import __version__
from handmade.cli.narrow import NarrowCommand, NarrowGroup
from handmade.errors import InputError, JudgeError

COMMANDS = {
    "plan": "Show what is next today.",
    "review": "Ask the cards that are due.",
    "cards": "Find and read concept cards; write them for Anki.",
    "explain": "Explain a card, an exercise or a network.",
    "vault": "Write cards and plan into an Obsidian vault.",
    "train": None,  # the first sentence of what its own --help says
    "sweep": "Train a network with many settings.",
    "eval": None,
    "predict": "Classify images or sounds, or fill in masks.",
    "sample": "Write text with a trained model.",
    "similar": "Find the lines closest in meaning to a sentence.",
    "translate": "Translate with a trained model.",
    "export": "Write a network into a file that other programs load.",
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
    "grade": "Grade the submissions of a class.",
}
"""Each command with what `handmade --help` says of it. It is the function of its name in the file of its name."""

_NAMED_OTHERWISE = {"eval": "evaluate", "try": "try_"}  # names of Python's own


def application(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The program with the commands of these names; the files of the others are not imported."""
    program = typer.Typer(
        cls=NarrowGroup,
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
        program.command(name, cls=NarrowCommand, short_help=COMMANDS[name] or _first_sentence(function))(function)
    return program


def _first_sentence(function: Callable[..., Any]) -> str:
    return re.split(r"(?<=\.)\s", (function.__doc__ or "").strip())[0]


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
        code = application([asked] if asked in COMMANDS else COMMANDS)(prog_name="handmade", standalone_mode=False)
        sys.stdout.flush()  # here, where an error is told in a sentence
        sys.exit(code if isinstance(code, int) else 0)
    except InputError as error:
        _fail(str(error))
    except JudgeError as error:
        from handmade.cli.reporting import keep_for_a_report

        keep_for_a_report(error)
        sys.exit(3)
    except typer.Abort:  # a question that was answered with Ctrl-C or the end of the input
        raise KeyboardInterrupt from None
    except OSError as error:
        if error.filename is not None:
            _fail(f"{error.filename}: {error.strerror}.")
        if isinstance(error, FileNotFoundError) and _is_nowhere():
            _fail("the current folder does not exist any more: go to another.")
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EPIPE):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what Python still wants to write at its end
        if error.errno == errno.EPIPE:  # who reads has seen enough
            sys.exit(1)
        _fail(f"the output cannot be written: {error.strerror}.")
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        _say_misuse(error)


def _is_nowhere() -> bool:
    """Whether the current folder was removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _say_where_one_stands() -> NoReturn:
    from handmade.cli.screen import say
    from handmade.cli.studying import overview

    say(overview())
    sys.exit(0)


def _say_misuse(error: Any) -> NoReturn:
    """What typer found wrong with the command line, and where its help is."""
    from handmade.cli.screen import say

    context = getattr(error, "ctx", None)
    command = context.command_path if context else "handmade"
    say(f"Error: {error.format_message()}\nTry `{command} --help`.", error=True)
    sys.exit(error.exit_code)


def _fail(message: str) -> None:
    from handmade.cli.screen import say

    say(f"handmade: {message}", error=True)
    sys.exit(2)
