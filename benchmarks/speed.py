"""Training steps beside PyTorch's, each side in a process of its own that sleeps while the others run.

    python -m benchmarks speed [WORKLOAD ...] [--seconds 15] [--threads N] [--load] [--json FILE] [--picture FILE]

In one process the two thread pools disturb each other several times over. Here a side is a process that waits for a
line on its input, takes one step, and tells how long it took, on the clock and on the processor. Steps are taken in
turn, after a warm-up, for so many seconds a workload; medians, and the middle half of the times. The ratio is PyTorch's
better layout over ours: above 1 we are faster. --load measures some workloads once more, beside a process that
computes all the while: what counts there is each side's time over its own quiet time.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.workloads import LAYOUT_MATTERS, LAYOUTS, LOADED, SIDES, WORKLOADS, step_of
from handmade.draw.palette import LIGHT, SERIES
from handmade.draw.style import SMALL, Picture, in_style, new_figure

WARM_UP = 2
ROUNDS = (4, 41)
"""At least and at most so many steps of each side are measured."""
REST = 0.02
"""Seconds between two steps: threads that spin while they wait have gone to sleep by then."""


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
        self._answer()
        for _ in range(WARM_UP):
            self.step()

    def _answer(self) -> dict[str, float]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"benchmarks speed: {self.name} ended early")
        return json.loads(line)

    def step(self) -> dict[str, float]:
        assert self.process.stdin is not None
        self.process.stdin.write("step\n")
        self.process.stdin.flush()
        return self._answer()

    def finish(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


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


def measured(workload: str, seconds: float, threads: int, load: bool) -> dict[str, Any]:
    """The figures of every side, and the ratios by the clock and by the processor; under load as well, if asked."""
    names = [side for side in SIDES if side not in LAYOUTS or workload in LAYOUT_MATTERS]
    sides: dict[str, Side] = {}
    try:
        for name in names:
            sides[name] = Side(workload, name, threads)
        result: dict[str, Any] = taken_in_turn(sides, seconds)
        if load and workload in LOADED:
            with one_core_busy():
                result["under load"] = taken_in_turn(sides, seconds)
            for name in names:
                result["under load"][name]["slower"] = result["under load"][name]["seconds"] / result[name]["seconds"]
    finally:
        for side in sides.values():
            side.finish()
    return result


def taken_in_turn(sides: dict[str, Side], seconds: float) -> dict[str, Any]:
    """Steps of all sides in turn, until the seconds are over, and the ratios."""
    steps: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    least, most = ROUNDS
    end = time.perf_counter() + seconds
    for number in range(most):
        if number >= least and time.perf_counter() > end:
            break
        for name, side in sides.items():
            time.sleep(REST)
            steps[name].append(side.step())
    result: dict[str, Any] = {name: summary(taken) for name, taken in steps.items()}
    for ratio, figure in (("ratio", "seconds"), ("processor ratio", "processor")):
        best = min(result[name][figure] for name in sides if name != "handmade")
        result[ratio] = best / result["handmade"][figure]
    return result


def summary(steps: list[dict[str, float]]) -> dict[str, Any]:
    low, middle, high = statistics.quantiles((step["seconds"] for step in steps), n=4)
    return {
        "seconds": middle,
        "middle half": [low, high],
        "processor": statistics.median(step["processor"] for step in steps),
        "peak MiB": steps[-1]["peak MiB"],
        "steps": len(steps),
    }


@contextmanager
def one_core_busy() -> Iterator[None]:
    """Beside one process that computes."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def table(options: argparse.Namespace) -> dict[str, Any]:
    """Measure, print and keep workload after workload: what is there is not lost if nobody waits for the rest."""
    print(f"{'workload':12}{'handmade':>20}{'PyTorch':>20}{'channels last':>20}  ratio  processor  peak MiB")
    results: dict[str, Any] = {}
    for workload in options.workloads or WORKLOADS:
        result = results[workload] = measured(workload, options.seconds, options.threads, options.load)
        print(line(workload, result), flush=True)
        if "under load" in result:
            loaded = result["under load"]
            slower = ", ".join(f"{loaded[side]['slower']:.2f} {side}" for side in SIDES if side in loaded)
            print(line("  under load", loaded) + f"  over quiet: {slower}", flush=True)
        if options.json:
            options.json.write_text(json.dumps({"about": about(options), "results": results}, indent=1))
    means = [statistics.geometric_mean(r[kind] for r in results.values()) for kind in ("ratio", "processor ratio")]
    print(f"{'geometric mean':72}  {means[0]:5.2f}  {means[1]:9.2f}")
    return results


def line(name: str, result: dict[str, Any]) -> str:
    times = "".join(f"{_time(result[side]) if side in result else '':>20}" for side in SIDES)
    peaks = "/".join(f"{result[side]['peak MiB']:.0f}" for side in SIDES if side in result)
    return f"{name:12}{times}  {result['ratio']:5.2f}  {result['processor ratio']:9.2f}  {peaks}"


def _time(figures: dict[str, Any]) -> str:
    """The median in milliseconds, and half the width of the middle half in percent."""
    low, high = figures["middle half"]
    return f"{1e3 * figures['seconds']:.1f} ms ±{50 * (high - low) / figures['seconds']:.0f}%"


def about(options: argparse.Namespace) -> dict[str, Any]:
    import handmade

    return {
        "processor": platform.processor(),
        "threads": options.threads,
        "kernels": str(handmade.kernels_in_use()),
        "system load": os.getloadavg()[0],
    }


@in_style
def draw(results: dict[str, Any]) -> Picture:
    """A bar for each workload: how many times faster we are, and how much of PyTorch's memory we take."""
    title = "Training steps beside PyTorch's better layout"
    figure = new_figure(9.0, 0.3 * len(results) + 0.6, title, "The line is PyTorch; teal is in our favour.")
    names = list(results)[::-1]
    theirs = [min(results[name][side]["peak MiB"] for side in SIDES[1:] if side in results[name]) for name in names]
    speeds = [results[name]["ratio"] for name in names]
    memory = [results[name]["handmade"]["peak MiB"] / peak for name, peak in zip(names, theirs, strict=True)]
    good = [speed >= 1 for speed in speeds], [share <= 1 for share in memory]
    labels = "times as fast", "peak memory over PyTorch's"
    for axes, values, well, label in zip(
        figure.subplots(1, 2, sharey=True), (speeds, memory), good, labels, strict=True
    ):
        bars = axes.barh(names, values, color=[SERIES[2 if yes else 1] for yes in well])
        axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=SMALL)
        axes.axvline(1, color=LIGHT.ink, linewidth=1)
        axes.margins(x=0.12)
        axes.set_xlabel(label)
    faster = " ".join(f"{name}: {speed:.2f}." for name, speed in zip(names[::-1], speeds[::-1], strict=True))
    return Picture(figure, title, f"How many times as fast as PyTorch: {faster}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; all if none")
    parser.add_argument("--seconds", type=float, default=15.0, help="for each workload; 15 if not given")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="all cores if not given")
    parser.add_argument("--load", action="store_true", help=f"{', '.join(LOADED)} once more, beside a busy process")
    parser.add_argument("--json", type=Path, help="where to keep the figures")
    parser.add_argument("--picture", type=Path, help="where to draw them")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := [name for name in options.workloads if name not in WORKLOADS]:
        parser.error(f"{', '.join(unknown)}: expected of {', '.join(WORKLOADS)}")
    if options.side:
        serve(options.workloads[0], options.side, options.threads)
        return
    results = table(options)
    if options.picture:
        draw(results).save(options.picture)


if __name__ == "__main__":
    main()
