"""SIGKILL at random moments: training of each kind of task, checks and reviews lose nothing; resumed is as never ended.

    python -m benchmarks kill --times 300

Two kills in three are inside a write: before a file is flushed, before or after it takes its name, with half of its
bytes written. The others come at a random moment. A killed training is resumed; its weights, metrics and folder are to
be those of the run that was not killed, bit by bit. What a check or a review had said is to be in the record, which is
to be whole. Tiny models and files; each try is a process of its own.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the program forks
os.environ.setdefault("HANDMADE_KERNELS", "numpy")

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

KINDS = {
    "language": 40,
    "masked": 40,
    "translation": 40,
    "images": 40,
    "speech": 30,
    "trigger": 20,
    "check": 40,
    "review": 50,
}
"""The parts of 300 kills."""

STEPS = 8
PATIENCE = 120.0
"""Seconds that a child may take; what takes longer counts as lost."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks kill", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--times", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=KINDS, default=None)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    print("| what | kills | inside a write | before anything was written | lost or different |\n|---|---|---|---|---|")
    failed: list[str] = []
    for kind, share in KINDS.items():
        if options.only in (None, kind):
            times = options.times if options.only else max(1, round(share * options.times / sum(KINDS.values())))
            with tempfile.TemporaryDirectory() as name:
                counts = Tries(kind, Path(name), rng, failed).run(times)
            cells = (counts[name] for name in ("killed", "inside", "early", "lost"))
            print(f"| {kind} | {' | '.join(map(str, cells))} |", flush=True)
    print("\n".join(failed))
    sys.exit(1 if failed else 0)


class Tries:
    """The kills of one kind."""

    def __init__(self, kind: str, folder: Path, rng: random.Random, failed: list[str]) -> None:
        self.kind, self.folder, self.rng, self.failed = kind, folder, rng, failed
        self.counts: Counter[str] = Counter()

    def run(self, times: int) -> Counter[str]:
        work = {"check": Check, "review": Review}.get(self.kind, Training)(self.kind, self.folder)
        whole = work.begin("whole")
        began = time.monotonic()
        self._done(work, whole)
        seconds = time.monotonic() - began
        writes = int((whole / ".writes").read_text())
        number = 0
        while self.counts["killed"] < times:
            number += 1
            inside = self.counts["killed"] % 3 != 2
            folder = work.begin(str(number))
            status = child(lambda at=folder: work.work(at), self.rng.randrange(writes) if inside else None,
                           None if inside else self.rng.uniform(0, seconds), folder)  # fmt: skip
            if status != -signal.SIGKILL:
                continue  # it was done before its moment came
            self.counts["killed"] += 1
            self.counts["inside"] += inside
            self.counts["early"] += not any(
                path.suffix != ".part" for path in folder.rglob("*") if work.is_result(path)
            )
            try:
                work.look(folder, lambda at=folder: self._done(work, at))
            except Exception as error:
                self.counts["lost"] += 1
                self.failed.append(f"{self.kind}, try {number}: {type(error).__name__}: {error}")
        return self.counts

    def _done(self, work: Any, folder: Path) -> None:
        status = child(lambda: work.work(folder), None, None, folder)
        if status:
            raise RuntimeError(f"it ended with {status}: {(folder / '.said').read_text()[-500:]}")


def child(work: Callable[[], None], write: int | None, seconds: float | None, folder: Path) -> int:
    """Do the work in a process that is killed in its write number `write`, or after `seconds`; what it ended with."""
    process = os.fork()
    if process == 0:
        code = 70
        try:
            said = os.open(folder / ".said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(said, 1)
            os.dup2(said, 2)
            sys.stdout, sys.stderr = os.fdopen(1, "w", 1, closefd=False), os.fdopen(2, "w", 1, closefd=False)
            writes = Writes(write)
            work()
            (folder / ".writes").write_text(str(writes.count))
            code = 0
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.__stderr__)
        finally:
            os._exit(code)
    return _wait(process, seconds)


