"""A page for each network, made from its file: header, cards, pictures, and the code beside what is said of it."""

import inspect
import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from docs.making.code import Piece, pieces
from docs.making.prose import blocks, escaped, fenced, markdown, title
from handmade import models, nn


def network_pages(docs: Path) -> dict[str, str]:
    """The pages by name, from the oldest network to the newest. docs: the folder with pictures and written pages."""
    modules = [import_module(f"handmade.models.{file.name}") for file in iter_modules(models.__path__)]
    networks = sorted(filter(_is_network, modules), key=lambda module: (_year(module), module.__name__))
    pictures = _pictures(docs, [_name(module) for module in networks])
    return {f"networks/{_name(module)}": _page(module, pictures) for module in networks}


def _name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def _is_network(module: ModuleType) -> bool:
    defined = (value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__)
    return any(isinstance(value, type) and issubclass(value, nn.Module) for value in defined) and bool(_year(module))


def _year(module: ModuleType) -> int:
    """Of the paper: of the cards, or the first that the header names."""
    found = re.search(r"\b(?:18|19|20)\d\d\b", module.__doc__ or "")
    years = [card.year for card in getattr(module, "CARDS", ())]
    return min(years) if years else int(found[0]) if found else 0


def _page(module: ModuleType, pictures: dict[str, list[str]]) -> str:
    heading, sentence = title(module.__doc__)
    header = markdown(blocks(module.__doc__)[1:])
    before, differences, after = header.partition("\n\nDifferences")
    parts = [f"---\nhide-toc: true\n---\n\n# {escaped(heading)}", f"*{escaped(sentence)}*", before]
    if differences:
        said, _, items = f"Differences{after}".partition("\n\n")
        parts.append(f":::{{admonition}} {said.rstrip(':')}\n:class: differences\n\n{items.strip()}\n:::")
    cards = getattr(module, "CARDS", ())
    if cards:
        parts += ["## The networks", _cards(cards)]
    parts += pictures.get(_name(module), [])
    parts += ["## The code", f"`handmade/models/{_name(module)}.py`, its imports and cards left out."]
    parts += [_beside(piece) for piece in pieces(inspect.getsource(module))]
    return "\n\n".join(parts) + "\n"


def _beside(piece: Piece) -> str:
    names = re.findall(r"\w+", piece.code)
    heading = f"### {escaped(piece.heading)}\n\n" if piece.heading else ""
    name = f"`{piece.name}`\n\n" if piece.name else ""
    return (
        f"{heading}:::::{{container}} beside\n::::{{container}} said\n{name}{markdown(piece.prose, names)}\n::::\n"
        f"::::{{container}} done\n{fenced(piece.code)}\n::::\n:::::"
    )


def _cards(cards: tuple) -> str:
    rows = [
        "| network | input | parameters | multiply-adds | paper's error | what one does with it |",
        "|---|---|---:|---:|---|---|",
    ]
    for card in cards:
        shape = ", ".join(map(str, card.input_shape))
        products = f"{card.cost.multiply_adds:,}" if card.cost else ""
        cells = [f"`{card.name}`", shape, f"{card.parameters:,}", products, escaped(card.error), _use(card)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _use(card) -> str:
    uses = []
    if card.recipe:
        uses.append(f"`handmade train {card.name}`")
    if card.published:
        uses.append("load published weights")
    return ", ".join(uses) or f"`handmade models {card.name}`"


def _pictures(docs: Path, names: list[str]) -> dict[str, list[str]]:
    """The pictures of the written pages by network: those whose file begins with its name."""
    found: dict[str, list[str]] = {}
    for page in [docs.parent / "README.md", *sorted(docs.glob("*.md"))]:
        for text, file in re.findall(r"!\[([^]]*)\]\((?:docs/)?pictures/([^)]+)\)", page.read_text()):
            owners = [name for name in names if file.startswith(name.replace("_", "-"))]
            if owners:
                picture = f"```{{figure}} ../pictures/{file}\n:alt: {text}\n\n{escaped(text)}.\n```"
                of_it = found.setdefault(max(owners, key=len), [])
                if picture not in of_it:
                    of_it.append(picture)
    return found
