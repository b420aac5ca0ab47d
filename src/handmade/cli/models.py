"""handmade models: the zoo, and each model layer by layer."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handmade.cli.table import table
from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.cli.layers import Layer
    from handmade.models import Entry


def models(
    name: Annotated[str | None, typer.Argument(help="One model, layer by layer.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the models, or the layers of one."""
    from handmade.errors import suggestion
    from handmade.models import ZOO

    if name is None:
        rows = [_summary(entry) for entry in ZOO.values()]
        typer.echo(json.dumps(rows, indent=2) if as_json else _zoo_table(rows))
    elif name in ZOO:
        entry = ZOO[name]
        rows = _layers(entry)
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2) if as_json else _layer_table(entry, rows))
    else:
        raise InputError(f"no model is called {name!r}{suggestion(name, ZOO)} There are {', '.join(ZOO)}.")


def _layers(entry: "Entry") -> "list[Layer]":
    import handmade
    from handmade.cli.layers import layers

    kind = handmade.int64 if len(entry.input_shape) == 1 else handmade.float32  # a row of tokens, or an image
    return layers(entry.make(), handmade.zeros(1, *entry.input_shape, dtype=kind))


def _summary(entry: "Entry") -> dict[str, Any]:
    from handmade.models.costs import COSTS

    return {
        "name": entry.name,
        "year": entry.year,
        "input_shape": entry.input_shape,
        "parameters": entry.parameters,
        **asdict(COSTS[entry.name]),
        "error": entry.error,
        "paper": entry.paper,
    }


def _zoo_table(rows: list[dict[str, Any]]) -> str:
    header = ("model", "year", "input", "parameters", "multiply-adds", "activations", "sees", "the paper's error")
    cells = [
        (
            row["name"],
            str(row["year"]),
            _shape(row["input_shape"]),
            row["parameters"],
            row["multiply_adds"],
            f"{4 * row['activations'] / 2**20:.1f} MiB",
            "" if row["receptive_field"] is None else f"{row['receptive_field']} px",
            row["error"],
        )
        for row in rows
    ]
    legend = (
        "For one example: activations are what the layers compute, in float32; the last convolution or pooling sees a\n"
        "square of so many pixels. 'handmade models NAME' shows one layer by layer, --json adds the papers."
    )
    return f"{table(header, cells)}\n\n{legend}"


def _layer_table(entry: "Entry", rows: "list[Layer]") -> str:
    cells = [(row.name, row.kind, _shape(row.shape), row.parameters, row.multiply_adds) for row in rows]
    total = ("total", "", "", sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows))
    layers = table(("layer", "type", "output shape", "parameters", "multiply-adds"), [*cells, total])
    return f"{entry.name}: {entry.paper} ({entry.year}). Input {_shape(entry.input_shape)}.\n\n{layers}"


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