def _wait(process: int, seconds: float | None) -> int:
    end = time.monotonic() + (PATIENCE if seconds is None else seconds)
    while time.monotonic() < end:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(process, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return status if seconds is not None else 71


class Writes:
    """Counts what a process writes, and ends it in the middle of one: `at` is its number, from 0."""

    def __init__(self, at: int | None) -> None:
        self.count, self.at = 0, at
        here = os.getpid()
        fsync, rename, write, write_bytes = os.fsync, os.replace, os.write, Path.write_bytes

        def is_it() -> bool:
            self.count += os.getpid() == here  # not in a child of the child
            return os.getpid() == here and self.count - 1 == self.at

        def end() -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        def new_fsync(descriptor: int) -> None:
            if is_it():
                end()
            fsync(descriptor)

        def new_replace(source: Any, target: Any) -> None:
            if is_it():
                if self.count % 2:
                    rename(source, target)
                end()
            rename(source, target)

        def new_write(descriptor: int, content: Any) -> int:
            if is_it():
                write(descriptor, content[: len(content) // 2])
                end()
            return write(descriptor, content)

        def new_write_bytes(path: Path, content: Any) -> int:
            if is_it():
                write_bytes(path, content[: len(content) // 2])
                end()
            return write_bytes(path, content)

        os.fsync, os.replace, os.write, Path.write_bytes = new_fsync, new_replace, new_write, new_write_bytes  # type: ignore[assignment]


class Training:
    """A run of eight steps with a checkpoint after each; resumed until its end."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.folder = folder
        _write_data(folder)
        self.recipe = _recipe(kind, folder)
        self.facts = self.recipe.task().facts

    def begin(self, name: str) -> Path:
        (self.folder / name).mkdir()
        return self.folder / name

    def work(self, folder: Path) -> None:
        from handmade.train import Run, loop, new_run, open_run
        from handmade.train.display import PlainDisplay

        loop.draw_curves = lambda path, lines, title: None  # type: ignore[assignment]
        run = folder / "run"
        opened: Run = open_run(run) if (run / "config.json").exists() else new_run(self.recipe, self.facts, run)
        task = opened.task()
        task.draw = lambda folder: []  # type: ignore[method-assign]
        assert loop.Trainer(task, opened, PlainDisplay(task)).train()

    def is_result(self, path: Path) -> bool:
        return path.name == "checkpoint"

    def look(self, folder: Path, resume: Callable[[], None]) -> None:
        resume()
        expected = _result(self.folder / "whole" / "run")
        found = _result(folder / "run")
        assert found[0] == expected[0], "other weights"
        assert found[1] == expected[1], "other metrics"
        assert not [path for path in (folder / "run").iterdir() if path.suffix == ".part"], (
            "files of the killed process"
        )


def _result(run: Path) -> tuple[bytes, list[dict[str, Any]]]:
    """The weights, and the metrics without what a clock says."""
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    metrics = [{key: value for key, value in line.items() if "second" not in key} for line in lines]
    return (run / "model.safetensors").read_bytes(), metrics


def _write_data(folder: Path) -> None:
    from PIL import Image

    rng = random.Random(0)
    text = "\n".join("".join(rng.choice("abcd ") for _ in range(20)) for _ in range(40)) + "\n"
    (folder / "text.txt").write_text(text)
    (folder / "a.txt").write_text(text.replace(" ", "e"))
    (folder / "b.txt").write_text(text.replace(" ", "f").upper())
    for split in ("train", "test"):
        for name in "ab":
            (folder / "images" / split / name).mkdir(parents=True)
            for number in range(6):
                pixels = np.random.default_rng(ord(name) + number).integers(0, 256, (28, 28)).astype(np.uint8)
                Image.fromarray(pixels).save(folder / "images" / split / name / f"{number}.png")


def _recipe(kind: str, folder: Path) -> Any:
    from handmade.recipes import recipe_of

    text = f"text:{folder / 'text.txt'}"
    pairs = f"parallel:{folder / 'a.txt'},{folder / 'b.txt'}"
    model, own = {
        "language": ("char-lstm", {"data": text, "sequence_length": 8, "hidden_size": 8, "num_layers": 1}),
        "masked": ("bert", {"data": text, "hidden_size": 8, "num_layers": 1, "num_heads": 2, "dropout": 0.1}),
        "translation": (
            "seq2seq-attention",
            {"data": pairs, "tokens": "characters", "hidden_size": 8, "embedding_dim": 4},
        ),
        "images": ("lenet5", {"data": f"folder:{folder / 'images'}", "optimizer": "sgd"}),
        "speech": ("spoken-digits", {}),
        "trigger": ("trigger-word", {}),
    }[kind]
    size = 200 if kind == "translation" else 4
    if kind in ("speech", "trigger"):
        _tiny_speech()
    return replace(recipe_of(model), batch_size=size, epochs=2, steps=STEPS, checkpoint_seconds=0.0, threads=1, **own)


def _tiny_speech() -> None:
    """In place of the recordings, twelve short clips of noise."""
    from handmade.data.speech import SpokenDigits
    from handmade.tasks.speech import task as speech
    from handmade.tasks.trigger import task as trigger

    rng = np.random.default_rng(0)
    clips = [rng.normal(size=1000).astype(np.float32) for _ in range(12)]
    digits = SpokenDigits(clips, np.arange(12) % 10, ("a",) * 12)
    speech.load_speech = trigger.load_speech = lambda name, split: digits  # type: ignore[assignment]
    trigger.TEST_STREAMS = 2


class Check:
    """`handmade check` of a file with a mistake, three times in each of its processes."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.folder = folder

    def begin(self, name: str) -> Path:
        from handmade.workshop import workspace as room
        from handmade.workshop.exercises import exercise_named
        from handmade.workshop.source import faulty

        room.NAMES, exercise = ("softmax",), exercise_named("softmax")
        workspace = room.start(self.folder / name).workspace
        workspace.file("softmax").write_text(faulty(exercise, next(iter(exercise.faults))))
        return self.folder / name

    def work(self, folder: Path) -> None:
        from handmade.cli.checking import check_one
        from handmade.workshop.cell.job import Limits
        from handmade.workshop.judging.judge import Judge
        from handmade.workshop.judging.sandbox import Sandbox

        os.chdir(folder)
        with Sandbox() as sandbox:
            for _ in range(3):
                assert not check_one(Judge(Limits(), sandbox), "softmax", None, False, None, None)
                print("verdict given")

    def is_result(self, path: Path) -> bool:
        return path.name == "progress.json" and '"attempts": 0' not in path.read_text()

    def look(self, folder: Path, resume: Callable[[], None]) -> None:
        given = (folder / ".said").read_text(errors="replace").count("verdict given")
        kept = _attempts(folder)
        assert given <= kept <= given + 1, f"{given} verdicts given, {kept} remembered"
        resume()
        after = _attempts(folder)
        assert after == kept + 3, f"of {kept} + 3 attempts {after} are remembered"
        assert not list(folder.glob("*damaged*")), "the record was damaged"


def _attempts(folder: Path) -> int:
    from handmade.workshop.workspace import Workspace

    return Workspace(folder).progress().of("softmax").attempts


class Review:
    """`handmade review` of eight cards, answered at once."""

    def __init__(self, kind: str, folder: Path) -> None:
        from handmade.study import cards, standing

        cards.concept_cards()  # read here, once for all tries
        standing.the_plan()
        self.folder = folder

    def begin(self, name: str) -> Path:
        (self.folder / name).mkdir()
        return self.folder / name

    def work(self, folder: Path) -> None:
        from handmade.cli import review

        os.chdir(folder)
        os.environ["HANDMADE_STUDY"] = str(folder)
        (folder / ".answers").write_text("\n3\n" * 8)
        sys.stdin = (folder / ".answers").open()
        review.review(None, None, None, 8, False)

    def is_result(self, path: Path) -> bool:
        return path.name == "study.jsonl"

    def look(self, folder: Path, resume: Callable[[], None]) -> None:
        asked = (folder / ".said").read_text(errors="replace").count(" left\n")
        kept = _reviews(folder)
        assert max(0, asked - 1) <= len(kept) <= asked, f"{asked} cards asked, {len(kept)} answers remembered"
        resume()
        after = _reviews(folder)
        assert set(kept) < set(after), "answers are lost"
        assert not list(folder.glob("*damaged*")), "the journal was damaged"


def _reviews(folder: Path) -> list[str]:
    from handmade.study.journal import Journal

    journal = Journal(folder / "study.jsonl", said=lambda text: None)
    return [event.number for event in journal.events() if event.what == "review"]


if __name__ == "__main__":
    main()
