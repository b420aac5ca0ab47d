"""One training step of LeNet-5 here and in PyTorch, in turn in one process: medians, and their ratio.

python -m benchmarks lenet_step [--batch 64] [--rounds 60]
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

import handmade
from handmade.models import lenet5


def ours(images: np.ndarray, labels: np.ndarray) -> Callable[[], None]:
    model = lenet5()
    optimizer = handmade.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x, y = handmade.tensor(images), handmade.tensor(labels)

    def step() -> None:
        optimizer.zero_grad()
        handmade.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


def theirs(images: np.ndarray, labels: np.ndarray, channels_last: bool = False) -> Callable[[], None]:
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten(),
        nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x, y = torch.tensor(images), torch.tensor(labels)
    if channels_last:
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


def seconds(step: Callable[[], None]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=60)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    images = rng.standard_normal((arguments.batch, 1, 32, 32)).astype(np.float32)
    labels = rng.integers(0, 10, arguments.batch)
    steps = [ours(images, labels), theirs(images, labels)]
    for step in steps:
        for _ in range(5):
            step()
    times = [[seconds(step) for step in steps] for _ in range(arguments.rounds)]
    here, there = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(a / b for a, b in times)
    print(f"LeNet-5, batch {arguments.batch}, {torch.get_num_threads()} threads, median of {arguments.rounds}")
    print(f"handmade {1e3 * here:7.2f} ms    PyTorch {1e3 * there:7.2f} ms    ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
