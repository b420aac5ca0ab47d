"""What a class has handed in: which file is whose, and for which exercise.

A student has a folder or a zip. Folders as GitHub Classroom clones them (`assignment-login`), as Moodle names them
(`Ada Lovelace_123_assignsubmission_file_`), and flat files as Canvas (`lovelaceada_LATE_12_345_softmax-1.py`) and
Moodle export them are told apart by their names.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from handmade.classroom.archives import SKIPPED, Place, files_in
from handmade.classroom.roster import Roster, plain
from handmade.errors import InputError, printable, suggestion
from handmade.workshop.exercises import NAMES, TOPICS
from handmade.workshop.naming import named_in
from handmade.workshop.workspace import DRILLS

SUFFIXES = (".py", ".ipynb")

CANVAS = re.compile(r"(?P<student>[^_]+)_(?:LATE_)?\d+_\d+_(?P<file>.+)")
MOODLE = re.compile(r"(?P<student>.+)_\d+_assignsubmission_[a-z]+(?:_(?P<file>.*))?")
ANEW = re.compile(r"(.+?)-(\d+)$")
"""Canvas's mark of a file that was handed in anew: a number at its end."""

MOST_HELPERS = 20


@dataclass(frozen=True)
class Handed:
    """A student's file for an exercise. helpers: modules of the student's own that it imports, by name."""

    student: str
    exercise: str
    place: Place
    helpers: tuple[tuple[str, Place], ...] = ()


@dataclass(frozen=True)
class Note:
    """Something about a student's submission that a teacher should know."""

    student: str
    text: str


@dataclass
class Collected:
    """What was found: the files to judge, everybody who is expected or has handed in anything, and notes."""

    handed: list[Handed] = field(default_factory=list)
    students: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def note(self, student: str, text: str) -> None:
        self.notes.append(Note(student, printable(text)))


@dataclass
class _Student:
    """Where a student's files are, each with its path there; a later part goes before an earlier one."""

    parts: list[Path] = field(default_factory=list)
    files: list[tuple[PurePosixPath, Place]] = field(default_factory=list)


def collected(submissions: Path, roster: Roster | None = None, exercises: Iterable[str] = NAMES) -> Collected:
    """The submissions in a folder. Raises InputError where it is none, or is empty.

    What cannot be used is noted, and stops nothing: links, damaged zips, files of no exercise, students who are not in
    the roster or have handed in twice.
    """
    found, students = Collected(), dict[str, _Student]()
    known: dict[str, str] = {}
    for entry in _entries(submissions):
        name, file = _whose(entry)
        student = known.setdefault(plain(name), name) if roster is None else roster.student(name)
        if student is None:
            student = known.setdefault(plain(name), name)
            if student not in students:
                found.note(student, "is not in the roster")
        _add(students.setdefault(student, _Student()), entry, file, lambda text, who=student: found.note(who, text))
    expected = [] if roster is None else roster.students
    for student in dict.fromkeys([*expected, *students]):
        found.students.append(student)
        if student not in students:
            found.note(student, "has handed in nothing")
        else:
            found.handed += _chosen(student, students[student], set(exercises), found)
    return found


def collected_of_one(folder: Path, exercises: Iterable[str] = NAMES) -> Collected:
    """What one student has handed in, whose folder this is."""
    found, own, student = Collected(), _Student(), folder.absolute().name
    own.files += files_in(folder, lambda text: found.note(student, text))
    found.students.append(student)
    found.handed += _chosen(student, own, set(exercises), found)
    return found


def _entries(submissions: Path) -> list[Path]:
    try:
        entries = sorted(submissions.iterdir())
    except OSError as error:
        raise InputError(
            f"{submissions}: {error.strerror}; expected a folder that holds a folder or a zip for each student."
        ) from error
    entries = [entry for entry in entries if not entry.name.startswith(".") and entry.name not in SKIPPED]
    if not entries:
        raise InputError(f"{submissions} is empty; expected a folder or a zip for each student in it.")
    return entries


def _whose(entry: Path) -> tuple[str, str]:
    """The student that an entry belongs to by its name, and the name of the file as it was handed in."""
    stem = entry.name if entry.is_dir() else entry.stem
    for form in (MOODLE, CANVAS):
        if match := form.fullmatch(entry.name):
            return match["student"], match["file"] or ""
    if _is_clone(entry):
        return _login(entry), ""
    if entry.suffix.lower() in SUFFIXES and not entry.is_dir():
        for name in sorted(NAMES, key=len, reverse=True):  # ada_softmax.py
            if match := re.fullmatch(rf"(.+?)[_ -]+{name}", _snake(stem), re.IGNORECASE):
                return stem[: match.end(1)], f"{name}{entry.suffix}"
    return stem, entry.name


