"""What a language model does with the tokens of a text: where it attends, what it predicts, what surprises it.

L layers, H heads, T tokens of a text, S_q tokens that look, S_k tokens that are looked at
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from handmade.draw.palette import LIGHT
from handmade.draw.style import (
    LEAST,
    MONO,
    SMALL,
    TEXT,
    Picture,
    amount_scale,
    bar,
    bare,
    frame,
    in_style,
    ink_on,
    new_figure,
    signed_scale,
    weight_bar,
    weight_scale,
)
from handmade.draw.text import all_legible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

Map = Float[np.ndarray, "H S_q S_k"]

WIDEST, SMALLEST, LARGEST = 18.0, 0.8, 5.0
"""Inches: the picture's width at most, and between these the side of one attention map."""

LOWEST = 1.9
"""Inches that all maps are high together, if they may be as wide as that makes them: room for the names of the axes."""

GAP = 0.12
"""Inches between two maps."""

CELL = 0.155
"""Inches that a token has beside a map, if there is room."""


@in_style
def attention_maps(maps: Sequence[Map], looking: Sequence[str], looked_at: Sequence[str], title: str) -> Picture:
    """All maps in a grid, one row per layer and one column per head, all with the same colour scale.

    looking, looked_at: the S_q and S_k tokens. Where there are too many to be read they stand in the caption, and their
    numbers beside the maps. A single map has no number of its layer and head.
    """
    heads, rows, columns = maps[0].shape
    width = float(np.clip(CELL * columns, SMALLEST, min(LARGEST, max(SMALLEST, WIDEST / heads))))
    height = float(np.clip(width * rows / columns, 0.5 * width, 2.0 * width))
    larger = min(LOWEST / (len(maps) * height), LARGEST / (heads * width))
    if larger > 1:
        width, height = larger * width, larger * height
    size = min(SMALL, 62 * width / columns, 62 * height / rows)  # points of a token's name
    named = size >= LEAST
    queries, keys = all_legible(looking), all_legible(looked_at)
    longest = max(map(len, [*queries, *keys])) if named else 3
    margin = longest * SMALL * 0.6 / 72  # inches of the longest name
    across, down = heads * (width + GAP) - GAP, len(maps) * (height + GAP) - GAP
    note = "Each row adds up to 1: where the token of this row (q, violet) looks, among the tokens below (k, teal)."
    figure = new_figure(max(across + margin + 1.9, 4.6), down + margin + 0.7, title, note)
    axes = figure.subplots()  # one for all maps, in inches
    for layer, weights in enumerate(maps):
        for head, values in enumerate(weights):
            left, top = head * (width + GAP), layer * (height + GAP)
            extent = (left, left + width, top + height, top)
            drawn = axes.imshow(values, extent=extent, aspect="equal", **weight_scale())
            frame(axes, left, top, width, height, LIGHT.line, 0.8)
    if heads * len(maps) > 1:
        _number(axes, len(maps), heads, width, height)
    axes.set(xlim=(0, across), ylim=(down, 0))
    _name(axes.xaxis, keys, heads, width, size, 90 if longest > 1 else 0)
    _name(axes.yaxis, queries, len(maps), height, size)
    axes.set_xlabel("k: the token that is looked at", color=LIGHT.key, fontsize=SMALL)
    axes.set_ylabel("q: the token that looks", color=LIGHT.query, fontsize=SMALL)
    axes.spines[:].set_visible(False)
    weight_bar(figure, drawn, axes, "attention weight", shrink=min(1.0, max(2.2 / down, 0.3)))
    told = _sharpest(maps)
    return Picture(figure, title, told if named else f"{told} {_listed(queries, keys)}")


def _number(axes: "Axes", layers: int, heads: int, width: float, height: float) -> None:
    """Write the numbers of layers and heads beside the grid."""
    right = heads * (width + GAP) - GAP + 0.06
    style: dict[str, Any] = {"fontsize": SMALL, "color": LIGHT.soft}
    for layer in range(layers):
        axes.text(right, layer * (height + GAP) + height / 2, f"layer {layer}", rotation=270, va="center", **style)
    for head in range(heads):
        axes.text(head * (width + GAP) + width / 2, -0.06, f"head {head}", ha="center", **style)


