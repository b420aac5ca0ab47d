"""handmade data: the catalogue of data sets."""

from typing import Annotated

import typer

from handmade.cli.screen import fitted, page
from handmade.errors import InputError


def data(name: Annotated[str | None, typer.Argument(help="Describe this data set in full.")] = None) -> None:
    """List the data sets, or describe one."""
    from handmade.data import catalogue
    from handmade.errors import suggestion

    entries = catalogue()
    if name is None:
        rows = [(entry.name, entry.where(), entry.examples, entry.licence) for entry in entries.values()]
        page(fitted(("name", "where", "examples", "licence"), rows))
    elif name in entries:
        page(entries[name].described())
    else:
        raise InputError(f"no data set is called {name!r}{suggestion(name, entries)} There are {', '.join(entries)}.")
