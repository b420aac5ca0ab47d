"""A page for each network, made from its file: header, cards, pictures, and the code beside what is said of it."""

import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from docs.making.code import Piece, pieces
from docs.making.prose import blocks, escaped, fenced, markdown, title, toctree
from handmade import models, nn
from handmade.lens import Cost, cost_of
from handmade.models.card import INPUTS, Card

Figures = dict[str, list[str]]
"""The pictures of a network's page, as Markdown."""

CHAPTERS = {"Images": ("image",), "Text": ("tokens", "pair"), "Sound": ("clip", "stream")}


def network_pages(docs: Path, figures: Figures) -> dict[str, str]:
    """The pages by name, and their index.

    docs: the folder with pictures and written pages. figures: what was drawn for the pages.
    """
    networks = network_files()
    pictures = _pictures(docs, [page_name(module) for module in networks])
    pictures |= {name: pictures.get(name, []) + drawn for name, drawn in figures.items()}
    pages = {f"networks/{page_name(module)}": _page(module, pictures) for module in networks}
    return pages | {"networks/index": _index(networks)}


def network_files() -> list[ModuleType]:
    """The files with a paper and a network, images first, then text, then sound, each from the oldest on."""
    modules = [import_module(f"handmade.models.{file.name}") for file in iter_modules(models.__path__)]
    return sorted(filter(_is_network, modules), key=_place)


def _place(module: ModuleType) -> tuple[int, int, str]:
    return list(CHAPTERS).index(_chapter(module)), _year(module), page_name(module)


def _is_network(module: ModuleType) -> bool:
    defined = (value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__)
    return any(isinstance(value, type) and issubclass(value, nn.Module) for value in defined) and bool(_year(module))


def page_name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def _chapter(module: ModuleType) -> str:
    cards: tuple[Card, ...] = getattr(module, "CARDS", ())
    taken = cards[0].input if cards else "tokens"
    assert taken in INPUTS
    return next(chapter for chapter, inputs in CHAPTERS.items() if taken in inputs)


def _year(module: ModuleType) -> int:
    """Of the oldest card; without cards, the first that the header names; 0 for none."""
    found = re.search(r"\b(?:18|19|20)\d\d\b", module.__doc__ or "")
    years = [card.year for card in getattr(module, "CARDS", ())]
    return min(years) if years else int(found[0]) if found else 0


def _index(networks: list[ModuleType]) -> str:
    parts = ["# Networks", markdown(models.__doc__)]
    for chapter in CHAPTERS:
        chosen = [module for module in networks if _chapter(module) == chapter]
        lines = [
            f"- [{escaped(title(m.__doc__)[0])}]({page_name(m)}.md), {_year(m)}. {escaped(title(m.__doc__)[1])}"
            for m in chosen
        ]
        parts += [f"## {chapter}", "\n".join(lines), toctree([page_name(module) for module in chosen])]
    return "\n\n".join(parts) + "\n"


def _page(module: ModuleType, pictures: Figures) -> str:
    heading, sentence = title(module.__doc__)
    parts = [f"---\nhide-toc: true\n---\n\n# {escaped(heading)}", f"*{escaped(sentence)}*", _header(module)]
    cards: tuple[Card, ...] = getattr(module, "CARDS", ())
    if cards:
        parts += ["## The networks", _cards(cards)]
    parts += pictures.get(page_name(module), [])
    parts += ["## The code", f"`handmade/models/{page_name(module)}.py`, its imports and cards left out."]
    parts += [_beside(piece) for piece in pieces(inspect.getsource(module))]
    if cards:
        smallest = smallest_of(module)
        parts += [f"## `{smallest}` layer by layer", _layers(smallest)]
    return "\n\n".join(parts) + "\n"


def _header(module: ModuleType) -> str:
    """All of the header but its first sentence; the differences in a box."""
    parts = []
    for block in blocks(module.__doc__)[1:]:
        first = next((number for number, line in enumerate(block) if line.startswith("- ")), 0)
        if block[0].startswith("Differences") and first:
            said = " ".join(block[:first]).rstrip(":")
            items = markdown([block[first:]]).strip()
            parts.append(f":::{{admonition}} {said}\n:class: differences\n\n{items}\n:::")
        else:
            parts.append(markdown([block]).strip())
    return "\n\n".join(parts)


def _beside(piece: Piece) -> str:
    names = re.findall(r"\w+", piece.code)
    heading = f"### {escaped(piece.heading)}\n\n" if piece.heading else ""
    name = f"`{piece.name}`\n\n" if piece.name else ""
    return (
        f"{heading}:::::{{container}} beside\n::::{{container}} said\n{name}{markdown(piece.prose, names)}\n::::\n"
        f"::::{{container}} done\n{fenced(piece.code)}\n::::\n:::::"
    )


def _cards(cards: tuple[Card, ...]) -> str:
    rows = [
        "| network | input | parameters | multiply-adds | sees | the paper's result | what one does with it |",
        "|---|---|---:|---:|---:|---|---|",
    ]
    for card in cards:
        shape = "\N{MULTIPLICATION SIGN}".join(map(str, card.input_shape))
        products = f"{card.cost.multiply_adds:,}" if card.cost else ""
        sees = str(card.cost.receptive_field or "") if card.cost else ""
        cells = [f"`{card.name}`", shape, f"{card.parameters:,}", products, sees, escaped(card.error), _use(card)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _use(card: Card) -> str:
    uses = [f"`handmade train {card.name}`"] if card.recipe else []
    uses += ["load published weights"] if card.published else []
    return ", ".join(uses) or f"`handmade models {card.name}`"


def smallest_of(module: ModuleType) -> str:
    """The network with the fewest parameters among those of a file with cards."""
    return min(module.CARDS, key=lambda card: card.parameters).name


@cache
def measured(name: str) -> Cost:
    """What one example costs the network of this name."""
    return cost_of(models.ZOO[name])


def _layers(name: str) -> str:
    """What each layer gives and costs, measured on one example."""
    rows = ["| layer | type | output | parameters | multiply-adds |", "|---|---|---|---:|---:|"]
    for layer in measured(name).layers:
        shape = "\N{MULTIPLICATION SIGN}".join(map(str, layer.shape))
        called = f"`{layer.name}`" if layer.name else "(the model)"
        rows.append(f"| {called} | {layer.kind} | {shape} | {layer.parameters:,} | {layer.multiply_adds:,} |")
    return "\n".join(rows)


def _pictures(docs: Path, names: list[str]) -> Figures:
    """The pictures of the written pages by network: those whose file begins with its name."""
    found: Figures = {}
    for page in [docs.parent / "README.md", *sorted(docs.glob("*.md"))]:
        for text, file in re.findall(r"!\[([^]]*)\]\((?:docs/)?pictures/([^)]+)\)", page.read_text()):
            owners = [name for name in names if file.startswith(name.replace("_", "-"))]
            if owners:
                picture = f"```{{figure}} ../pictures/{file}\n:alt: {text}\n\n{escaped(text)}.\n```"
                of_it = found.setdefault(max(owners, key=len), [])
                if picture not in of_it:
                    of_it.append(picture)
    return found
