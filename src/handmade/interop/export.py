"""Files of a network that other programs load: its weights for PyTorch, its whole graph as ONNX.

Weights as safetensors need nothing of this room: `handmade.weights.save`.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

from handmade.errors import InputError
from handmade.files import replacing
from handmade.interop import layers
from handmade.interop.installed import torch
from handmade.interop.torch import to_torch
from handmade.nn import Module

ONNX_LIMIT = 2**31
"""Bytes of a file of protocol buffers, which ONNX is."""


def save_torch(model: Module, path: Path) -> None:
    """Write the weights so that `torch.load(path, weights_only=True)` gives the state_dict."""
    state = to_torch(model).state_dict()
    with replacing(path) as temporary:
        torch.save(state, temporary)


def save_onnx(model: Module, example: Sequence[Any], path: Path) -> None:
    """Write the network in evaluation mode, from its inputs to its outputs, as ONNX.

    example: the inputs, tensors or arrays, of a batch of two or more: what runs for them is what is written. The first
    axis, and of integers (tokens) the second, may have other sizes when the file is used.

    Raises InputError where onnx or onnxscript is missing, where the weights take 2 GB or more, and for a network that
    cannot be written; the message names the layer and the mend. The file appears whole or not at all.
    """
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise InputError(f"ONNX files need {' and '.join(missing)}: pip install 'handmade[onnx]'.")
    size = sum(parameter.array.nbytes for parameter in model.parameters())
    if size >= ONNX_LIMIT:
        raise InputError(
            f"the weights take {size / 2**30:.1f} GB, and an ONNX file holds 2 GB at most. "
            "Write the weights alone, as safetensors"
        )
    theirs = to_torch(model).eval()
    inputs = tuple(layers.tensor(x) for x in example)
    open_axes = tuple(
        dict.fromkeys(range(1 if x.is_floating_point() else x.ndim), torch.export.Dim.AUTO) for x in inputs
    )
    with layer_named(theirs), torch.no_grad():
        theirs(*inputs)
        with _quiet():
            program = torch.onnx.export(theirs, inputs, dynamo=True, dynamic_shapes=open_axes, verbose=False)
    assert program is not None
    with replacing(path) as temporary:
        program.save(temporary, external_data=False)


@contextmanager
def layer_named(model: torch.nn.Module) -> Iterator[None]:
    """Turn an error within `model` into an InputError that names the layer, its line and the mend."""
    try:
        yield
    except Exception as raised:
        error: BaseException = raised
        while error.__cause__ is not None:  # the exporter's own errors are made of the one in the layer
            error = error.__cause__
        where = _innermost(error, model) or _of_node(error, model)
        if where is None and not type(error).__module__.startswith("torch."):
            raise
        cause = str(error).strip().partition("\n")[0]
        raise InputError(
            f"this network cannot be exported: {where or type(model).__name__}: {cause}. "
            "In `forward`, use operations on tensors and functions that PyTorch has too, in place of arrays "
            "(x.array, NumPy) and of operations of your own."
        ) from raised


def _innermost(error: BaseException, model: torch.nn.Module) -> str | None:
    """The layer whose code was running, as `encoder.0 (Attention, line 12 of net.py)`."""
    names = {id(module): name for name, module in model.named_modules()}
    found, traceback = None, error.__traceback__
    while traceback is not None:
        frame: FrameType = traceback.tb_frame
        module = frame.f_locals.get("self")
        if isinstance(module, torch.nn.Module) and id(module) in names and not _of_torch(frame):
            place = f"line {traceback.tb_lineno} of {Path(frame.f_code.co_filename).name}"
            found = f"{names[id(module)] or 'the network itself'} ({type(module).__name__}, {place})"
        traceback = traceback.tb_next
    return found


def _of_node(error: BaseException, model: torch.nn.Module) -> str | None:
    """The same for an operation that was traced, and that the exporter then could not write."""
    found, traceback = None, error.__traceback__
    while traceback is not None:
        node = traceback.tb_frame.f_locals.get("node")
        if isinstance(node, torch.fx.Node) and node.meta.get("nn_module_stack"):
            name = list(node.meta["nn_module_stack"].values())[-1][0]
            lines = re.findall(r'File "(.+)", line (\d+)', node.meta.get("stack_trace") or "")
            place = f", line {lines[-1][1]} of {Path(lines[-1][0]).name}" if lines else ""
            found = f"{name or 'the network itself'} ({type(model.get_submodule(name)).__name__}{place})"
        traceback = traceback.tb_next
    return found


def _of_torch(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__", "").partition(".")[0] == "torch"


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter reports its own steps, and what it does without: nothing that its user can change."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
