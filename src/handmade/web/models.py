"""The models that the pages look into: found around the folder, opened when first asked for, one question at a time."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from handmade.errors import InputError
from handmade.models import ZOO
from handmade.models.card import Card
from handmade.nn import Module
from handmade.opening import open as open_model
from handmade.tasks import Use
from handmade.train import open_run

T = TypeVar("T")

MOST, MOST_BYTES = 8, 2 << 30
"""How many models are kept open, and how much their parameters may take together."""


PACKAGED = Path(__file__).parent / "packaged"
"""Runs that come along: a LeNet-5 that knows Fashion-MNIST's garments, which are packaged as well.

Made by `handmade train lenet5 --data fashion-mnist --epochs 8`: 88 of 100 test images right. Its weights are float16.
"""


class NoModel(InputError):
    """No model here fits a page that has named none."""


@dataclass(frozen=True)
class Source:
    """A model that can be opened: what it is called on the pages, the network, where it and its weights are.

    data: the data set that it was trained on, where that is known.
    """

    name: str
    network: str
    source: str
    weights: str | None = None
    data: str = ""

    @property
    def card(self) -> Card | None:
        return ZOO.get(self.network)

    @property
    def version(self) -> int:
        """Another number when the model on the disk is another one: of a run that is training, say."""
        path = Path(self.source, "model.safetensors")
        return path.stat().st_mtime_ns if path.exists() else 0


@dataclass
class _Opened:
    use: Any
    version: int
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def parameters(self) -> int:
        return sum(parameter.array.size for parameter in self.use.model.parameters())

    @property
    def bytes(self) -> int:
        return sum(parameter.array.nbytes for parameter in self.use.model.parameters())


class Models:
    """The models given on the command line, the trained runs in `folder`/runs, the newest first, and the packaged ones.

    first: a data set whose models come before all other runs: the one of which there are images to look at.

    A model is opened once. What is hooked into it for one question must not be seen by another: each has a lock.
    """

    def __init__(self, folder: Path, given: Sequence["Given"] = (), first: str = "") -> None:
        self._folder, self._first = folder, first
        self._given = [one.source for one in given]
        self._opened = {one.source.name: _Opened(one.use, one.version) for one in given}
        self._runs: dict[Path, tuple[int, Source]] = {}
        self._lock = threading.Lock()  # of what is open: never held while a model opens
        self._opening = threading.Lock()  # one model opens at a time

    def sources(self, fits: Callable[[Card], bool] = lambda card: True) -> list[Source]:
        """The models whose networks fit."""
        runs = (self._folder / "runs").glob("*/model.safetensors")
        given = {Path(source.source).resolve() for source in self._given}
        found: list[Source] = []
        for weights in sorted(runs, key=lambda path: -path.stat().st_mtime):
            if weights.parent.resolve() not in given:
                with suppress(InputError, OSError):  # a run of another version, or one that is removed just now
                    found.append(self._run(weights.parent, shown_below(weights.parent, self._folder)))
        found += [self._run(folder, f"packaged {folder.name}") for folder in sorted(PACKAGED.iterdir())]
        found.sort(key=lambda source: source.data != self._first)  # and as before among themselves
        return [source for source in (*self._given, *found) if source.card is not None and fits(source.card)]

    def _run(self, folder: Path, name: str) -> Source:
        """As `run_source`, which reads a file that seldom changes."""
        changed = (folder / "config.json").stat().st_mtime_ns
        known = self._runs.get(folder)
        if known is None or known[0] != changed:
            known = self._runs[folder] = changed, run_source(folder, name)
        return known[1]

    def parameters(self, source: Source) -> int | None:
        """How many numbers a model learns; None where it is not open."""
        with self._lock:
            opened = self._opened.get(source.name)
        return None if opened is None else opened.parameters

    @contextmanager
    def opened(self, name: str, fits: Callable[[Card], bool] = lambda card: True) -> Iterator[Any]:
        """The model of this name, for one question alone; the empty name is the first that fits.

        InputError for a name that is not among `sources`: no path ever comes from a browser.
        """
        sources = self.sources(fits)
        chosen = [source for source in sources if name in ("", source.name)]
        if not chosen:
            known = f"There are {', '.join(source.name for source in sources)}." if sources else "There is none."
            unknown = InputError if name else NoModel
            raise unknown(f"there is no model {name!r} here that fits. {known}")
        opened = self._open(chosen[0])
        with opened.lock:
            yield opened.use

    def one_by_one(self, name: str, fits: Callable[[Card], bool], model: Module, made: Iterator[T]) -> Iterator[T]:
        """What `made` gives, which runs this model: each while nobody else has it, and between two of them others may.

        name, fits: by which it was opened. InputError where it is opened anew meanwhile.
        """
        while True:
            with self.opened(name, fits) as used:
                if used.model is not model:
                    raise InputError("the model was opened anew meanwhile: ask again.")
                one = next(made, None)
            if one is None:
                return
            yield one

    def forget_busy(self) -> None:
        """Let go of the models that are at work: the next question opens them anew."""
        with self._lock:
            self._opened = {name: opened for name, opened in self._opened.items() if not opened.lock.locked()}

    def _open(self, source: Source) -> _Opened:
        with self._opening:
            version = source.version  # of before it is read: one that is written meanwhile is opened next time
            with self._lock:
                opened = self._opened.pop(source.name, None)
                if opened is not None and opened.version == version:
                    self._opened[source.name] = opened  # the newest last
                    return opened
            opened = _Opened(open_model(source.source, source.weights), version)
            with self._lock:
                self._opened[source.name] = opened
                while len(self._opened) > 1 and self._too_much():
                    del self._opened[next(iter(self._opened))]
            return opened

    def _too_much(self) -> bool:
        return len(self._opened) > MOST or sum(opened.bytes for opened in self._opened.values()) > MOST_BYTES


def run_source(folder: Path, name: str) -> Source:
    """The trained model of a run. InputError where the folder holds none."""
    recipe = open_run(folder).recipe
    return Source(name, recipe.model, str(folder), data=recipe.data)


class Given(NamedTuple):
    """What a person named: where it is, the model as it was opened, and its version then."""

    source: Source
    use: Use
    version: int


def given_source(source: str, weights: str | None = None, folder: Path | None = None) -> Given:
    """What a person named: a run's folder, or a network with weights. InputError where it cannot be opened.

    folder: a run below it is called by its path from there.
    """
    path = Path(source)
    if (path / "config.json").exists():
        found = run_source(path, shown_below(path, folder or Path.cwd()))
        version = found.version  # of before it is read
        return Given(found, open_model(source, weights), version)
    used: Use = open_model(source, weights)
    return Given(Source(source, used.name, source, weights), used, 0)


def shown_below(path: Path, folder: Path) -> str:
    """A path as it is called in `folder`; as it was given where it is elsewhere."""
    whole = path.resolve()
    return (whole.relative_to(folder.resolve()) if whole.is_relative_to(folder.resolve()) else path).as_posix()
