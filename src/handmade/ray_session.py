"""Ray, where it is installed: a cluster that is joined, or one of this machine alone, and left again."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from handmade.errors import InputError

LOCAL = "local"
"""The address that starts Ray on this machine, for as long as the session lasts."""

SECONDS = 10.0
"""How long a cluster may take to answer."""

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nobody's computations are told to Ray's makers
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what newer versions do; without it they print a warning
}


@contextmanager
def ray_session(address: str, purpose: str, cpus: int | None = None) -> Iterator[Any]:
    """The module `ray`, connected; a connection that was there before is used, and stays.

    address: of a cluster, as ray://host:10001 or host:6379; LOCAL starts one here, with so many `cpus` to give.
    purpose: what needs Ray, as the beginning of a sentence. Raises InputError where Ray is not installed, or nothing
    answers there.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)  # before Ray is imported
    try:
        import ray
    except ImportError as error:
        raise InputError(f"{purpose} needs Ray, which is not installed: pip install 'handmade[ray]'.") from error
    if ray.is_initialized():
        yield ray
        return
    _check_answers(address)
    here = {"num_cpus": cpus, "include_dashboard": False} if address == LOCAL else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **here)
    except Exception as error:  # where its processes do not come up in time, Ray raises no other kind
        failed = "Ray does not start here" if address == LOCAL else f"no Ray cluster answers at {address!r}"
        raise InputError(f"{failed}: {error}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Raises InputError where nothing listens at host:port: Ray itself tries for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (colon and host and port.isdecimal()):
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"no Ray cluster answers at {address!r}: {error}") from error
