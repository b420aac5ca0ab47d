"""A class's grades by student, by mistake and by pairs that are alike: what every report says."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from handmade.classroom.grading import Grade, Grades
from handmade.classroom.likeness import Alike, alike
from handmade.workshop import source
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.variants import variants_of


@dataclass(frozen=True)
class Frequent:
    """A mistake, and how many students made it in an exercise."""

    exercise: str
    mistake: str
    students: int


@dataclass
class Summary:
    """exercises: those that anybody has handed in, in the order of study."""

    grades: Grades
    exercises: list[str]
    frequent: list[Frequent]
    alike: list[Alike]

    def of(self, student: str) -> dict[str, Grade]:
        """A student's grades by exercise."""
        return self._by_student.get(student, {})

    @cached_property
    def _by_student(self) -> dict[str, dict[str, Grade]]:
        found: dict[str, dict[str, Grade]] = {}
        for grade in self.grades.grades:
            found.setdefault(grade.student, {})[grade.exercise] = grade
        return found

    def notes_on(self, student: str) -> list[str]:
        return [note.text for note in self.grades.notes if note.student == student]

    def as_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "exercises": self.exercises,
            "students": [
                {
                    "student": student,
                    "passed": sum(grade.passed for grade in self.of(student).values()),
                    "files": [
                        {"exercise": name, "file": grade.where, **grade.verdict}
                        for name, grade in self.of(student).items()
                    ],
                    "notes": self.notes_on(student),
                }
                for student in self.grades.students
            ],
            "frequent": [vars(one) for one in self.frequent],
            "alike": [vars(pair) for pair in self.alike],
        }


def mistakes(grade: Grade) -> list[str]:
    """A grade's mistakes in a few words each: the name, and the line where it is known."""
    found = []
    for mistake in grade.verdict["mistakes"]:
        where = f" (line {mistake['line']})" if mistake["line"] else ""
        found.append(f"{mistake['name']}{where}")
    return found


def summary(grades: Grades) -> Summary:
    """The summary, the most frequent mistakes and the most alike pairs first."""
    by_exercise: dict[str, dict[str, Grade]] = {}
    for grade in grades.grades:
        by_exercise.setdefault(grade.exercise, {})[grade.student] = grade
    exercises = [name for name in NAMES if name in by_exercise]
    counted = Counter(
        (grade.exercise, name)
        for grade in grades.grades
        for name in {mistake["name"] for mistake in grade.verdict["mistakes"]}
    )
    frequent = [Frequent(*key, students) for key, students in counted.most_common()]
    pairs: list[Alike] = []
    for name in exercises:
        exercise = exercise_named(name)
        usual = [source.stub(exercise), source.solution(exercise), *variants_of(name).values()]
        pairs += alike(name, {student: grade.source for student, grade in by_exercise[name].items()}, usual)
    return Summary(grades, exercises, frequent, sorted(pairs, key=lambda pair: -pair.likeness))
