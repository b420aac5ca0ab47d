"""What a learner's folder holds: the record, the journal, notes, solutions; and what a solution's process reports."""

import json
import random
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.fuzzing.format import Files, Format
from benchmarks.fuzzing.mutators import damaged, damaged_json, damaged_json_lines, damaged_text, one_of
from handmade.errors import InputError
from handmade.news import news_here
from handmade.study.blocks import Wanted, merge, written
from handmade.study.journal import Journal
from handmade.workshop.cell.cases import Case
from handmade.workshop.cell.job import Job, Limits
from handmade.workshop.cell.wire import dumps
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import exercise_named
from handmade.workshop.interviews import RUNNING, refuse_while_running
from handmade.workshop.judging.outcome import outcome_of
from handmade.workshop.judging.reading import read
from handmade.workshop.source import solution
from handmade.workshop.workspace import PROGRESS, Workspace


def _records() -> list[Files]:
    entry = {"attempts": 3, "passed": "2026-12-01T10:00:00", "hints": 1, "gave_up": None, "mistakes": {"no mask": 2},
             "met": {"no mask": "2026-12-01T09:00:00"}}  # fmt: skip
    facts = {
        "workshop": 1,
        "exercises": {"softmax": entry, "gelu": {"attempts": 1}},
        "interviews": [{"exercise": "gelu"}],
    }
    return [{PROGRESS: json.dumps(facts).encode()}]


def _change_record(folder: Path) -> None:
    """A damaged record is kept aside; whatever it was, attempts are counted on."""
    path, said = folder / PROGRESS, list[str]()
    before = path.read_bytes()
    workspace = Workspace(folder, said.append)

    def attempt(progress: Any) -> None:
        progress.of("gelu").attempts += 1

    there = workspace.progress().of("gelu").attempts
    workspace.change(attempt)
    assert workspace.progress().of("gelu").attempts == there + 1, "an attempt is lost"
    assert not said or any(aside.read_bytes() == before for aside in folder.glob("progress.damaged-*")), (
        "damage is lost"
    )


def _journals() -> list[Files]:
    lines = [
        {"at": "2026-12-01T08:00:00.000000Z", "what": "start", "day": "2026-12-01", "interview": "2026-12-14"},
        {"at": "2026-12-01T08:30:11.250134Z", "what": "review", "card": "relu-why", "rating": 3, "seconds": 9},
        {"at": "2026-12-01T08:31:00Z", "what": "watched", "item": "cs231n-5"},
        {"at": "2026-12-02T08:31:00Z", "what": "undone", "of": "3f2a9c1b07d4"},
        {"at": "2026-12-03T08:31:00Z", "what": "seen", "card": "resnet-why", "due": "2026-12-04"},
    ]
    return [{"study.jsonl": "".join(json.dumps(line) + "\n" for line in lines).encode()}]


def _keep_journal(folder: Path) -> None:
    """Events are added to a damaged journal; the whole lines of before count on, and its bytes are kept aside."""
    path, said = folder / "study.jsonl", list[str]()
    before = path.read_bytes()
    journal = Journal(path, said=said.append)
    there = journal.events()
    assert all("cut off" in text for text in said) or before in [a.read_bytes() for a in folder.glob("*.damaged-*")], (
        "lost"
    )
    journal.append("review", card="relu-why", rating=3, seconds=1)
    after = journal.events()
    assert {event.number for event in there} <= {event.number for event in after}, "an event is lost"
    assert len(after) == len(there) + 1, "the new event is lost"


WANTED = [Wanted("deck", "**Q** why?\n- [ ] do it ^handmade-item", "Cards"), Wanted("plan", "- [x] day 1", None)]


def _notes() -> list[Files]:
    note = f"---\ntitle: x\n---\n# Mine\n\ntext\n\n## Cards\n{written(WANTED[0])}\nafter\n"
    return [{"a.md": note.encode()}, {"a.md": b"# Mine\nmine\n"}, {"a.md": note.replace("\n", "\r\n").encode()}]


def _merge(folder: Path) -> None:
    """Twice is once, and nothing that was there is gone."""
    text = (folder / "a.md").read_bytes().decode("utf-8-sig")
    once = merge(text, WANTED)
    assert merge(once.text, WANTED).text == once.text, "twice is not once"


@cache
def _exercise(name: str) -> tuple[Exercise, list[Case]]:
    exercise = exercise_named(name)
    return exercise, exercise.all_cases()


EXERCISES = ("softmax", "multi_head_attention")


def _solutions() -> list[Files]:
    return [{"exercise": name.encode(), "a.py": solution(exercise_named(name)).encode()} for name in EXERCISES]


def _read_solution(folder: Path) -> None:
    exercise, cases = _exercise((folder / "exercise").read_text())
    read(folder / "a.py", exercise, cases)


def _reports() -> list[Files]:
    lines = [
        {"kind": "result", "outputs": {"output": 1.5}, "raised": None, "changed": [("args", 0)]},
        {
            "kind": "result",
            "outputs": None,
            "raised": {"kind": "ValueError", "message": "m", "trace": "t"},
            "changed": [],
        },
        {"kind": "refused", "what": "open"},
        {"kind": "again", "outputs": {"output": 1.5}, "raised": None, "changed": []},
        {"kind": "done", "seconds": 0.5, "threads": [], "patched": ["np.sum"]},
    ]
    return [{"report": "".join(dumps(line) + "\n" for line in lines).encode()}]


def _take_report(folder: Path) -> None:
    cases = [Case(f"{n}", (1.0,)) for n in range(2)]
    job = Job("a.py", "", (), ("f",), "call", ("output",), cases, False, Limits())
    end = {"left": 0, "printed": "", "cut": False, "exit": 0, "overfull": False}
    outcome = outcome_of(end, (folder / "report").read_bytes(), job)
    assert len(outcome.results) <= 2


def _marks() -> list[Files]:
    return [{f"interviews/{RUNNING}": json.dumps({"exercise": "gelu", "ends": 4e9}).encode()}]


def _ask(folder: Path) -> None:
    """While an interview is held its solution is refused; a damaged mark stops nobody."""
    with suppress(InputError):  # it is held
        refuse_while_running(Workspace(folder, print), "gelu", "the solution")


def _written_before() -> list[Files]:
    facts = {"recipe": "lenet5", "handmade": "0.1.0"}
    return [{"runs/lenet5-1/config.json": json.dumps(facts).encode()}, {PROGRESS: json.dumps(facts).encode()}]


def _one_damaged(rng: random.Random, files: Files) -> Files:
    return {name: damaged_json(rng, content) for name, content in files.items()}


def _tell(folder: Path) -> None:
    assert all(isinstance(line, str) for line in news_here(folder, folder))


FORMATS = [
    Format(
        "progress.json", 20, _records, _change_record, {PROGRESS: damaged_json}, named=PROGRESS
    ),  # a newer version's
    Format("study.jsonl", 15, _journals, _keep_journal, {"study.jsonl": damaged_json_lines}, documented=()),
    Format("notes of a vault", 20, _notes, _merge, {"a.md": one_of(damaged_text, damaged)}, documented=(ValueError,)),
    Format("solutions, read", 8, _solutions, _read_solution, {"a.py": one_of(damaged_text, damaged)}, documented=()),
    Format("interviews/running.json", 5, _marks, _ask, {f"interviews/{RUNNING}": damaged_json}, documented=()),
    Format("versions, for what is new", 5, _written_before, _tell, change=_one_damaged, documented=()),
    Format(
        "reports of a solution",
        30,
        _reports,
        _take_report,
        {"report": one_of(damaged_json_lines, damaged)},
        documented=(),
    ),
]