def _name(axis: "Axis", names: Sequence[str], maps: int, side: float, size: float, rotation: float = 0) -> None:
    """Write the tokens beside the outer maps, each in the middle of its row or column; some numbers where too many."""
    every = 1 if size >= LEAST else math.ceil(len(names) * 0.3 / side)
    shown = range(0, len(names), every)
    written = list(names) if size >= LEAST else [str(number) for number in shown]
    places = [number * (side + GAP) + (one + 0.5) * side / len(names) for number in range(maps) for one in shown]
    axis.set_ticks(places, written * maps, family=list(MONO), fontsize=max(size, LEAST), rotation=rotation)
    axis.set_tick_params(length=0, pad=2)


def _sharpest(maps: Sequence[Map]) -> str:
    """Which head attends most sharply to single tokens."""
    means = np.array([[float(weights.max(axis=1).mean()) for weights in layer] for layer in maps])
    layer, head = np.unravel_index(means.argmax(), means.shape)
    whose = "A token's" if means.size == 1 else f"Sharpest is layer {layer}, head {head}: a token's"
    return f"{whose} largest weight is {means.max():.2f} on average."


def _listed(queries: Sequence[str], keys: Sequence[str]) -> str:
    """The tokens with their numbers."""
    lists = {"Tokens": queries} if queries == keys else {"Tokens that look": queries, "Looked at": keys}
    return " ".join(
        f"{what}: {', '.join(f'{n} {one}' for n, one in enumerate(names))}." for what, names in lists.items()
    )


@in_style
def guesses(
    names: Sequence[Sequence[str]],
    probabilities: Float[np.ndarray, "L T"],
    read: Sequence[str],
    wanted: Sequence[str | None],
    title: str,
) -> Picture:
    """A table of the model's predictions after each layer, the last layer on top, coloured by their probability.

    names: the most likely tokens, L of T. read: the tokens of the text, below. wanted: what really stands at the place
    that is guessed (the next token, for a GPT), above; None where nobody knows. Right guesses have a frame. Of a long
    text the end is drawn.
    """
    guessed = [all_legible(row) for row in names]
    below, above = all_legible(read), all_legible([one or "" for one in wanted])
    longest = max(len(name) for row in [*guessed, below, above] for name in row)
    cell = 0.16 + 0.07 * max(longest, 2)
    shown = min(len(read), int(WIDEST / cell))
    first, layers = len(read) - shown, len(probabilities)
    cut = "" if shown == len(read) else f" (the last {shown} of {len(read)} tokens)"
    note = "A column is a place in the text, a row what would be said there after so many layers. Framed: right."
    figure = new_figure(max(shown * cell + 2.0, 6.0), 0.29 * layers + 1.6, f"{title}{cut}", note)
    axes = figure.subplots()
    drawn = axes.imshow(probabilities[:, first:], aspect="auto", origin="lower", **weight_scale())
    for layer in range(layers):
        for column in range(shown):
            name, probability = guessed[layer][first + column], float(probabilities[layer, first + column])
            style = {"ha": "center", "va": "center", "family": list(MONO), "fontsize": SMALL}
            axes.text(column, layer, name, color=ink_on(drawn, probability), **style)
            if names[layer][first + column] == wanted[first + column]:
                frame(axes, column - 0.46, layer - 0.43, 0.92, 0.86, LIGHT.right, 1.6)
    _beside(axes, below[first:], above[first:], layers, longest)
    weight_bar(figure, drawn, axes, "probability", pad=0.01)
    return Picture(figure, f"{title}{cut}", _settled(names, wanted))


def _beside(axes: "Axes", below: Sequence[str], above: Sequence[str], layers: int, longest: int) -> None:
    """Write the text below the table, what should be said above it, and the layers on its left."""
    written = {"family": list(MONO), "fontsize": SMALL, "rotation": 0 if longest <= 9 else 45}
    axes.set_xticks(range(len(below)), below, **written)
    axes.set_yticks(range(layers), ["embeddings", *(f"layer {layer}" for layer in range(layers - 1))])
    axes.set_xlabel("what is read", fontsize=SMALL)
    top = axes.secondary_xaxis("top")
    top.set_xticks(range(len(above)), above, **written)
    top.set_xlabel("what is to be said", fontsize=SMALL, color=LIGHT.right)
    for one in (axes, top):
        one.tick_params(length=0)
        one.spines[:].set_visible(False)


