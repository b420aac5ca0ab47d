"""What the pages endure: a thousand questions, and every hostile file of the judge's tests as the learner's code.

    python -m benchmarks look_endures [--only mishaps]

The questions must leave less than 20 MB behind; after a hostile file the server must answer on, and nothing be written.
A line tells each file that does harm. It takes a few minutes.
"""

import argparse
import tempfile
import time
from pathlib import Path

from handmade.web import bench
from handmade.web.bench import Bench
from handmade.web.models import Models
from handmade.web.observatory import Observatory
from handmade.workshop.workspace import Workspace
from tests.support.judging import RIGHT, SHORT
from tests.web.conftest import running

FILES = Path(__file__).parents[1] / "tests" / "hostile"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="*", help="a folder of tests/hostile")
    only = parser.parse_args().only
    bench.LIMITS = SHORT
    harmed, files, start = 0, sorted(FILES.glob(f"{only}/*.txt")), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "workshop")
        (workspace.folder / "attention").mkdir(parents=True)
        observatory = Observatory(Models(Path(folder)), Bench(workspace))
        with running(observatory) as server:
            _questions(server, 50)  # what is made once
            before = _resident()
            _questions(server, 1000)
            left = (_resident() - before) / 2**20
            print(f"1,000 questions left {left:.1f} MB")
            assert left <= 20
            for file in files:
                harm = _harm(server, workspace.folder, file.read_bytes())
                harmed += bool(harm)
                if harm:
                    print(f"{file.parent.name}/{file.stem}: {harm}")
        observatory.close()
    print(f"{len(files) - harmed} of {len(files)} files did no harm, in {time.perf_counter() - start:.0f} s")
    if harmed:
        raise SystemExit(1)


def _questions(server, count: int) -> None:
    for n in range(count):
        status, _, _ = server.request("/api/hand", {"q": [[n % 7, 1]], "k": [[1, n % 3]], "v": [[1, n]]})
        assert status == 200


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def _harm(server, folder: Path, content: bytes) -> str:
    path = folder / "attention" / "self_attention.py"
    path.write_bytes(content)
    before = _tree(folder)
    status, _, body = server.request("/api/hand", {"code": "mine"})
    if status != 200:
        return f"status {status}: {body[:200]!r}"
    if _tree(folder) != before:
        return "the workspace is another"
    path.write_text(RIGHT)
    status, _, body = server.request("/api/hand", {"code": "mine"})
    return "" if status == 200 and b'\\"problem\\": \\"\\"' in body else f"the next question: {status}, {body[:300]!r}"


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


if __name__ == "__main__":
    main()
