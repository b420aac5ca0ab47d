"""The peak of memory of two runs, each in a process of its own: everything, from Python to the weights.

    python -m benchmarks cnn_memory

The bars: 4 GiB for a training step of ResNet-50 (8 images of 224x224, SGD with momentum), 1.2 GiB for VGG-16 (one
image, evaluation). Linux counts the peak, which includes the building of the network.
"""

import resource
import subprocess
import sys

RUNS = {"train resnet50": 4.0, "run vgg16": 1.2}


def run(name: str) -> None:
    import handmade
    from handmade import models, optim
    from handmade.nn.functional import cross_entropy

    if name == "run vgg16":
        with handmade.no_grad():
            models.vgg16().eval()(handmade.randn(1, 3, 224, 224))
        return
    model = models.resnet50()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(2):  # the second step has the optimizer's state, too
        optimizer.zero_grad()
        cross_entropy(model(handmade.randn(8, 3, 224, 224)), handmade.randint(0, 1000, (8,))).backward()
        optimizer.step()


def main() -> None:
    if len(sys.argv) > 1:
        run(sys.argv[1])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)  # KiB to GiB
        return
    for name, bar in RUNS.items():
        done = subprocess.run([sys.executable, __file__, name], check=True, capture_output=True, text=True)
        print(f"{name:16s} {float(done.stdout):5.2f} GiB (bar {bar} GiB)", flush=True)


if __name__ == "__main__":
    main()
