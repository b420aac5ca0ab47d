"""What a command of the program costs from its start to its end: time on the wall, and of the processor.

    python -m benchmarks start [--rounds 9]

Each command is a process of its own; the commands take turns, so that what else the machine does meets all alike.
`check` judges the solution of softmax that is shown to learners. Processor time is that of the command and of the
processes it waits for.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from handmade.workshop.exercises import exercise_named
from handmade.workshop.source import solution

BARS = {"import handmade": 0.25, "--help": 0.4, "plan": 0.5, "review": 0.5, "cards relu": 0.5, "check softmax": 0.6}
"""Seconds on the wall that each may take on a quiet machine."""


def command_of(name: str) -> list[str]:
    if name.startswith("import"):
        return [sys.executable, "-c", name]
    return [sys.executable, "-m", "handmade", *name.split()]


def seconds(name: str, folder: Path) -> tuple[float, float]:
    """On the wall and of the processor, once."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ran = subprocess.run(command_of(name), cwd=folder, input=b"q\n", capture_output=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ran.returncode:
        raise SystemExit(f"{name} failed: {ran.stderr.decode()}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "workshop"
        os.environ["HANDMADE_STUDY"] = temporary
        subprocess.run(command_of(f"start {folder}"), stdin=subprocess.DEVNULL, capture_output=True, check=True)
        (folder / "basics" / "softmax.py").write_text(solution(exercise_named("softmax")))
        for name in BARS:
            seconds(name, folder)  # the first time Python compiles what it imports
        taken = [{name: seconds(name, folder) for name in BARS} for _ in range(rounds)]
    print(f"{'':18} {'bar':>6} {'wall':>6} {'lowest':>7} {'processor':>10}")
    for name, bar in BARS.items():
        walls, processor = zip(*(turn[name] for turn in taken), strict=True)
        print(f"{name:18} {bar:6.2f} {median(walls):6.2f} {min(walls):7.2f} {median(processor):10.2f}")


if __name__ == "__main__":
    main()
