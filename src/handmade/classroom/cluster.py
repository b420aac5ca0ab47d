"""Papers judged on the machines of a Ray cluster: a node that dies loses nothing, its papers are judged by others."""

from collections.abc import Iterable, Iterator
from typing import Any

from handmade.classroom.papers import Paper, Verdict, not_judged, verdict_on
from handmade.ray_session import ray_session

AHEAD = 4
"""How many papers are on their way for each processor of the cluster."""

TRIES = 3
"""How often a paper is judged again after the machine that judged it has died."""


def judged_on_ray(papers: Iterable[Paper], address: str) -> Iterator[tuple[Paper, Verdict]]:
    """Each paper with its verdict, in the order in which they are ready.

    address: of the cluster, see `ray_session`. Its machines need handmade in the same version. Raises InputError where
    Ray is not installed, or nothing answers there.
    """
    with ray_session(address, "a cluster") as ray:
        judge = ray.remote(num_cpus=1, max_retries=TRIES)(verdict_on)
        coming, flying = iter(papers), dict[Any, Paper]()
        while True:
            most = AHEAD * max(int(ray.cluster_resources().get("CPU", 1)), 1)
            while len(flying) < most and (paper := next(coming, None)) is not None:
                flying[judge.remote(paper)] = paper
            if not flying:
                return
            done, _ = ray.wait(list(flying), num_returns=1)
            for reference in done:
                paper = flying.pop(reference)
                try:
                    yield paper, ray.get(reference)
                except ray.exceptions.RayError as error:
                    yield paper, not_judged(paper, f"the machine that judged it died, {TRIES + 1} times: {error}")
