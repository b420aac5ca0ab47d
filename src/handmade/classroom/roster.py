"""The list of a class: who is expected, and by which names each is known."""

import csv
import unicodedata
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from handmade.data import read_text
from handmade.errors import InputError

NAMES = ("student", "name", "identifier", "login", "username", "email")
"""The columns that may hold what a student is called, in the order in which they are looked for."""


@dataclass(frozen=True)
class Roster:
    """students: as they are called, in the list's order. known: each other name, plainly written, and whose it is."""

    students: list[str]
    known: dict[str, str]

    def student(self, name: str) -> str | None:
        """Who is meant by the name of a folder or a file; None where nobody is."""
        return self.known.get(plain(name))


def read_roster(path: Path) -> Roster:
    """A CSV with a header: Canvas's, Moodle's and GitHub Classroom's, or any with a column of these `NAMES`.

    All cells of a row are names of its student. Raises InputError for a file without such a column or without rows.
    """
    try:
        rows = list(csv.DictReader(StringIO(read_text(path).removeprefix("\ufeff"), newline="")))
    except csv.Error as error:
        raise InputError(f"{path} is not a CSV that can be read: {error}.") from error
    columns = {column.strip().lower(): column for column in (rows[0] if rows else {}) if column}
    called = [columns[name] for name in NAMES if name in columns]
    if "first name" in columns and "last name" in columns:  # Moodle's
        for row in rows:
            row["name"] = f"{row[columns['first name']]} {row[columns['last name']]}"
        called.insert(0, "name")
    if not called:
        raise InputError(
            f"{path}: expected a CSV with a header and, among others, one of the columns {', '.join(NAMES)}."
        )
    students, known = [], {}
    for row in rows:
        cells = [cell.strip() for cell in row.values() if isinstance(cell, str) and cell.strip()]
        student = next((row[column].strip() for column in called if (row[column] or "").strip()), "")
        if not student:
            continue
        if student in students:
            raise InputError(f"{path}: two rows are called {student!r}; each student needs a name of his own.")
        students.append(student)
        for cell in (student, *cells, *(cell.partition("@")[0] for cell in cells if "@" in cell)):
            known.setdefault(plain(cell), student)
            first, comma, second = cell.partition(",")
            if comma:  # Lovelace, Ada
                known.setdefault(plain(f"{second} {first}"), student)
    if not students:
        raise InputError(f"{path}: no row of it names a student.")
    return Roster(students, known)


def plain(name: str) -> str:
    """A name as it is compared: without case, the forms of accents, spaces and signs."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter.isalnum()) or name
