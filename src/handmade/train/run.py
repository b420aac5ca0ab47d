"""The run folder: what a training run saves, and what it is resumed, evaluated and used from.

config.json          the recipe, and what was learned from the data (classes, image size)
metrics.jsonl        loss, accuracy and learning rate over time
checkpoint           what training resumes from
model.safetensors    the model alone
curves.png ...       pictures
interventions.jsonl  what was changed by hand while it trained, if anything was (see interventions.py)
"""

import dataclasses
import json
import shutil
import typing
from pathlib import Path
from typing import Any

import handmade
from handmade.errors import InputError
from handmade.files import cannot_write, free_path, write_text
from handmade.moved import HasMoved
from handmade.nn import Module
from handmade.reading import MOST_JSON, cannot_read, parse_json, read_bytes, require
from handmade.recipes import recipe_of
from handmade.tasks.recipe import Recipe
from handmade.tasks.task import Task
from handmade.tasks.use import Use

UNFINISHED = ".*.part"
"""Names of files that are being written, or were when their process was killed."""


@dataclasses.dataclass(frozen=True)
class Run(HasMoved):
    """A folder with the run of a recipe; `facts` are its task's (see Task)."""

    folder: Path
    recipe: Recipe
    facts: dict[str, Any]

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def weights(self) -> Path:
        return self.folder / "model.safetensors"

    def task(self) -> Task:
        """The model and its data, built from the recipe and the facts.

        Raises InputError, which names config.json, where they cannot be built from it.
        """
        return _task(self.recipe, self)

    def write_config(self) -> None:
        """Write config.json."""
        config = {"handmade": handmade.__version__, "recipe": dataclasses.asdict(self.recipe), "facts": self.facts}
        write_text(self.folder / "config.json", json.dumps(config, indent=2) + "\n")

    def made_again(self) -> bool:
        """Whether the folder was gone; it is there again, with its config.json."""
        if self.folder.is_dir():
            return False
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.folder, error) from error
        self.write_config()
        return True

    def longer(self, steps: int | None, epochs: int | None) -> "Run":
        """The same run with another length, in steps or epochs; `Trainer.keep_length` writes that down."""
        recipe = dataclasses.replace(self.recipe, steps=steps, epochs=epochs or self.recipe.epochs)
        return dataclasses.replace(self, recipe=recipe)

    def fork(self) -> "Run":
        """A copy of the run at its checkpoint, in a folder beside this one: NAME-fork-1, or with the next free number.

        Nothing may train the run meanwhile. InputError where there is no checkpoint, or the copy cannot be written.
        """
        if not self.checkpoint.exists():
            raise InputError(f"{self.folder} has no checkpoint yet to fork from.")
        folder = free_path(self.folder.parent, f"{self.folder.name}-fork-{{}}")
        run = dataclasses.replace(self, folder=folder)
        try:
            folder.mkdir()
            for path in self.folder.iterdir():
                if path.is_file() and path.name != "config.json" and not path.match(UNFINISHED):
                    shutil.copyfile(path, folder / path.name)
        except OSError as error:
            raise cannot_write(folder, error) from error
        run.write_config()  # the last: a folder without it is no run
        return run

    def remove_unfinished(self) -> None:
        """Remove files that a killed process was writing."""
        for path in self.folder.glob(UNFINISHED):
            path.unlink()

    def save_model(self, model: Module) -> None:
        """Write the model's parameters and buffers, as published weights are written."""
        from handmade.weights import save

        save(self.weights, {name: tensor.array for name, tensor in model.state_dict().items()})

    def load_model(self, model: Module) -> None:
        """Give `model` the weights of this run; InputError when there are none yet, or they do not fit."""
        from handmade.weights import load

        if not self.weights.exists():
            raise InputError(f"{self.folder} has no trained model yet: resume the run until an epoch has ended.")
        load(model, self.weights)

    def evaluate(self, data: str | None = None) -> dict[str, float]:
        """The measures of the trained model on the test part of its set, or of another. InputError without a model."""
        recipe = self.recipe.tested_on(data) if data else self.recipe
        task = _task(recipe, self)
        self.load_model(task.model)
        return task.evaluate()

    def use(self) -> Use:
        """The trained model with all that it takes to use it. InputError when there is none yet."""
        task = self.task()
        self.load_model(task.model)
        return task.use


def new_run(recipe: Recipe, facts: dict[str, Any], folder: Path | None = None) -> Run:
    """Make a folder for a run: `folder`, or runs/<model>-<n> with the next number.

    Raises InputError when `folder` holds a run, or anything else, or cannot be made.
    """
    try:
        folder = _empty_folder(folder) if folder else _numbered_folder(recipe.model)
    except OSError as error:
        raise cannot_write(Path(error.filename or folder or "runs"), error) from error
    run = Run(folder, recipe, facts)
    run.write_config()
    return run


def open_run(folder: Path) -> Run:
    """The run in `folder`; InputError when there is none, or its config.json cannot be used."""
    path = folder / "config.json"
    try:
        content = read_bytes(path, MOST_JSON)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder} holds no run: there is no {path}.") from None
    except OSError as error:
        raise cannot_read(path, error) from error
    config = parse_json(content, str(path))
    require(config, {"recipe": dict, "facts": dict}, str(path))
    require(config["recipe"], {"model": str}, f"{path}: recipe")
    return Run(folder, _recipe(config["recipe"], path), config["facts"])


def _recipe(fields: dict[str, Any], path: Path) -> Recipe:
    """The recipe with the fields that config.json has; those that came later have their defaults."""
    try:
        known = recipe_of(fields["model"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    kinds = typing.get_type_hints(type(known))
    names = {field.name for field in dataclasses.fields(known)}
    unknown = sorted(fields.keys() - names)
    if unknown:
        raise InputError(f"{path} does not fit this version's recipe of {known.model}: it has no {unknown[0]!r}.")
    require(fields, {name: kinds[name] for name in fields}, f"{path}: recipe")
    try:
        return type(known)(**{**fields, "model": known.model})  # a former name is given up
    except (InputError, TypeError) as error:
        raise InputError(f"{path}: recipe: {error}") from error


def _task(recipe: Recipe, run: Run) -> Task:
    """The task of `recipe` with the facts of `run`."""
    try:
        return recipe.task(run.facts)
    except ValueError as error:
        raise InputError(f"{run.folder / 'config.json'}: {error}") from error


def _empty_folder(folder: Path) -> Path:
    if (folder / "config.json").exists():
        raise InputError(f"{folder} holds a run already: resume it, or give another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    if any(not path.match(UNFINISHED) for path in folder.iterdir()):
        raise InputError(f"{folder} is not empty: give a new folder.")
    return folder


def _numbered_folder(model: str) -> Path:
    number = 1
    while True:
        folder = Path("runs", f"{model}-{number}")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            number += 1
