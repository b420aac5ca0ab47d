"""Training steps beside PyTorch's, each side in a process of its own that sleeps while the others run.

    python -m benchmarks speed [WORKLOAD ...] [--rounds 9] [--threads N] [--load] [--json FILE] [--picture FILE]

In one process the two thread pools disturb each other several times over. Here a side is a process that waits for a
line on its input, takes one step, and tells how long it took, on the clock and on the processor. Steps are taken in
turn, after a warm-up; medians, and the middle half of the times. The ratio is PyTorch's better layout over ours: above
1 we are faster. --load measures beside one more process that computes all the while.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.workloads import LAYOUT_MATTERS, LAYOUTS, SIDES, WORKLOADS, step_of

WARM_UP = 3


class Side:
    """A process that takes steps of one workload when told to."""

    def __init__(self, workload: str, side: str, threads: int) -> None:
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "HANDMADE_NUM_THREADS")
        self.name = f"{workload} on {side}"
        command = [sys.executable, "-m", "benchmarks", "speed", workload, "--side", side, "--threads", str(threads)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | dict.fromkeys(names, str(threads)),
        )
        self.steps: list[dict[str, float]] = []
        self._answer()

    def _answer(self) -> dict[str, float]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"benchmarks speed: {self.name} ended early")
        return json.loads(line)

    def step(self, counts: bool) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("step\n")
        self.process.stdin.flush()
        answer = self._answer()
        if counts:
            self.steps.append(answer)

    def finish(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        seconds = [step["seconds"] for step in self.steps]
        low, middle, high = statistics.quantiles(seconds, n=4)
        return {
            "seconds": middle,
            "middle half": [low, high],
            "processor": statistics.median(step["processor"] for step in self.steps),
            "peak MiB": self.steps[-1]["peak MiB"],
        }


def serve(workload: str, side: str, threads: int) -> None:
    """The life of a side's process."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
    if side == "handmade":
        from handmade.train.memory import keep_freed_memory

        keep_freed_memory()
    else:
        import torch

        torch.set_num_threads(threads)
    step = step_of(workload, side)
    print("{}", file=answers, flush=True)
    for _ in sys.stdin:
        clock, processor = time.perf_counter(), time.process_time()
        step()
        answer = {
            "seconds": time.perf_counter() - clock,
            "processor": time.process_time() - processor,
            "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        print(json.dumps(answer), file=answers, flush=True)


def measured(workload: str, rounds: int, threads: int) -> dict[str, Any]:
    """The figures of every side, and the ratios by the clock and by the processor."""
    names = [side for side in SIDES if side not in LAYOUTS or workload in LAYOUT_MATTERS]
    sides = {name: Side(workload, name, threads) for name in names}
    for number in range(WARM_UP + rounds):
        for side in sides.values():
            side.step(counts=number >= WARM_UP)
    result: dict[str, Any] = {name: side.finish() for name, side in sides.items()}
    for ratio, figure in (("ratio", "seconds"), ("processor ratio", "processor")):
        best = min(result[name][figure] for name in names if name != "handmade")
        result[ratio] = best / result["handmade"][figure]
    return result


def draw(results: dict[str, Any], path: Path) -> None:
    """A bar for each workload: how many times faster we are."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 0.4 * len(results) + 1), layout="constrained")
    names = list(results)[::-1]
    ratios = [results[name]["ratio"] for name in names]
    axes.barh(names, ratios, color=["tab:green" if ratio >= 1 else "tab:orange" for ratio in ratios])
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel("PyTorch's time, in its better layout, over handmade's")
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; all if none")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--load", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := [name for name in options.workloads if name not in WORKLOADS]:
        parser.error(f"{', '.join(unknown)}: expected of {', '.join(WORKLOADS)}")
    if options.side:
        serve(options.workloads[0], options.side, options.threads)
        return
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if options.load else None
    try:
        results = _table(options.workloads or WORKLOADS, options.rounds, options.threads)
    finally:
        if other is not None:
            other.kill()
    if options.json:
        import handmade

        about = {"processor": platform.processor(), "threads": options.threads, "load": options.load}
        about |= {"kernels": str(handmade.kernels_in_use()), "system load": os.getloadavg()[0]}
        options.json.write_text(json.dumps({"about": about, "results": results}, indent=1))
    if options.picture:
        draw(results, options.picture)


def _table(workloads: list[str], rounds: int, threads: int) -> dict[str, Any]:
    print(f"{'workload':12} {'handmade':>10} {'PyTorch':>10} {'ch. last':>10}  ratio  processor  peak MiB")
    results = {}
    for workload in workloads:
        result = results[workload] = measured(workload, rounds, threads)
        times = [f"{1e3 * result[side]['seconds']:7.1f} ms" if side in result else "" for side in SIDES]
        peaks = "/".join(f"{result[side]['peak MiB']:.0f}" for side in SIDES if side in result)
        ratios = f"{result['ratio']:5.2f}  {result['processor ratio']:9.2f}"
        print(f"{workload:12} {times[0]:>10} {times[1]:>10} {times[2]:>10}  {ratios}  {peaks}", flush=True)
    mean = statistics.geometric_mean(result["ratio"] for result in results.values())
    processor = statistics.geometric_mean(result["processor ratio"] for result in results.values())
    print(f"{'geometric mean':46}  {mean:5.2f}  {processor:9.2f}")
    return results


if __name__ == "__main__":
    main()
