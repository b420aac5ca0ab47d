"""Papers judged on the machines of a Ray cluster: a node that dies loses nothing, its papers are judged by others."""

from collections.abc import Iterable, Iterator
from typing import Any

from handmade.classroom.papers import Paper, Verdict, not_judged, verdict_on
from handmade.errors import InputError

AHEAD = 4
"""How many papers are on their way for each processor of the cluster."""

TRIES = 3
"""How often a paper is judged again after the machine that judged it has died."""


def judged_on_ray(papers: Iterable[Paper], address: str) -> Iterator[tuple[Paper, Verdict]]:
    """Each paper with its verdict, in the order in which they are ready.

    address: of the cluster, as ray://host:10001 or host:6379; "local" starts one on this machine. Its machines need
    handmade in the same version. Raises InputError where Ray is not installed, or nothing answers there.
    """
    ray = _ray()
    started = not ray.is_initialized()
    if started:
        try:
            ray.init(address=None if address == "local" else address, log_to_driver=False, logging_level="error")
        except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
            raise InputError(f"no Ray cluster answers at {address!r}: {error}.") from error
    try:
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
    finally:
        if started:
            ray.shutdown()


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise InputError("a cluster needs Ray, which is not installed: pip install 'handmade[ray]'.") from error
    return ray