def _settled(names: Sequence[Sequence[str]], wanted: Sequence[str | None]) -> str:
    """How many predictions are right after each layer."""
    known = [place for place, one in enumerate(wanted) if one is not None]
    right = [sum(row[place] == wanted[place] for place in known) for row in names]
    after = ["the embeddings", *(f"layer {layer}" for layer in range(len(names) - 1))]
    told = ", ".join(f"{count} after {layer}" for count, layer in zip(right, after, strict=True))
    return f"Of {len(known)} known tokens, the number guessed right is {told}."


@in_style
def contributions(
    heads: Float[np.ndarray, "L H"], mlps: Float[np.ndarray, "L"], others: Mapping[str, float], title: str
) -> Picture:
    """What each head and each MLP of a Transformer adds to the score of a token, the last layer on top.

    others: what else adds to it, by name; said below, with the sum of all.
    """
    shares = np.concatenate([heads, mlps[:, None]], axis=1)  # L H+1
    layers, columns = shares.shape
    limit = max(float(np.abs(shares).max()), 1e-9)
    total = float(shares.sum()) + sum(others.values())
    note = "Blue raises the score above the mean of all tokens, orange lowers it. Beside these: "
    said = ", ".join(f"{name} {share:+.2f}" for name, share in others.items())
    figure = new_figure(
        max(0.6 * columns + 2.2, 6.0), 0.32 * layers + 0.9, title, f"{note}{said}; in all {total:+.2f}."
    )
    axes = figure.subplots()
    drawn = axes.imshow(shares, aspect="auto", origin="lower", **signed_scale(limit))
    for (layer, column), share in np.ndenumerate(shares):
        style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL}
        axes.text(column, layer, f"{round(float(share), 2) + 0.0:.2f}", color=ink_on(drawn, float(share)), **style)
    axes.set_xticks(range(columns), [*(f"head {head}" for head in range(columns - 1)), "MLP"], fontsize=SMALL)
    axes.set_yticks(range(layers), [f"layer {layer}" for layer in range(layers)])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar(figure, drawn, axes, "added to the score")
    layer, column = np.unravel_index(np.abs(shares).argmax(), shares.shape)
    part = "the MLP" if column == columns - 1 else f"head {column}"
    return Picture(
        figure, title, f"Most is added by {part} of layer {layer}: {shares[layer, column]:+.2f} of {total:+.2f}."
    )


@in_style
def head_ablation(
    rises: Float[np.ndarray, "L H"], names: Sequence[str], loss: float, title: str, unit: str = "token"
) -> Picture:
    """By how much the loss rises without each head, the last layer on top.

    names: of the layers. loss: that of the whole model, in nats per `unit`.
    """
    layers, heads = rises.shape
    limit = max(float(np.abs(rises).max()), 1e-9)
    note = f"Each number: the loss without this head, less that of the whole model, {loss:.3f} nats per {unit}. "
    note += "Blue: the model needs the head. Orange: it does better without."
    figure = new_figure(max(0.5 * heads + 2.4, 6.0), 0.32 * layers + 0.9, title, note)
    axes = figure.subplots()
    drawn = axes.imshow(rises, aspect="auto", origin="lower", **signed_scale(limit))
    digits = 3 if limit < 0.095 else 2
    for (layer, head), rise in np.ndenumerate(rises):
        style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL}
        said = f"{round(float(rise), digits) + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")
        axes.text(head, layer, said, color=ink_on(drawn, float(rise)), **style)
    axes.set_xticks(range(heads), [str(head) for head in range(heads)], fontsize=SMALL)
    axes.set_xlabel("head", fontsize=SMALL)
    axes.set_yticks(range(layers), list(names))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar(figure, drawn, axes, "rise of the loss, nats")
    layer, head = divmod(int(rises.argmax()), heads)
    better = int((rises < 0).sum())
    told = f"Without head {head} of {names[layer]} the loss rises most, by {rises[layer, head]:.3f} from {loss:.3f} "
    told += f"nats; without {better} of {rises.size} heads it is lower than with all."
    return Picture(figure, title, told)


