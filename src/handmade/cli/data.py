"""handmade data: the catalogue of data sets."""

from typing import TYPE_CHECKING, Annotated

import typer

from handmade.cli.screen import fitted, page
from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.data import Entry


def data(name: Annotated[str | None, typer.Argument(help="Describe this data set in full.")] = None) -> None:
    """List the data sets, or describe one."""
    from handmade.data import catalogue
    from handmade.errors import suggestion

    entries = catalogue()
    if name is None:
        rows = [(entry.name, entry.where(), entry.examples, entry.licence) for entry in entries.values()]
        page(fitted(("name", "where", "examples", "licence"), rows))
    elif name in entries:
        typer.echo(_described(entries[name]))
    else:
        raise InputError(f"no data set is called {name!r}{suggestion(name, entries)} There are {', '.join(entries)}.")


def _described(entry: "Entry") -> str:
    from handmade.data import files

    classes = [("classes", ", ".join(entry.classes))] if entry.classes else []
    rows = [
        ("examples", entry.examples),
        *classes,
        ("format", entry.format),
        ("licence", entry.licence),
        ("homepage", entry.homepage),
    ]
    for file in entry.files:
        path = files.find(file)
        here = f"{path} ({path.stat().st_size:,} bytes)" if path else f"{file.path} (to download)"
        rows.append(("file", here))
    return "\n".join([f"{entry.name}: {entry.description}", *(f"  {name:9} {fact}" for name, fact in rows)])
