"""What the commands of the study room share."""

from datetime import UTC, datetime
from pathlib import Path

from handmade.cli.screen import say
from handmade.news import news_here
from handmade.study.journal import Journal
from handmade.study.standing import Standing, standing_here
from handmade.workshop.workspace import Workspace


def here() -> tuple[Standing, Journal, Workspace | None]:
    """Where the learner of this folder stands now."""
    return standing_here(Path.cwd(), datetime.now(UTC), lambda text: say(text, error=True))


def overview() -> str:
    """What `handmade` says without a command: today in a few lines, or how to begin."""
    from handmade.study.wording import today_in_lines

    standing, _, workspace = here()
    news = news_here(Path.cwd(), workspace.folder if workspace else None)
    if news:
        news.append("")
    if workspace is None and not standing.events:
        beginning = (
            "The canonical neural networks, made by hand on NumPy: to read, run and build.\n\n"
            "  handmade start     makes a folder of exercises and begins the two weeks' plan\n"
            "  handmade plan      what is next today\n"
            "  handmade train     trains a network; handmade models lists them\n"
            "  handmade --help    all commands"
        )
        return "\n".join([*news, beginning])
    return "\n".join([*news, *today_in_lines(standing), "", "All commands: handmade --help"])
