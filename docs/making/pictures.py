"""Pictures for the pages of networks, made while the site is built: by small networks, trained for seconds each."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from docs.making.networks import Figures
from docs.making.prose import escaped
from handmade import lens, manual_seed
from handmade.data import load
from handmade.recipes import recipe_of
from handmade.tasks import Use, changed

MADE = "made"
"""The folder of the site's pictures that holds them."""


def make_pictures(folder: Path) -> Figures:
    """Draw all pictures into `folder`; the figures for each page, by its name."""
    folder.mkdir(parents=True, exist_ok=True)
    figures: Figures = {}
    for page, draw in (("lenet", _lenet), ("char_lm", _char_lm), ("gpt", _gpt)):
        figures[page] = [figure(file) for file in draw(folder)]
    return figures


def _lenet(folder: Path) -> list[Path]:
    used = _learned("lenet5", ["steps=150"])
    pictures = lens.looking(used, load("fashion-mnist", "test").images[0])
    early = next(iter(pictures["features"].items()))
    return _drawn(folder, "lenet", early, ("grad-cam.png", pictures["grad-cam"]["grad-cam.png"]))


def _char_lm(folder: Path) -> list[Path]:
    used = _learned("char-gru", ["steps=150", "hidden_size=128", "batch_size=32"])
    text = "HAMLET:\nTo be, or not to be: that is the question:"
    return _drawn(folder, "char-lm", ("loss.png", lens.reading(used, text)["loss"]["loss.png"]))


def _gpt(folder: Path) -> list[Path]:
    used = _learned("gpt", ["steps=200", "n_layer=2", "n_embd=64", "n_head=2", "batch_size=16"])
    pictures = lens.reading(used, "ROMEO: what light is this?")
    return _drawn(folder, "gpt", ("attention.png", pictures["attention"]["attention.png"]))


def _learned(model: str, settings: list[str]) -> Use:
    """The network in use, after the few steps that the settings ask for, always the same ones."""
    manual_seed(0)
    task = changed(recipe_of(model), settings).task()
    for batch in islice(task.batches(0, 0), task.total_steps):
        task.learn(task.loss(batch))
    return task.use


def _drawn(folder: Path, page: str, *pictures: tuple[str, Callable[[Path], None]]) -> list[Path]:
    files = []
    for name, draw in pictures:
        files.append(folder / f"{page}-{name}")
        draw(files[-1])
    return files


def figure(file: Path) -> str:
    """The picture with its own title below it, and what it shows for those who do not see it."""
    heading, _, said = file.with_suffix(".txt").read_text().partition("\n")
    alt = " ".join(said.split())
    return f"```{{figure}} ../pictures/{MADE}/{file.name}\n:alt: {alt}\n\n{escaped(heading)}.\n```"
