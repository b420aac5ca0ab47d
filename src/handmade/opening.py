"""`handmade.open`: a trained model as the object with which it is used, of a run or with published weights."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from handmade.errors import InputError, suggestion
from handmade.models import ZOO
from handmade.models.bert import CONFIGURATIONS
from handmade.models.gpt import CONFIGS
from handmade.tasks import Use
from handmade.tasks.images.classifier import published_classifier
from handmade.tasks.language.writer import published_writer
from handmade.tasks.masked.published import published_bert
from handmade.train import open_run

U = TypeVar("U", bound=Use)


def open(source: str | os.PathLike[str], weights: str | os.PathLike[str] | None = None) -> Any:
    """The model of a run, or a network of the zoo with published weights, as the object with which it is used.

        handmade.open("runs/lenet5-1").classify("seven.png")
        handmade.open("runs/gpt-1").write("ROMEO:")
        handmade.open("resnet50", weights="resnet50").classify("cat.jpg")
        handmade.open("gpt2", weights="folder/of/gpt2").write("The meaning of life")

    What it is depends on the model: a Classifier, Writer, Filler, Encoder, Translator, Listener or TriggerListener, of
    handmade.tasks. Each has `.model`, `.name` and `.trained`.

    source: the folder of a run, or the name of a network.
    weights: for a network: a weights file, the name of published weights, or a folder with the weights and the files of
        a tokenizer. Without them the network is untrained, if it can be used like that.

    Raises InputError for an unknown name, a run without a trained model, and weights that are missing or do not fit.
    """
    name, folder = os.fspath(source), Path(source)
    given = None if weights is None else os.fspath(weights)
    if (folder / "config.json").exists():
        if given is not None:
            raise InputError(f"{name} is a run and has weights of its own; weights are given with the name of a model.")
        return open_run(folder).use()
    if name in ZOO:
        return _published(name)(name, given)
    if folder.exists() or len(folder.parts) > 1:
        raise InputError(f"{name} holds no run: there is no {folder / 'config.json'}.")
    raise InputError(
        f"{name!r} is neither the folder of a run nor a model of the zoo{suggestion(name, ZOO)} "
        "All its models are in handmade.models.ZOO."
    )


def open_as(
    kinds: type[U] | tuple[type[U], ...],
    source: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    purpose: str = "",
) -> U:
    """As `open`, but only for objects of these kinds; InputError for any other.

    purpose: what all of them do, for the message, for example 'read text'.
    """
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    used = open(source, weights)
    if isinstance(used, kinds):
        return used
    holds = f"{source} holds a run of {used.name}, which" if used.name != os.fspath(source) else used.name
    raise InputError(f"{holds} does not {purpose or ' or '.join(kind.purpose for kind in kinds)}.")


def _published(name: str) -> Callable[[str, str | None], Use]:
    """What makes a network of the zoo usable."""
    if ZOO[name].classes:
        return published_classifier
    if name in CONFIGS:
        return published_writer
    if name in CONFIGURATIONS:
        return published_bert
    raise InputError(f"{name} has no published weights to be used with: train it, and open its run.")
