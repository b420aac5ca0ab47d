"""A training step of whole convolutional networks, here and in PyTorch, in turn in one process.

    python -m benchmarks cnn_step [NAME ...] [--rounds N]

A step is forward, loss, backward, and SGD with momentum. The network in PyTorch is the same model file run with
torch.nn in place of handmade.nn, whose names and arguments it has; that both give the same scores is checked first.
Medians; float32; both use all cores. PyTorch has its default layout (NCHW). The bar: 4 times PyTorch's time.
"""

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

import handmade
from handmade import models, nn, optim
from handmade.models import ZOO

# The names, and the images of a batch.
NETWORKS = {
    "resnet20": 128,
    "resnet56": 128,
    "alexnet": 32,
    "alexnet-paper": 32,
    "vgg11": 8,
    "vgg16": 4,
    "resnet18": 16,
    "resnet50": 8,
    "googlenet": 16,
    "googlenet-paper": 16,
    "inception_v3": 4,
    "alexnet-cifar": 128,
    "vgg11-cifar": 128,
    "googlenet-cifar": 128,
}


def twin(name: str) -> ModuleType:
    """The file `name` of handmade.models, and those it imports, run on PyTorch."""
    if f"twin.{name}" in sys.modules:
        return sys.modules[f"twin.{name}"]
    source = Path(models.__file__).with_name(f"{name}.py").read_text()
    source = source.replace("from handmade.nn import", "from torch.nn import")
    source = re.sub(r"from handmade\.engine(\.functions)? import", "from torch import", source)
    source = re.sub(r"from handmade\.models\.(?!card)(\w+) import", r"from twin.\1 import", source)
    sys.modules.setdefault("twin", ModuleType("twin"))
    for other in re.findall(r"from twin\.(\w+) import", source):
        twin(other)
    module = sys.modules[f"twin.{name}"] = ModuleType(f"twin.{name}")
    exec(compile(source, f"{name} on torch", "exec"), vars(module))
    return module


def steps(name: str, batch: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """The step here and in PyTorch, of networks with the same weights, on the same images."""
    entry = ZOO[name]
    builder = getattr(twin(entry.build.__module__.rpartition(".")[2]), entry.build.__name__)
    ours, theirs = entry.make(), builder(**dict(entry.arguments))
    theirs.load_state_dict({name: torch.tensor(np.array(value)) for name, value in ours.state_dict().items()})
    x, y = torch.randn(batch, *entry.input_shape), torch.randint(0, 10, (batch,))
    images, labels = handmade.tensor(x.numpy()), handmade.tensor(y.numpy())
    with handmade.no_grad(), torch.no_grad():
        scores, expected = ours.eval()(images[:1]).numpy(), theirs.eval()(x[:1]).numpy()
    if np.abs(scores - expected).max() > 1e-3 * expected.std():
        raise SystemExit(f"{name}: the two networks differ")
    here = step(ours.train(), optim.SGD(ours.parameters(), lr=1e-3, momentum=0.9), nn, images, labels)
    there = step(theirs.train(), torch.optim.SGD(theirs.parameters(), lr=1e-3, momentum=0.9), torch.nn, x, y)
    return here, there


def step(model: Any, optimizer: Any, library: Any, images: Any, labels: Any) -> Callable[[], None]:
    loss = getattr(model, "loss", library.functional.cross_entropy)

    def run() -> None:
        optimizer.zero_grad()
        loss(model(images), labels).backward()
        optimizer.step()

    return run


def seconds(runs: tuple[Callable[[], object], ...], rounds: int) -> list[float]:
    """The median time of each. They take turns, and run once before they are timed."""
    times: list[list[float]] = [[] for _ in runs]
    for number in range(rounds + 1):
        for run, series in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            if number:
                series.append(time.perf_counter() - start)
    return [statistics.median(series) for series in times]


def main(names: list[str], rounds: int) -> None:
    print(f"{'network':18s} {'images':>16s} {'handmade':>12s} {'PyTorch':>12s}  ratio")
    for name in names or NETWORKS:
        batch = NETWORKS.get(name, 8)
        ours, theirs = seconds(steps(name, batch), rounds)
        shape = "x".join(map(str, (batch, *ZOO[name].input_shape)))
        print(f"{name:18s} {shape:>16s} {ours * 1e3:9.0f} ms {theirs * 1e3:9.0f} ms  {ours / theirs:5.2f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of the zoo; without names {', '.join(NETWORKS)}")
    parser.add_argument("--rounds", type=int, default=5, help="timed steps of each; 5 if not given")
    arguments = parser.parse_args()
    main(arguments.names, arguments.rounds)
