"""handmade explain: what a concept, an exercise or a network is."""

from pathlib import Path
from typing import Annotated

import typer


def explain(name: Annotated[str, typer.Argument(help="A card, an exercise or a network.")]) -> None:
    """Explain a card, an exercise or a network: statement, formula with shapes, implementation, and where to see it."""
    from handmade.cli.screen import page
    from handmade.study.explanations import explanation
    from handmade.workshop.progress import Progress
    from handmade.workshop.workspace import workspace_around

    workspace = workspace_around(Path.cwd())
    page(explanation(name, workspace.progress() if workspace else Progress()))
