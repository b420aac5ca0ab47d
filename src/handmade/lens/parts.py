"""The parts of a network by their cost: layers put together as far as a picture has room for."""

from pathlib import Path

from handmade import draw
from handmade.draw import Part
from handmade.lens.costs import Cost, LayerCost

MOST = 24
"""Parts that a picture has room for."""


def parts_of(cost: Cost, most: int = MOST) -> list[Part]:
    """The layers that cost something, put together by the modules they are in: as deep inside as gives `most` or fewer.

    Of layers in one module the shape is that of the last.
    """
    layers = [layer for layer in cost.layers if layer.parameters or layer.multiply_adds]
    deepest = max((layer.name.count(".") for layer in layers), default=0)
    together: dict[str, list[LayerCost]] = {}
    for depth in range(deepest + 1, 0, -1):
        together = {}
        for layer in layers:
            together.setdefault(".".join(layer.name.split(".")[:depth]), []).append(layer)
        if len(together) <= most:
            break
    return [
        Part(
            name or "(the model)",
            within[-1].shape,
            sum(layer.parameters for layer in within),
            sum(layer.multiply_adds for layer in within),
        )
        for name, within in together.items()
    ]


def draw_cost(path: Path, cost: Cost, title: str) -> None:
    """Draw to `path` what the parts of a network cost, from the input to the output."""
    draw.costs(parts_of(cost), title).save(path)
