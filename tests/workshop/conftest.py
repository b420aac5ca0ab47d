"""A judge for the tests: its process stays warm between them."""

from collections.abc import Callable, Iterator

import pytest

from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging.judge import Judge
from handmade.workshop.judging.sandbox import Sandbox, confinements
from handmade.workshop.judging.verdict import Verdict
from tests.support.judging import SMALL


@pytest.fixture(scope="session", params=["the strongest here", "limits"])
def judge(request) -> Iterator[Judge]:
    """Confined as well as this machine can, and by limits alone."""
    sandbox = Sandbox(None if request.param != "limits" else "limits")
    with Judge(SMALL, sandbox) as judge:
        yield judge


@pytest.fixture(scope="session")
def warm() -> Iterator[Judge]:
    with Judge(SMALL) as judge:
        yield judge


@pytest.fixture
def verdict(warm, tmp_path) -> Callable[..., Verdict]:
    """The verdict on a source, for one exercise."""

    def check(source: str | bytes, name: str = "self_attention") -> Verdict:
        path = tmp_path / f"{name}.py"
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
        return warm.check(path, exercise_named(name))

    return check


@pytest.fixture(scope="module", params=confinements())
def confinement(request) -> str:
    return request.param
