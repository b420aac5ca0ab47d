"""handmade models: the networks in one table, and each layer by layer."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handmade.cli.screen import fitted, page
from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.models import Card


def models(
    name: Annotated[str | None, typer.Argument(help="Show this network layer by layer.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the networks, or the layers of one.

    The column 'use' says what each can do: 'train' with 'handmade train', load published weights ('weights'), or only
    be built ('build').
    """
    from handmade.errors import suggestion
    from handmade.models import ZOO

    if name is None:
        rows = [card.summary() for card in ZOO.values()]
        page(json.dumps(rows, indent=2) if as_json else _zoo_table(rows))
    elif name in ZOO:
        from handmade.lens import cost_of

        card = ZOO[name]
        cost = cost_of(card)
        rows = [asdict(layer) for layer in cost.layers]
        page(json.dumps(rows, indent=2) if as_json else f"{_heading(card)}\n\n{fitted(*cost.as_table())}")
    else:
        raise InputError(f"no model is called {name!r}{suggestion(name, ZOO)} There are {', '.join(ZOO)}.")


def _zoo_table(rows: list[dict[str, Any]]) -> str:
    header = ("model", "year", "use", "input", "parameters", "multiply-adds", "activations", "sees", "paper's result")
    cells = [
        (
            row["name"],
            str(row["year"]),
            ", ".join(row["use"]),
            _shape(row["input_shape"]),
            row["parameters"],
            "" if row["multiply_adds"] is None else row["multiply_adds"],
            "" if row["activations"] is None else f"{4 * row['activations'] / 2**20:.1f} MiB",
            ""
            if row["receptive_field"] is None
            else f"{row['receptive_field']} {'px' if len(row['input_shape']) == 3 else 'frames'}",
            row["error"],
        )
        for row in rows
    ]
    legend = (
        "use: 'train' marks what 'handmade train' can train, 'weights' what has published weights; the others can "
        "only be built.\nMultiply-adds and activations are for one example, in float32; the last convolution or "
        "pooling sees a square of the image of that side.\n'handmade models NAME' shows one network layer by layer, "
        "--json adds the papers."
    )
    return f"{fitted(header, cells)}\n\n{legend}"


def _heading(card: "Card") -> str:
    """The paper, its result, and what the network can be used for here."""
    from handmade.recipes import FORMER_NAMES

    lines = [f"{card.name}: {card.paper} ({card.year}). Input {_shape(card.input_shape)}."]
    if card.error:
        lines.append(f"The paper's result: {card.error} ({card.source}).")
    if card.recipe:
        lines.append(f"Train it: handmade train {card.name}")
    if card.published:
        lines.append(f"Published weights: {card.published.url} ({card.published.licence}).")
    if card.name in FORMER_NAMES:
        lines.append(f"No recipe trains it; its form for small images: handmade train {FORMER_NAMES[card.name]}")
    if card.use == ("build",):
        lines.append("It can only be built: no recipe trains it, and no published weights are known by name.")
    return "\n".join(lines)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
