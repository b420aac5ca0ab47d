"""Published weights into a model."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from handmade.errors import InputError
from handmade.reading import read_json
from handmade.weights.catalogue import published
from handmade.weights.fetch import find
from handmade.weights.files import read

C = TypeVar("C")

AUXILIARY_HEADS = ("aux1.", "aux2.", "AuxLogits.")
"""Of GoogLeNet and Inception v3: they only serve training, and a model may be built without them."""


@runtime_checkable
class HasState(Protocol):
    """A model: it knows its arrays by name."""

    def state_dict(self) -> Mapping[str, Any]: ...

    def load_state_dict(self, state_dict: Any, strict: bool = True) -> Any: ...


@runtime_checkable
class HasPublishedForm(Protocol):
    """A model whose published file names its arrays otherwise, or lays them out otherwise."""

    def from_published(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]: ...


@runtime_checkable
class HasSettings(Protocol):
    """A model that knows what config.json beside its weights must say."""

    def check_settings(self, settings: Mapping[str, Any]) -> None: ...


def settings_beside(weights: Path) -> dict[str, Any] | None:
    """What config.json, which Hugging Face's library writes beside weights, says of their network; None without one.

    Raises InputError where it cannot be read.
    """
    path = weights.with_name("config.json")
    settings = read_json(path) if path.is_file() else None
    return settings if isinstance(settings, dict) and "model_type" in settings else None  # that of a run has none


def configured_beside(
    weights: Path, configured: Callable[[Mapping[str, Any]], C], least_numbers: Callable[[C], int]
) -> C | None:
    """The configuration that config.json beside a weights file means; None without one.

    least_numbers: how many numbers the weights of a configuration hold at least. More than the file can hold are
    refused before a model takes memory for them.

    Raises InputError for a network that cannot be built.
    """
    settings = settings_beside(weights)
    if settings is None:
        return None
    path = weights.with_name("config.json")
    try:
        config = configured(settings)
    except ValueError as error:
        raise InputError(f"{path}: {error}.") from None
    numbers, size = least_numbers(config), weights.stat().st_size
    if numbers > size:
        raise InputError(f"{path} means a network of {numbers:,} numbers or more, and {weights} has {size:,} bytes.")
    return config


def load(model: HasState, path_or_name: str | os.PathLike[str]) -> None:
    """Give `model` the weights in a file, or published weights by name, as `load(resnet50(), "resnet50")`.

    Files are read by `handmade.weights.read`. Every name must match but two kinds: old files lack batch norm's
    `num_batches_tracked`, which then stays as it is, and auxiliary heads that the model was built without are left out.
    A model with `from_published` is asked for its own names, unless the file has them. Where a config.json of Hugging
    Face's lies beside the file, a GPT or BERT must be the network that it describes.
    Attributes that published weights were trained with are set (`transform_input` of GoogLeNet and Inception v3).

    Raises:
        InputError: no such file or name, an unreadable file, or one that does not fit: the message lists what differs.
    """
    path = find(path_or_name)
    load_arrays(model, read(path), path)


def load_arrays(model: HasState, arrays: dict[str, np.ndarray], path: Path) -> None:
    """As `load`, with the arrays of the file `path`, which have been read."""
    own = model.state_dict()
    if isinstance(model, HasSettings):
        _check_settings(model, path)
    try:
        if isinstance(model, HasPublishedForm) and arrays.keys() != own.keys():
            arrays = model.from_published(arrays)
        arrays = _allowances(arrays, own)
        model.load_state_dict(arrays)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{path}: {error}{_head_advice(arrays, own, path)}") from None
    weights = published(path.name)
    for attribute, value in weights.settings.items() if weights else ():
        if hasattr(model, attribute):
            setattr(model, attribute, value)


def _check_settings(model: HasSettings, path: Path) -> None:
    """InputError unless the config.json beside the weights, if there is one, means this model."""
    settings = settings_beside(path)
    if settings is None:
        return
    try:
        model.check_settings(settings)
    except ValueError as error:
        raise InputError(f"{path.with_name('config.json')}: {error}.") from None


def _allowances(arrays: dict[str, np.ndarray], own: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of a file, with what the model may have and the file lack, and without what it may lack."""
    counters = {name: own[name] for name in own if name.endswith("num_batches_tracked") and name not in arrays}
    spare = tuple(head for head in AUXILIARY_HEADS if not any(name.startswith(head) for name in own))
    return {name: array for name, array in arrays.items() if not name.startswith(spare)} | counters


def _head_advice(arrays: Mapping[str, Any], own: Mapping[str, Any], path: Path) -> str:
    """How to go on when the number of classes is all that differs; otherwise nothing."""
    if arrays.keys() != own.keys():
        return ""
    pairs = {name: (tuple(arrays[name].shape), tuple(own[name].shape)) for name in own}
    different = {name: (theirs, ours) for name, (theirs, ours) in pairs.items() if theirs != ours}
    counts = {(theirs[:1], ours[:1]) for theirs, ours in different.values()}
    if len(counts) != 1 or any(theirs[1:] != ours[1:] for theirs, ours in different.values()):
        return ""
    ((their_classes, our_classes),) = counts
    if not their_classes or not our_classes:  # a number by itself has no classes
        return ""
    weights = published(path.name)
    classes = f"num_classes={their_classes[0]}"
    example = f", as {weights.builder}({classes})" if weights else ""
    names = ", ".join(f'"{name}"' for name in different)
    return (
        f"\nOnly the head differs: the file knows {their_classes[0]} classes, the model {our_classes[0]}. Either build "
        f"the model with {classes}{example}, or keep its new head and load the rest:\n"
        f'    arrays = handmade.weights.read("{path}")\n'
        f"    rest = {{name: array for name, array in arrays.items() if name not in ({names},)}}\n"
        f"    model.load_state_dict(rest, strict=False)"
    )
