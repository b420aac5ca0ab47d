"""What two processes learn together: torchrun --nproc-per-node 2 two_processes.py FOLDER; the first writes it there.

The model of the name "gpt, sharded" lies in parts on both (FSDP2).
"""

import sys
from pathlib import Path

import numpy as np

from handmade.torch_engine import Processes, TorchEngine, steps
from tests.support.torch_training import curve, task_of, weights

STEPS = 4


def main(folder: Path) -> None:
    processes = Processes.joined("cpu")
    for name in sys.argv[2:]:
        model, _, sharded = name.partition(", ")
        steps.WHOLE = 0 if sharded else 10**9
        task = task_of(model, folder)
        losses = curve(task, lambda task: TorchEngine(task, "cpu", processes=processes), STEPS)
        if processes.first:
            np.savez(folder / f"{name}.npz", losses=losses, **weights(task))
    processes.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
