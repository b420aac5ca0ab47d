"""The workloads of `speed`: for each a training step (or a decoding), here and in PyTorch, on arrays of the same sizes.

A function gives a step of one side alone, so that its process holds nothing of the other.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Step = Callable[[], object]
SIDES = ("handmade", "torch", "torch-channels-last")
LAYOUTS = ("torch-channels-last",)

IMAGES = {"alexnet": 16, "vgg11": 4, "resnet18": 8, "googlenet": 8, "resnet20": 128}
"""Networks of images, and the images of a batch."""
RECURRENT = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
GPTS = {"gpt-cpu": (12, 64), "gpt-baby": (4, 256)}
WORKLOADS = ["lenet5", *IMAGES, *RECURRENT, *GPTS, "gpt-decode", "transformer"]
LAYOUT_MATTERS = {"lenet5", *IMAGES}
VOCABULARY = 65


def step_of(workload: str, side: str) -> Step:
    """One step of a workload on one side."""
    here = side == "handmade"
    if workload == "lenet5":
        return _lenet(here, side in LAYOUTS)
    if workload in IMAGES:
        return _images(workload, here, side in LAYOUTS)
    if workload in RECURRENT:
        return _recurrent(RECURRENT[workload], here)
    if workload in GPTS:
        return _gpt(workload, here, *GPTS[workload])
    if workload == "gpt-decode":
        return _decode(here)
    if workload == "transformer":
        from benchmarks.transformer_step import steps  # builds both sides: its peak memory is of both

        return steps("small")[0 if here else 1]
    raise ValueError(f"workload {workload!r} is not one of {', '.join(WORKLOADS)}")


def _learn(model: Any, optimizer: Any, loss: Callable[[], Any]) -> Step:
    def run() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return run


def _lenet(here: bool, channels_last: bool) -> Step:
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(64, 1, 32, 32)).astype(np.float32), rng.integers(0, 10, 64)
    if here:
        from handmade import nn, optim, tensor
        from handmade.models import lenet5

        model, x, y = lenet5(), tensor(images), tensor(labels)
        optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        return _learn(model, optimizer, lambda: nn.functional.cross_entropy(model(x), y))
    from benchmarks.lenet_step import theirs

    return theirs(images, labels, channels_last)


def _images(name: str, here: bool, channels_last: bool) -> Step:
    from benchmarks.cnn_step import step, twin
    from handmade import nn, optim, tensor
    from handmade.models import ZOO

    entry, rng = ZOO[name], np.random.default_rng(0)
    x = rng.normal(size=(IMAGES[name], *entry.input_shape)).astype(np.float32)
    y = rng.integers(0, 10, IMAGES[name])
    if here:
        model = entry.make().train()
        return step(model, optim.SGD(model.parameters(), lr=1e-3, momentum=0.9), nn, tensor(x), tensor(y))
    import torch

    builder = getattr(twin(entry.build.__module__.rpartition(".")[2]), entry.build.__name__)
    model, images = builder(**dict(entry.arguments)).train(), torch.tensor(x)
    if channels_last:
        model, images = model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    return step(model, optimizer, torch.nn, images, torch.tensor(y))


def _recurrent(kind: str, here: bool) -> Step:
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, (32, 65))
    if here:
        from handmade import nn, optim, tensor

        array = tensor
    else:
        import torch
        from torch import nn, optim

        array = torch.tensor
    table, network = nn.Embedding(VOCABULARY, 256), getattr(nn, kind)(256, 256, 2, batch_first=True)
    out, x, y = nn.Linear(256, VOCABULARY), array(tokens[:, :-1]), array(tokens[:, 1:].reshape(-1))
    parameters = [*table.parameters(), *network.parameters(), *out.parameters()]
    loss = lambda: nn.functional.cross_entropy(out(network(table(x))[0]).reshape(-1, VOCABULARY), y)
    return _learn(network, optim.AdamW(parameters, lr=1e-4), loss)


def _gpt(name: str, here: bool, batch: int, length: int) -> Step:
    from handmade import nn, optim, tensor
    from handmade.models import gpt

    tokens = np.random.default_rng(0).integers(0, VOCABULARY, (batch, length + 1))
    model = gpt(name)
    if here:
        x, y = tensor(tokens[:, :-1]), tensor(tokens[:, 1:].reshape(-1))
        loss = lambda: nn.functional.cross_entropy(model(x).reshape(-1, VOCABULARY), y)
        return _learn(model, optim.AdamW(model.parameters(), lr=1e-4), loss)
    import torch

    from benchmarks.gpt_net import copied

    twin = copied(model).train()
    x, y = torch.tensor(tokens[:, :-1]), torch.tensor(tokens[:, 1:].reshape(-1))
    loss = lambda: torch.nn.functional.cross_entropy(twin(x).flatten(0, 1), y)
    return _learn(twin, torch.optim.AdamW(twin.parameters(), lr=1e-4), loss)


def _decode(here: bool) -> Step:
    """Fifty tokens of gpt-baby, one at a time, each beside the cache of those before."""
    from handmade import Tensor, no_grad
    from handmade.models import gpt

    model, tokens = gpt("gpt-baby").eval(), np.random.default_rng(0).integers(0, VOCABULARY, (1, 50))
    if here:

        @no_grad()
        def decode() -> None:
            cache = None
            for place in range(tokens.shape[1]):
                _, cache = model.step(Tensor(tokens[:, place : place + 1]), cache)

        return decode
    import torch

    from benchmarks.gpt_net import copied

    twin, given = copied(model).eval(), torch.tensor(tokens)

    @torch.inference_mode()
    def decode_there() -> None:
        caches = twin.caches(1)
        for place in range(tokens.shape[1]):
            twin(given[:, place : place + 1], caches, place)

    return decode_there
