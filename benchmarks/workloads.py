"""The workloads of `speed`: for each a training step (or a decoding), here and in PyTorch, on arrays of the same sizes.

A function gives a step of one side alone, so that its process holds nothing of the other.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from handmade.models.sequence_to_sequence import PAD

Step = Callable[[], object]
SIDES = ("handmade", "torch", "torch-channels-last")
LAYOUTS = ("torch-channels-last",)

IMAGES = {"alexnet": 16, "vgg11": 4, "resnet18": 8, "googlenet": 8, "resnet20": 128}
"""Networks of images, and the images of a batch."""
OPTIONS: dict[str, dict[str, Any]] = {"googlenet": {"aux_logits": False}}
"""How they differ from the zoo's: GoogLeNet without its small classifiers."""
RECURRENT = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
GPTS = {"gpt-cpu": (12, 64), "gpt-baby": (4, 256)}
WORKLOADS = ["lenet5", *IMAGES, *RECURRENT, *GPTS, "gpt-decode", "transformer"]
LAYOUT_MATTERS = {"lenet5", *IMAGES}
LOADED = ("lenet5", "resnet20", "lstm", "gpt-cpu")
"""Workloads that `--load` measures once more beside another process."""
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
        return _transformer(here)
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
    from handmade.models import ZOO

    entry, rng = ZOO[name], np.random.default_rng(0)
    options = dict(entry.arguments) | OPTIONS.get(name, {})
    x = rng.normal(size=(IMAGES[name], *entry.input_shape)).astype(np.float32)
    y = rng.integers(0, 10, IMAGES[name])
    if here:
        from handmade import nn, optim, tensor

        model, images, labels = entry.build(**options).train(), tensor(x), tensor(y)
    else:
        import torch
        from torch import nn, optim

        from benchmarks.cnn_step import twin

        builder = getattr(twin(entry.build.__module__.rpartition(".")[2]), entry.build.__name__)
        model, images, labels = builder(**options).train(), torch.tensor(x), torch.tensor(y)
        if channels_last:
            model, images = model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    optimizer = optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    return _learn(model, optimizer, lambda: nn.functional.cross_entropy(model(images), labels))


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
        loss = lambda: nn.functional.cross_entropy(model(x)[0].reshape(-1, VOCABULARY), y)
        return _learn(model, optim.AdamW(model.parameters(), lr=1e-4), loss)
    import torch

    from benchmarks.gpt_net import copied

    twin = copied(model).train()
    x, y = torch.tensor(tokens[:, :-1]), torch.tensor(tokens[:, 1:].reshape(-1))
    loss = lambda: torch.nn.functional.cross_entropy(twin(x).flatten(0, 1), y)
    return _learn(twin, torch.optim.AdamW(twin.parameters(), lr=1e-4), loss)


def _transformer(here: bool) -> Step:
    """The small Transformer (3 + 3 layers, 256 wide) on 32 pairs of sentences."""
    vocabulary, sentences = 8_000, 32
    options: dict[str, Any] = {"lr": 1e-4, "betas": (0.9, 0.98), "eps": 1e-9}
    tokens = padded_sentences(2 * sentences, vocabulary)
    batch = tokens[:sentences], tokens[sentences:, :-1], tokens[sentences:, 1:].reshape(-1)
    if here:
        from handmade import nn, optim, tensor
        from handmade.models.transformer import transformer

        model, (source, target, following) = transformer(vocabulary, "small").train(), map(tensor, batch)
    else:
        import torch
        from torch import nn, optim

        from benchmarks.transformer_step import Reference

        model, (source, target, following) = Reference(vocabulary, "small").train(), map(torch.tensor, batch)
    loss = lambda: nn.functional.cross_entropy(
        model(source, target).flatten(0, 1), following, ignore_index=PAD, label_smoothing=0.1
    )
    return _learn(model, optim.Adam(model.parameters(), **options), loss)


def padded_sentences(count: int, vocabulary: int) -> np.ndarray:
    """(count, 24) tokens, the last ones of most rows padding."""
    rng = np.random.default_rng(0)
    tokens = rng.integers(4, vocabulary, (count, 24))
    tokens[np.arange(24) >= rng.integers(8, 25, (count, 1))] = PAD
    return tokens


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