ACROSS, DOWN = 64, 16
"""Characters per row in a picture of surprise, and its largest number of rows."""

BLANKS = "␣\N{NO-BREAK SPACE}is a blank, ⏎\N{NO-BREAK SPACE}a line end."

MOST = 6.0
"""The surprise in nats with the strongest colour, the same in all pictures: a probability of 1/400."""


@in_style
def surprise(text: Sequence[str], nats: Float[np.ndarray, "T"], unit: str, title: str) -> Picture:
    """The beginning of `text`, a string or a list of tokens, each coloured by how little it was expected.

    nats[t] is -log of the probability that the model gave token t before it came, or NaN where it was not asked.
    unit: what one of them is called, character or token. Tokens of several characters have the number below them.
    """
    shown = [one if len(one) <= ACROSS else f"{one[: ACROSS - 1]}…" for one in all_legible(text)]
    rows = _rows(text, shown)
    columns = max(column + len(shown[place]) for row in rows for column, place in row)
    several = any(len(shown[place]) > 1 for row in rows for _, place in row)
    width, height = (0.115 * columns, 0.42 * len(rows)) if several else (0.145 * columns, 0.28 * len(rows))
    average = float(np.nanmean(nats))
    title = f"{title}: {average:.2f} nats per {unit} on average"
    told = f"The darker, the less the {unit} was expected: -log of its probability"
    note = f"{told}, one colour from {MOST:g} nats on. {BLANKS}"
    figure = new_figure(max(width + 1.2, 5.0), max(height + 0.2, 1.5), title, note)
    axes = figure.subplots()
    grid = np.full((len(rows), columns), np.nan)
    for row, places in enumerate(rows):
        for column, place in places:
            grid[row, column : column + len(shown[place])] = nats[place]
    drawn = axes.imshow(grid, aspect="auto", **amount_scale(MOST))
    for row, places in enumerate(rows):
        for column, place in places:
            _token(axes, drawn, row, column, shown[place], float(nats[place]), several)
    bare(axes)
    extend = "max" if np.nanmax(nats) > MOST else "neither"
    bar(figure, drawn, axes, "nats", range(0, 7, 2), extend=extend, aspect=14)
    most = int(np.nanargmax(nats))
    told = f"Least expected: {shown[most]}, number {most + 1} of {len(nats):,}, with {nats[most]:.1f} nats"
    return Picture(figure, title, f"{told}, a probability of {np.exp(-nats[most]):.2g}.")


def _token(axes: "Axes", drawn: Any, row: int, column: int, shown: str, nats: float, several: bool) -> None:
    """A token in its field; where tokens have several characters, with its number below and a line before the next."""
    ink = ink_on(drawn, 0.0 if math.isnan(nats) else nats)
    style: dict[str, Any] = {"ha": "center", "va": "center", "color": ink}
    middle = column + (len(shown) - 1) / 2
    axes.text(middle, row - 0.13 * several, shown, family=list(MONO), fontsize=TEXT, **style)
    if several:
        axes.plot([column + len(shown) - 0.5] * 2, [row - 0.5, row + 0.5], color=LIGHT.paper, linewidth=1.2)
        if len(shown) > 1 and not math.isnan(nats):
            axes.text(middle, row + 0.31, f"{nats:.1f}", fontsize=LEAST, **style)


def _rows(text: Sequence[str], shown: Sequence[str]) -> list[list[tuple[int, int]]]:
    """Columns and places in `text`, row by row: a row ends after a line end, or when the next token has no room."""
    rows: list[list[tuple[int, int]]] = [[]]
    column = 0
    for place, token in enumerate(text):
        if rows[-1] and column + len(shown[place]) > ACROSS:
            rows.append([])
            column = 0
        if len(rows) > DOWN:
            break
        rows[-1].append((column, place))
        column += len(shown[place])
        if token.endswith("\n"):
            rows.append([])
            column = 0
    return [row for row in rows[:DOWN] if row]
