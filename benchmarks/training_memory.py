"""Does training hold on to memory? LeNet-5's resident size after each of ten epochs of the packaged images.

python -m benchmarks training_memory
"""

from pathlib import Path

from handmade.nn.functional import cross_entropy
from handmade.recipes import recipe_of


def resident_mib() -> float:
    """The process's resident memory (Linux)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    task = recipe_of("lenet5").task()
    for epoch in range(10):
        for images, labels in task.batches(epoch, 0):
            task.optimizer.zero_grad()
            cross_entropy(task.model(images), labels).backward()
            task.optimizer.step()
        print(f"epoch {epoch + 1:2}  {resident_mib():7.1f} MiB", flush=True)


if __name__ == "__main__":
    main()
