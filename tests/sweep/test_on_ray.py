"""A sweep on a cluster of two nodes: killed in the middle and resumed, while one of the nodes dies."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.sweep.conftest import SIZES

CLUSTER = """
import sys

from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
node = cluster.add_node(num_cpus=1)
print(cluster.address, flush=True)
if sys.stdin.readline() == "kill\\n":
    cluster.remove_node(node, allow_graceful=False)
    sys.stdin.readline()
cluster.shutdown()
"""

LIMIT = 280
"""Seconds that anything may take; on a quiet machine it is ten."""


def wait_for(there: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait until `there()` while the process runs."""
    until = time.monotonic() + LIMIT
    while not there():
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.05)


@pytest.fixture
def cluster(tmp_path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its address; and the program that has it, which kills a node when it reads so, and ends it otherwise."""
    said = tmp_path / "address"
    with said.open("w") as out, (tmp_path / "cluster.txt").open("w") as err:
        program = [sys.executable, "-c", CLUSTER]
        process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=out, stderr=err)
    try:
        wait_for(lambda: said.read_text().endswith("\n"), process)
        yield said.read_text().split()[-1], process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(60)
        finally:
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.timeout(4 * LIMIT)
def test_killed_and_resumed_while_a_node_dies_every_trial_is_run_once(cluster, tmp_path, text):
    address, nodes = cluster
    folder = tmp_path / "sweep"
    settings = [f"{name}={value}" for name, value in (SIZES | {"epochs": 8, "checkpoint_seconds": 0}).items()]
    command = [sys.executable, "-m", "handmade", "sweep", "gpt", "--data", text, "--to-the-end", "--out", str(folder)]
    command += [part for one in settings for part in ("--set", one)]
    command += ["--over", "learning_rate=1e30,1e-3,3e-3,1e-2", "--address", address]
    said = tmp_path / "said.txt"

    def begun() -> subprocess.Popen[bytes]:
        with said.open("w") as out:
            return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "COLUMNS": "200"})

    def states() -> list[str]:
        return [trial["state"] for trial in json.loads((folder / "sweep.json").read_text())["trials"]]

    def steps() -> int:
        return sum(path.read_bytes().count(b"\n") for path in folder.glob("*/metrics.jsonl"))

    first = begun()
    try:
        wait_for(lambda: (folder / "sweep.json").exists() and "finished" in states(), first)
    finally:
        first.kill()
        first.wait()
    before = states()
    assert "waiting" in before, said.read_text()
    done = [number for number, state in enumerate(before, 1) if state == "finished"]
    kept = {path: path.stat().st_mtime_ns for number in done for path in folder.glob(f"{number}-*/*")}
    assert len(kept) > 4 * len(done)

    had = steps()
    again = begun()
    try:
        wait_for(lambda: steps() > had, again)
        assert nodes.stdin is not None
        nodes.stdin.write(b"kill\n")
        nodes.stdin.flush()
        assert again.wait(LIMIT) == 0, said.read_text()
    finally:
        again.kill()
        again.wait()
    assert states() == ["diverged"] + ["finished"] * 3
    assert {path: path.stat().st_mtime_ns for path in kept} == kept  # what had finished was not run again
    told = said.read_text()
    assert f"{len(done) + before.count('diverged')} of 4 trials have ended already" in told
    assert "handmade train gpt --set" in told
    assert {"sweep.csv", "sweep.json", "sweep.png", "sweep.txt"} <= {path.name for path in folder.iterdir()}
    assert not list(folder.glob(".*"))