def _login(folder: Path) -> str:
    """The end of the name of a repository that GitHub Classroom made: all of one assignment begin alike."""
    words = [path.name.split("-") for path in folder.parent.iterdir() if _is_clone(path)]
    common = 0
    while len(words) > 1 and len({tuple(each[: common + 1]) for each in words}) == 1:
        common += 1
    return "-".join(folder.name.split("-")[common:]) or folder.name


def _is_clone(folder: Path) -> bool:
    return (folder / ".git").is_dir() or (folder / ".github").is_dir()


def _add(student: _Student, entry: Path, file: str, note) -> None:
    if entry.is_symlink():
        note(f"{entry.name} is a link, which is not followed")
    elif entry.is_dir() or entry.suffix.lower() == ".zip":
        if student.parts:
            note(f"has handed in more than once: {student.parts[0].name} and {entry.name}; the newer file counts")
        student.parts.append(entry)
        student.files += files_in(entry, note)
    elif entry.is_file():
        path = PurePosixPath(file)
        anew = ANEW.fullmatch(path.stem)
        name = path.with_name(f"{anew[1]}{path.suffix}") if anew else path
        student.files.append((name, Place(entry, changed=(int(anew[2]) if anew else 0, entry.stat().st_mtime))))
    else:
        note(f"{entry.name} is neither a folder, a zip nor a file")


def _chosen(student: str, own: _Student, exercises: set[str], found: Collected) -> Iterator[Handed]:
    """The file for each exercise: where there are several, the one named plainly, then the newest."""
    candidates: dict[str, list[tuple[PurePosixPath, Place]]] = {}
    for path, place in own.files:
        name = named_in(path.name) if path.suffix.lower() in SUFFIXES and DRILLS not in path.parts else None
        if name in exercises:
            candidates.setdefault(name, []).append((path, place))
    if not candidates:
        found.note(student, _nothing_usable(own))
    for name in NAMES:
        if name not in candidates:
            continue
        order = sorted(candidates[name], key=lambda one: (_is_plain(one[0]), one[1].changed, str(one[0])))
        path, place = order[-1]
        others = [str(other) for other, _ in order[:-1] if _is_plain(other)]
        if others:
            found.note(student, f"{name}: {path} was judged, the newest; not {', '.join(others[:3])}")
        yield Handed(student, name, place, _helpers(path, place, own.files))


def _is_plain(path: PurePosixPath) -> bool:
    """Not a copy, as softmax.1.py or softmax.backup-1.py is."""
    return "." not in path.stem


def _nothing_usable(own: _Student) -> str:
    names = [path.name for path, _ in own.files]
    if not names:
        return "nothing that has been handed in can be used"
    shown = f"{', '.join(names[:3])}{', ...' if names[3:] else ''}"
    close = suggestion(_snake(PurePosixPath(names[0]).stem).lower(), NAMES)
    return f"holds no file named after an exercise, as softmax.py: {shown}{close.rstrip('.')}"


def _helpers(
    path: PurePosixPath, place: Place, files: list[tuple[PurePosixPath, Place]]
) -> tuple[tuple[str, Place], ...]:
    """The student's modules that a file imports, and those that they import: from its folder, or the workspace's."""
    folders = [path.parent, path.parent.parent] if path.parent.name in TOPICS else [path.parent]
    beside = {p.stem: (p.name, at) for folder in reversed(folders) for p, at in files if p.parent == folder}
    found: dict[str, Place] = {}
    waiting = [place]
    while waiting and len(found) < MOST_HELPERS:
        for module in _imported(waiting.pop()):
            name, at = beside.get(module, ("", place))
            if name.endswith(".py") and name not in found and at != place:
                found[name] = at
                waiting.append(at)
    return tuple(found.items())


def _imported(place: Place) -> set[str]:
    """The top names of what a file imports."""
    try:
        tree = ast.parse(place.content)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return set()
    imports = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    imports += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in imports}


def _snake(name: str) -> str:
    return re.sub(r"[\s-]", "_", name)
