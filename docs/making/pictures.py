"""Pictures for the pages of networks, made while the site is built.

Each shows what a network costs, part by part. Where a small one learns enough in seconds, or its published weights come
as a package, there is also what it has learned.
"""

import re
from collections import Counter
from collections.abc import Callable
from itertools import chain, islice
from pathlib import Path

import handmade
from docs.making.networks import Figures, measured, network_files, page_name, smallest_of
from docs.making.prose import escaped
from handmade import draw, lens, manual_seed
from handmade.data import load
from handmade.models.word2vec import train_skip_gram
from handmade.recipes import recipe_of
from handmade.tasks import Use, changed

MADE = "made"
"""The folder of the site's pictures that holds them."""


def make_pictures(folder: Path) -> Figures:
    """Draw all pictures into `folder`; the figures for each page, by its name."""
    folder.mkdir(parents=True, exist_ok=True)
    figures: Figures = {}
    for page, draw_into in LEARNED.items():
        figures[page] = [figure(file) for file in draw_into(folder)]
    for module in network_files():
        if hasattr(module, "CARDS"):
            name, page = smallest_of(module), page_name(module)
            file = folder / f"{page}-cost.png"
            lens.draw_cost(file, measured(name), f"{name}: what its parts cost in evaluation")
            figures.setdefault(page, []).append(figure(file))
    return figures


def _lenet(folder: Path) -> list[Path]:
    used = _learned("lenet5", ["steps=150"])
    pictures = lens.looking(used, load("fashion-mnist", "test").images[0])
    early = next(iter(pictures["features"].items()))
    late = ("receptive-field.png", list(pictures["receptive-field"].values())[-1])
    return _drawn(folder, "lenet", early, late, ("grad-cam.png", pictures["grad-cam"]["grad-cam.png"]))


def _char_lm(folder: Path) -> list[Path]:
    used = _learned("char-gru", ["steps=150", "hidden_size=128", "batch_size=32"])
    text = "HAMLET:\nTo be, or not to be: that is the question:"
    return _drawn(folder, "char-lm", ("loss.png", lens.reading(used, text)["loss"]["loss.png"]))


def _gpt(folder: Path) -> list[Path]:
    used = _learned("gpt", ["steps=200", "n_layer=2", "n_embd=64", "n_head=2", "batch_size=16"])
    pictures = lens.reading(used, "ROMEO: what light is this?")
    chosen = ("attention", "head-ablation", "branches")
    return _drawn(folder, "gpt", *((f"{kind}.png", pictures[kind][f"{kind}.png"]) for kind in chosen))


def _bert(folder: Path) -> list[Path]:
    used = handmade.open("minilm", weights="minilm")
    pictures = lens.reading(used, "The animal did not cross the street because it was too tired.")
    return _drawn(folder, "bert", ("attention.png", pictures["attention"]["attention.png"]))


WORDS = "king queen lord lady father mother heart soul sword blood day night sea winds"


def _word2vec(folder: Path) -> list[Path]:
    words = WORDS.split()
    lines = [re.findall(r"[a-z']+", line) for line in str(load("shakespeare", "all")).lower().split("\n")[:12_000]]
    counts = Counter(chain.from_iterable(lines))
    numbers = {word: number for number, (word, _) in enumerate(counts.most_common(3000))}
    sentences = [[numbers[word] for word in line if word in numbers] for line in lines]
    manual_seed(0)
    model, _ = train_skip_gram(sentences, len(numbers), embedding_dim=32, window=3, epochs=2, learning_rate=0.05)
    centred = model.centre.array - model.centre.array.mean(axis=0)  # what all words have in common says nothing
    vectors = centred[[numbers[word] for word in words]]
    title = "word2vec: how similar the vectors of words in Shakespeare's plays are"
    return _drawn(folder, "word2vec", ("similarities.png", draw.similarities(vectors, words, title).save))


def _learned(model: str, settings: list[str]) -> Use:
    """The network in use, after the few steps that the settings ask for, always the same ones."""
    manual_seed(0)
    task = changed(recipe_of(model), settings).task()
    for batch in islice(task.batches(0, 0), task.total_steps):
        task.learn(task.loss(batch))
    return task.use


def _drawn(folder: Path, page: str, *pictures: tuple[str, Callable[[Path], None]]) -> list[Path]:
    files = []
    for name, draw_to in pictures:
        files.append(folder / f"{page}-{name}")
        draw_to(files[-1])
    return files


def figure(file: Path) -> str:
    """The picture, which has its title in it, and below it in words what it shows."""
    heading, _, said = file.with_suffix(".txt").read_text().partition("\n")
    told = escaped(" ".join(said.split()))
    return f"```{{figure}} ../pictures/{MADE}/{file.name}\n:alt: {heading}\n\n{told}\n```"


LEARNED = {"lenet": _lenet, "char_lm": _char_lm, "gpt": _gpt, "bert": _bert, "word2vec": _word2vec}
"""What draws the pictures of a page that show what was learned, by the page's name."""
