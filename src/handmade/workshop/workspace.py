"""A learner's workspace: a folder with one file per exercise, by topic, and the record of what was done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from handmade.files import cannot_write, write_bytes, write_text
from handmade.workshop.exercises import NAMES, exercise_named, topic_of
from handmade.workshop.judging.verdict import Verdict
from handmade.workshop.numbered import Move, carry_over, has_numbered_files, numbered_file
from handmade.workshop.progress import Progress, change_progress, free_path, read_progress

PROGRESS = "progress.json"
WORKSHOP = "handmade-workshop"
"""What a workspace is called, where a person says nothing else."""

DRILLS = "drills"
"""The folder of a workspace that holds drills."""


@dataclass(frozen=True)
class Workspace:
    """The folder. `said`: what there is to tell about it, as a damaged record that was put aside."""

    folder: Path
    said: Callable[[str], None] = print

    def file(self, name: str) -> Path:
        """Where the exercise's file is, or belongs: attention/causal_mask.py."""
        path = self._by_topic(name)
        return path if path.exists() else numbered_file(self.folder, name) or path

    def _by_topic(self, name: str) -> Path:
        return self.folder / topic_of(name) / f"{name}.py"

    def holds_exercises(self) -> bool:
        """Whether the file of any exercise is here."""
        return any(self._by_topic(name).is_file() for name in NAMES) or has_numbered_files(self.folder)

    def shown(self, path: Path) -> str:
        """A path as one names it from the folder."""
        return (path.relative_to(self.folder) if path.is_relative_to(self.folder) else path).as_posix()

    def where(self, name: str) -> str:
        """Where the exercise's file is, as one names it from the folder."""
        return self.shown(self.file(name))

    def add_missing(self) -> list[Path]:
        """Write the stub of every exercise that has no file; the others stay as they are."""
        written = []
        for name in self.missing():
            path = self.file(name)
            made(path.parent)
            write_text(path, _stub(name))
            written.append(path)
        return written

    def reset(self, name: str) -> Path | None:
        """Replace the file by the exercise's stub. The path of a copy of the old file, None if none."""
        path, backup = self.file(name), None
        if path.exists():
            backup = free_path(path.parent, f"{path.stem}.backup-{{}}.py")
            write_bytes(backup, path.read_bytes())
        made(path.parent)
        write_text(path, _stub(name))
        return backup

    def progress(self) -> Progress:
        """What is remembered. A damaged record is put aside, said, and a new one begun."""
        return read_progress(self.folder / PROGRESS, self.said)

    def change(self, change: Callable[[Progress], None]) -> Progress:
        """Change what is remembered, as it is on the disk now."""
        return change_progress(self.folder / PROGRESS, change, self.said)

    def missing(self) -> list[str]:
        """The exercises that have no file."""
        return [name for name in NAMES if not self.file(name).exists()]

    def record(self, verdicts: Sequence[Verdict]) -> None:
        """Remember attempts, mistakes and what was passed."""

        def change(progress: Progress) -> None:
            for verdict in verdicts:
                progress.add(verdict)

        self.change(change)

    def record_check(self, path: Path, verdict: Verdict) -> None:
        """Remember the check of an exercise's own file, or of a drill; that of any other file is not remembered."""
        if path.resolve() == self.file(verdict.exercise).resolve():
            self.record([verdict])
        elif path.resolve().parent == (self.folder / DRILLS).resolve():
            self.change(lambda progress: progress.check_drill(path.name, verdict.passed))

    def upcoming(self) -> str | None:
        """The first exercise that is not passed yet."""
        progress = self.progress()
        return next((name for name in NAMES if progress.of(name).passed is None), None)


def workspace_around(folder: Path) -> Workspace | None:
    """The workspace that a folder is, or is inside of, or that `start` made in it."""
    for candidate in (folder, *folder.parents, folder / WORKSHOP):
        if Workspace(candidate).holds_exercises():
            return Workspace(candidate)
    return None


@dataclass(frozen=True)
class Started:
    """What `start` did: the files it wrote, and those of an older workspace that it moved."""

    workspace: Workspace
    written: list[Path]
    moved: list[Move]


def start(folder: Path) -> Started:
    """Create a workspace, or add what one lacks. Files named by number are moved into the folders of their topics."""
    workspace = Workspace(made(folder))
    moved = carry_over(workspace.folder)
    written = workspace.add_missing()
    workspace.change(lambda progress: None)
    return Started(workspace, written, moved)


def made(folder: Path) -> Path:
    """The folder, which exists now. InputError where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


def _stub(name: str) -> str:
    from handmade.workshop.source import stub  # with NumPy, which reading a record does without

    return stub(exercise_named(name))
