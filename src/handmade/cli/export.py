"""handmade export: a file of a trained network that other programs load."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handmade.cli.screen import say
from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.nn import Module
    from handmade.tasks import Use


class Format(StrEnum):
    """What can be written."""

    safetensors = "safetensors"
    torch = "torch"
    onnx = "onnx"


ENDINGS = {Format.safetensors: ".safetensors", Format.torch: ".pt", Format.onnx: ".onnx"}


def export(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RUN|MODEL", help="A run's folder, for example runs/lenet5-1, or a network, for example resnet50."
        ),
    ],
    to: Annotated[
        Format | None,
        typer.Option(
            help="The weights as safetensors, or as PyTorch's state_dict; or the network with its weights as ONNX."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file; by default the run's or the network's name.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="For a network: a weights file, or the name of published weights.")
    ] = None,
) -> None:
    """Write a network into a file that other programs load.

    The names in it are those that torchvision and Hugging Face's transformers use, where they have the network.
    """
    from handmade.opening import open

    if to is None:
        raise InputError(f"say what to write. For example: `handmade export {source} --to safetensors`, torch or onnx.")
    path = out or Path(Path(source).name + ENDINGS[to])
    if path.exists():
        raise InputError(f"{path} exists already: give another name with --out, or delete it.")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent} to write {path.name} into.")
    used = open(source, weights)
    if not used.trained:
        raise InputError(f"{source} is untrained: give a weights file or the name of published weights with --weights.")
    _write(used, to, path)
    count = sum(parameter.numel() for parameter in used.model.parameters())
    say(f"{path}: {used.name}, {count:,} parameters")


def _write(used: "Use", to: Format, path: Path) -> None:
    if to is Format.safetensors:
        from handmade import weights

        weights.save(path, {name: tensor.array for name, tensor in used.model.state_dict().items()})
        return
    try:
        from handmade.interop import export
    except ModuleNotFoundError as error:
        raise InputError(f"--to {to.value}: {error}.") from error
    if to is Format.torch:
        export.save_torch(used.model, path)
    else:
        export.save_onnx(used.model, _example(used.name, used.model), path)


def _example(name: str, model: "Module") -> tuple[Any, ...]:
    """Inputs that this model takes, of a batch of two: those of its card, with its own channels and length."""
    import numpy as np

    from handmade.engine import Tensor
    from handmade.models import ZOO

    card, made = ZOO[name], []
    for x in card.example():
        array = np.repeat(x.array if isinstance(x, Tensor) else x, 2, axis=0)
        if card.input == "image":
            channels = next(p.shape[1] for p in model.parameters() if p.ndim == 4)
            array = np.zeros((2, channels, *array.shape[2:]), array.dtype)
        elif card.input == "tokens":
            array = array[:, : getattr(model, "block_size", None)]
        made.append(Tensor(array) if isinstance(x, Tensor) else array)
    return tuple(made)
