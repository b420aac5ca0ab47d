"""A class on a cluster of two nodes, one of which dies on the way."""

import subprocess
import sys

import pytest

from handmade.classroom.cluster import judged_on_ray
from handmade.errors import InputError

PROGRAM = """
import sys
from pathlib import Path

from ray.cluster_utils import Cluster

from handmade.classroom import collected, grade
from handmade.classroom.cluster import judged_on_ray

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
found = collected(Path(sys.argv[1]))


def progress(done, of):
    if done == 2 and len(nodes) == 2:
        cluster.remove_node(nodes.pop(), allow_graceful=False)


grades = grade(found, Path(sys.argv[2]), lambda papers: judged_on_ray(papers, cluster.address), progress=progress)
print(len(nodes), grades.judged_now, sum(one.passed for one in grades.grades), all(one.judged for one in grades.grades))
cluster.shutdown()
"""


@pytest.mark.slow
def test_a_node_that_dies_loses_no_paper(handed, tmp_path):
    from tests.classroom.conftest import RIGHT

    folder = handed({f"s{n}/softmax.py": f"# {n}\n{RIGHT}" for n in range(8)})
    command = [sys.executable, "-c", PROGRAM, str(folder), str(tmp_path / "out")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.split()[-4:] == ["1", "8", "8", "True"]


def test_without_ray_there_is_a_line_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'handmade\[ray\]'"):
        next(judged_on_ray([], "local"))
