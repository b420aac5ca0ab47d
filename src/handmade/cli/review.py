"""handmade review: today's cards, one after another."""

from typing import Annotated

import typer

from handmade.errors import InputError


def review(
    part: Annotated[
        str | None, typer.Option(help="One part of the cards: CNNs, RNNs, Transformers or Training.")
    ] = None,
    item: Annotated[
        str | None, typer.Option(help="One item of the plan, for example resnet, whether its day has come or not.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this many minutes.")] = None,
    new: Annotated[
        int | None, typer.Option(help="How many new cards to ask today; by default as many as the plan needs.")
    ] = None,
    numbers: Annotated[bool, typer.Option("--numbers", help="Drill numbers: type the answer.")] = False,
) -> None:
    """Ask the cards that are due, and what is new today.

    Enter shows the answer to a question. Then rate yourself: 1 (again), 2 (hard), 3 (good) or 4 (easy); beside each
    stands when the card would come back. u undoes the last rating, s skips the card for today, q quits. Each rating is
    saved at once, so you can stop at any time, with Ctrl-C too.
    """
    from pathlib import Path

    from handmade.cli.reviewing import Terminal
    from handmade.study.journal import journal_around
    from handmade.study.session import Chosen, Session

    if minutes is not None and minutes <= 0:
        raise InputError(f"--minutes is {minutes:g}, expected more than 0.")
    if new is not None and new < 0:
        raise InputError(f"--new is {new}, expected 0 or more.")
    journal, workspace = journal_around(Path.cwd())
    session = Session(journal, workspace, Chosen(part, item, numbers, new))
    Terminal(session, workspace, minutes).run()
