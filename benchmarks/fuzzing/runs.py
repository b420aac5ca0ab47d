"""Run folders: config.json, checkpoints, metrics."""

import dataclasses
import json
import random
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzzing.format import Files, Format
from benchmarks.fuzzing.mutators import changed_value, damaged, damaged_json, damaged_json_lines
from handmade.recipes import recipe_of
from handmade.tasks import Recipe
from handmade.train import Run, new_run, open_run
from handmade.train.checkpoint import load_checkpoint, save_checkpoint
from handmade.train.display import Display
from handmade.train.loop import Trainer
from handmade.train.metrics import MetricsLog, read_metrics

TEXT = "abab ba\ncaba bac abba\n" * 4
LARGEST = 64
"""A changed config.json may ask for a network of any size; larger ones are opened and not built."""


@cache
def _recipes() -> list[Recipe]:
    small = {"data": "text:text.txt", "epochs": 2, "batch_size": 2, "sequence_length": 4}
    names = {"char-lstm": {"hidden_size": 3, "num_layers": 1, "embedding_dim": 2}, "gpt-cpu": _GPT}
    return [dataclasses.replace(recipe_of(name), **small, **sizes) for name, sizes in names.items()]


_GPT = {"n_layer": 1, "n_head": 1, "n_embd": 4, "epoch_steps": 4}
_FACTS = {"lines": False, "characters": sorted(set(TEXT))}


def _configs() -> list[Files]:
    fields = {"classes": ["a", "b"], "shape": [1, 28, 28], "mean": [0.3], "std": [0.3]}
    facts = [*[_FACTS] * 2, fields, {"characters": ["a"], "merges": None}, {"merges": ["a b"]}]
    small = {"hidden_size": 8}
    others = [recipe_of("lenet5"), dataclasses.replace(recipe_of("seq2seq"), **small)]
    others.append(dataclasses.replace(recipe_of("bert"), **small, num_layers=1))
    files = []
    for recipe, known in zip([*_recipes(), *others], facts, strict=True):
        config = {"handmade": "0.1.0", "recipe": dataclasses.asdict(recipe), "facts": known}
        files.append({"config.json": json.dumps(config).encode()})
    return files


def _open(folder: Path) -> None:
    run = open_run(folder)
    sizes = [value for value in dataclasses.asdict(run.recipe).values() if isinstance(value, int)]
    if run.recipe.model == "lenet5" or max(sizes) <= LARGEST:
        assert run.task().model


# --- checkpoints --------------------------------------------------------------------------------------------------


@cache
def _trees() -> list[dict[str, Any]]:
    """The checkpoints of runs of two kinds after three steps."""
    trees = []
    for recipe in _recipes():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "text.txt").write_text(TEXT)
            recipe = dataclasses.replace(recipe, data=f"text:{folder / 'text.txt'}", steps=3)
            run = new_run(recipe, _FACTS, folder / "run")
            trainer = Trainer(run.task(), run, Silent())
            trainer.task.draw = lambda folder: []  # type: ignore[method-assign]
            trainer.train()
            tree = load_checkpoint(run.checkpoint)
            tree["progress"]["seconds"] = 0.5  # not what the clock said, so that it is the same file again
            trees.append(tree)
    return trees


class Silent(Display):
    """Says nothing."""

    def __exit__(self, *error: object) -> None: ...

    def step(self, step: int, means: dict[str, float], per_second: float) -> None: ...

    def epoch(self, line: dict[str, Any]) -> None: ...

    def say(self, text: str) -> None: ...


def _checkpoints() -> list[Files]:
    files = []
    for tree in _trees():
        with tempfile.TemporaryDirectory() as name:
            save_checkpoint(Path(name) / "checkpoint", tree)
            files.append({"checkpoint": (Path(name) / "checkpoint").read_bytes()})
    return files


def _read_checkpoint(folder: Path) -> Any:
    return load_checkpoint(folder / "checkpoint")


def _changed_trees() -> list[Files]:
    return [{"which": str(number).encode(), "draw": b""} for number in range(len(_trees()))]


def _other_draw(rng: random.Random, content: bytes) -> bytes:
    return str(rng.randrange(2**40)).encode()


def _resume(folder: Path) -> None:
    """Resume from a tree with changed entries, written with the right checksum, and take a step."""
    which, draw = int((folder / "which").read_text()), (folder / "draw").read_text()
    tree = _trees()[which]
    if draw:
        rng = random.Random(draw)
        tree = _other_arrays(rng, changed_value(rng, tree))
    (folder / "text.txt").write_text(TEXT)
    recipe = dataclasses.replace(_recipes()[which], data=f"text:{folder / 'text.txt'}")
    run = Run(folder, recipe, _FACTS)
    try:
        save_checkpoint(run.checkpoint, tree)
    except (ValueError, TypeError, AttributeError):  # what JSON and safetensors cannot write
        return
    _one_step(Trainer(run.task(), run, Silent()))


def _one_step(trainer: Trainer) -> None:
    task = trainer.task
    if not trainer.done:
        epoch, start = divmod(trainer.progress.step, task.steps_per_epoch)
        with np.errstate(all="ignore"):
            outcome = task.loss(next(task.batches(epoch, start)))
            task.learn(outcome)
            trainer.progress.add(outcome.loss.item(), outcome)
            trainer.progress.means()


def _other_arrays(rng: random.Random, tree: Any) -> Any:
    """The tree with one array in fifty of another type, shape or with other numbers."""
    if isinstance(tree, dict):
        return {key: _other_arrays(rng, value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_other_arrays(rng, value) for value in tree]
    if isinstance(tree, np.ndarray) and rng.randrange(50) == 0:
        other = [tree.T, tree[..., None], tree.ravel(), tree.astype(np.int32), tree.astype(np.float64), tree > 0]
        other += [tree[:0]] if tree.ndim else [np.full_like(tree, -1)]
        return rng.choice(other)
    return tree


# --- metrics ------------------------------------------------------------------------------------------------------


def _metrics() -> list[Files]:
    lines = [{"step": step, "epoch": step / 8, "loss": 1 / step, "seconds": step * 0.1} for step in (10, 20, 30)]
    lines.append({"step": 30, "epoch": 3.75, "train_loss": 0.1, "test_loss": 0.2, "sample": "to be"})
    return [{"metrics.jsonl": "".join(json.dumps(line) + "\n" for line in lines).encode()}]


def _go_on(folder: Path) -> None:
    """Metrics never stop a run: they are read, mended, and more is written; what was damaged is kept."""
    path = folder / "metrics.jsonl"
    before = path.read_bytes()
    said: list[str] = []
    log = MetricsLog(path, 20, said.append)
    log.append({"step": 30, "loss": 0.5})
    log.close()
    lines = read_metrics(path)
    assert lines == log.lines, "what is written is not what is read"
    assert not said or any(aside.read_bytes() == before for aside in folder.glob("metrics.damaged-*")), "damage is lost"
    assert all(text.isprintable() for text in said), "a control character reaches the terminal"


FORMATS = [
    Format("config.json", 12, _configs, _open, {"config.json": damaged_json}, named="config.json"),
    Format("checkpoint", 90, _checkpoints, _read_checkpoint, {"checkpoint": damaged}, named="checkpoint", checked=True),
    Format("checkpoint, its entries", 5, _changed_trees, _resume, {"draw": _other_draw}, named="checkpoint"),
    Format("metrics.jsonl", 20, _metrics, _go_on, {"metrics.jsonl": damaged_json_lines}, documented=()),
]
