"""What the settings of a recipe mean, read from the docstrings of its classes, the one place where it is written."""

import dataclasses
import inspect
import re

from handmade.tasks.recipe import Recipe

_ENTRY = re.compile(r"((?:[a-z]\w*(?: \([^)]*\))?, )*[a-z]\w*(?: \([^)]*\))?): ")
"""'shift, flip: ' or 'num_layers (of each), dropout: ', before what they mean."""

OTHER_NAMES = {
    "lr": "learning_rate",
    "rate": "learning_rate",
    "eta": "learning_rate",
    "max_lr": "learning_rate",
    "wd": "weight_decay",
    "decay": "weight_decay",
    "bs": "batch_size",
    "batch": "batch_size",
    "num_epochs": "epochs",
    "n_epochs": "epochs",
    "max_steps": "steps",
    "max_iters": "steps",
    "iterations": "steps",
    "optim": "optimizer",
    "scheduler": "schedule",
    "lr_schedule": "schedule",
    "clip": "max_norm",
    "grad_clip": "max_norm",
    "clip_grad_norm": "max_norm",
    "seq_len": "sequence_length",
    "block_size": "sequence_length",
    "context": "sequence_length",
    "hidden": "hidden_size",
    "hidden_dim": "hidden_size",
    "layers": "num_layers",
    "heads": "num_heads",
    "dataset": "data",
}
"""What settings are called elsewhere."""


def meanings(recipe: Recipe) -> dict[str, str]:
    """A sentence or two on each setting of the recipe, in the order of its fields; "" where none is written."""
    names = [field.name for field in dataclasses.fields(recipe)]
    known = {name for kind in type(recipe).__mro__ for name in getattr(kind, "__annotations__", ())}
    found: dict[str, str] = {}
    for kind in reversed(type(recipe).__mro__):
        if "__doc__" in vars(kind) and issubclass(kind, Recipe):
            found |= _entries(inspect.cleandoc(kind.__doc__ or ""), known)
    return {name: found.get(name, "") for name in names}


def _entries(text: str, names: set[str]) -> dict[str, str]:
    """The entries of a docstring for fields of these names."""
    text = " ".join(text.split())
    marks = [(match, re.sub(r" \([^)]*\)", "", match[1]).split(", ")) for match in _ENTRY.finditer(text)]
    marks = [(match, named) for match, named in marks if set(named) <= names]
    found = {}
    for (match, named), end in zip(marks, [*(match.start() for match, _ in marks[1:]), len(text)], strict=bool(marks)):
        found |= dict.fromkeys(named, _sentence(text[match.end() : end]))
    return found


def _sentence(text: str) -> str:
    text = text.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}." if text else ""
