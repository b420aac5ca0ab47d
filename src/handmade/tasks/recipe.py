"""Recipes: everything that decides a training run, as one dataclass that can be shown, changed and stored."""

import dataclasses
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from handmade.errors import InputError, suggestion
from handmade.moved import HasMoved
from handmade.nn import Module
from handmade.optim import Adam, CosineAnnealingLR, Optimizer
from handmade.optim.lr_scheduler import LRScheduler

if TYPE_CHECKING:
    from handmade.tasks.task import Task

R = TypeVar("R", bound="Recipe")


@dataclass(frozen=True, kw_only=True)
class Recipe(HasMoved):
    """The settings that all recipes share. A kind of task adds its fields and defines `task`.

    model: what is trained. data: the data set it learns from.
    epochs: passes over the training set.
    batch_size: examples in a step of the optimizer.
    learning_rate: the highest in the course of the run.
    max_norm: the norm to which gradients are clipped; None for no clipping.
    steps: the length of the run in steps of the optimizer; None for `epochs` epochs.
    seed: of the initial weights, the order of the examples, and every other random number of the run.
    checkpoint_seconds: the longest time between two checkpoints.
    threads: cores that a matrix product uses; None for all. Small networks are as fast with one, and many times faster
        while other programs use the cores too, because threads wait for each other.
    """

    model: str
    data: str
    epochs: int
    steps: int | None = None
    batch_size: int
    learning_rate: float = 1e-3
    max_norm: float | None = None
    seed: int = 0
    checkpoint_seconds: float = 30.0
    threads: int | None = None

    def __post_init__(self) -> None:
        self.at_least(1, "epochs", "steps", "batch_size", "threads")
        self.at_least(0, "seed", "checkpoint_seconds", "learning_rate", "max_norm")

    def at_least(self, low: float, *names: str) -> None:
        """Raise InputError if a field of these names is below `low`, or not a number; None passes."""
        for name in names:
            value = getattr(self, name)
            if value is not None and not low <= value < float("inf"):
                raise InputError(f"{name} is {value}, expected a number of at least {low}.")

    def tested_on(self, data: str) -> "Recipe":
        """The recipe for evaluating this recipe's model on another data set."""
        return dataclasses.replace(self, data=data)

    def make_optimizer(self, model: Module) -> Optimizer:
        """What moves the weights: Adam at the learning rate, where a recipe says nothing else."""
        return Adam(model.parameters(), self.learning_rate)

    def make_schedule(self, optimizer: Optimizer, total_steps: int) -> LRScheduler:
        """How the learning rate changes: down to 0 along half a cosine wave, where a recipe says nothing else."""
        return CosineAnnealingLR(optimizer, T_max=total_steps)

    def task(self, facts: dict[str, Any] | None = None) -> "Task":
        """The model, its data and its optimizer, made from the seed alone.

        facts: what an earlier task of this recipe learned from its data (`Task.facts`), to build the same model.
        """
        raise NotImplementedError


def changed(recipe: R, settings: Sequence[str]) -> R:
    """`recipe` with settings as a person writes them, each 'key=value'.

    Values are read as the field's type. Raises InputError for an unknown key (with the nearest known one), a value
    of another type, and a value out of range.
    """
    return dataclasses.replace(recipe, **dict(setting(recipe, text) for text in settings))


def setting(recipe: Recipe, text: str) -> tuple[str, Any]:
    """The key and the value of a 'key=value', read as `changed` does; whether the recipe allows it is not looked at."""
    kinds = typing.get_type_hints(type(recipe))
    fields = {field.name: kinds[field.name] for field in dataclasses.fields(recipe)}
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"{text}: expected key=value, for example epochs=3.")
    if key not in fields:
        raise InputError(f"{text}: the recipe has no {key!r}{_near(key, fields)}")
    if key == "model":
        raise InputError(f"{text}: a recipe trains its own model; take the recipe of {value}.")
    return key, parse(key, value, fields[key])


def _near(key: str, fields: Iterable[str]) -> str:
    """The end of a sentence about an unknown setting: the one that is meant, or all that there are."""
    from handmade.tasks.meanings import OTHER_NAMES

    plain = key.lower().replace("-", "_")
    other = OTHER_NAMES.get(plain, plain)
    if other in fields:
        return f"; did you mean {other!r}?"
    near = suggestion(other, fields)
    return near if near != "." else f". It has {', '.join(fields)}."


def parse(key: str, text: str, kind: Any) -> Any:
    """`text` as a value of the field `key`, whose type is `kind`."""
    if typing.get_origin(kind) in (UnionType, typing.Union):  # steps: int | None
        if text.lower() == "none":
            return None
        kind = next(option for option in typing.get_args(kind) if option is not type(None))
    if typing.get_origin(kind) is Literal:
        choices = typing.get_args(kind)
        if text not in choices:
            raise InputError(f"{key} is {text!r}{suggestion(text, choices)} Expected: {' or '.join(choices)}.")
        return text
    if kind is bool:
        if text.lower() not in BOOLEANS:
            raise InputError(f"{key} is {text!r}, expected true or false.")
        return BOOLEANS[text.lower()]
    try:
        return kind(text)
    except ValueError:
        raise InputError(f"{key} is {text!r}, expected {NUMBERS[kind]}.") from None


BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
NUMBERS = {int: "a whole number", float: "a number"}
