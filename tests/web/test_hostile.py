"""The learner's code harms neither the pages nor his files. All hostile files: python -m benchmarks look_endures."""

import json
from pathlib import Path

import pytest
from safetensors.numpy import load

from handmade.web import bench as bench_module
from handmade.web.bench import Bench
from handmade.web.models import Models
from handmade.web.observatory import Observatory
from handmade.workshop.workspace import Workspace
from tests.support.judging import RIGHT, SHORT
from tests.web.conftest import running

FILES = Path(__file__).parents[1] / "hostile"
HANDFUL = (
    "mishaps/loop_when_called",
    "mishaps/print_too_much",
    "mishaps/segmentation_fault",
    "machine/remove_the_solution",
    "integrity/an_array_equal_to_everything",
    "wire/write_a_pickle_on_every_pipe",
    "encodings/null_bytes",
)
CODE = {"code": "mine"}


def meta(body):
    length = int.from_bytes(body[:8], "little")
    return json.loads(json.loads(body[8 : 8 + length])["__metadata__"]["meta"])


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    workspace = Workspace(folder / "workshop")
    (workspace.folder / "attention").mkdir(parents=True)
    observatory = Observatory(Models(folder), Bench(workspace))
    with running(observatory) as server:
        yield server
    observatory.close()


def tree(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("file", HANDFUL)
def test_the_pages_go_on_and_nothing_is_written(server, file, monkeypatch):
    monkeypatch.setattr(bench_module, "LIMITS", SHORT)
    folder = server.observatory.bench.workspace.folder
    path = folder / "attention" / "self_attention.py"
    path.write_bytes((FILES / f"{file}.txt").read_bytes())
    before = tree(folder)
    status, _, body = server.request("/api/hand", CODE)
    assert tree(folder) == before
    assert status == 200, body
    told = meta(body)
    if file == "integrity/an_array_equal_to_everything":
        assert told["problem"] or max(told["difference"].values()) > 1e-5  # no lie passes for the right numbers
    else:
        assert told["problem"], told
        assert not [name for name in load(body) if name.startswith("their_")]
    assert len(body) < 1 << 20
    status, _, _ = server.request("/api/hand", {})
    assert status == 200
    path.write_text(RIGHT)
    again = meta(server.request("/api/hand", CODE)[2])
    assert (again["problem"], again["printed"]) == ("", "")
    assert max(again["difference"].values()) < 1e-6
