"""The mend: edited versions of a solution, tried where it leaves the right path first, until one is right."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from handmade.workshop.cell.cases import Result
from handmade.workshop.cell.job import Job
from handmade.workshop.cell.tracing import Definition, seen_nodes, targets, walk
from handmade.workshop.cell.versions import edited
from handmade.workshop.judging.alignment import Alignment
from handmade.workshop.judging.counterfactuals import RIGHT, Switches
from handmade.workshop.judging.edits import Edit, Editor, Part, editor_of
from handmade.workshop.judging.outcome import Outcome
from handmade.workshop.judging.pieces import pieces, statements
from handmade.workshop.judging.rightvalues import RightRun, spelled
from handmade.workshop.judging.signatures import parameter_name
from handmade.workshop.judging.trial import Trial
from handmade.workshop.judging.verdict import Mend

Run = Callable[[Job], Outcome]

BRIEF = 60
"""How many edits are tried where a listed mistake explains the results already."""

BATCHES = ((100, 200, 280), (150, 350), (200,), (100,))
"""How many edited versions are tried at once in each stage, the likeliest first. Counts bound a search, so that the
same file gets the same verdict however busy the machine is; the clocks (BUDGET, GUARD, SECONDS_OF_ONE) only stop what
is slow or hangs."""

BUDGET = 2.0
"""Seconds of the processor's time that all versions of a search may take together: few need as many. A file so slow
that its search ends here gets the best answer until then."""

MOST_STEPS, OF_LOADING = 700_000, 500
"""How many steps of a traced run all versions of a search may take together, and what loading one counts as."""

NEAREST = (100, 100)
"""How many edits are tried for a part of the way: of those in a thing's place, and of those around it."""

MOST_WIDE = 70
"""Around how many of the nearest nodes something is put."""

GUARD = 20.0
"""Seconds after which a batch ends whatever it does."""

STEP = 0.25
"""What an edit costs more for each step away from where the mistake seems to be."""


@dataclass(frozen=True)
class Repair:
    """A mend that makes all cases right: the edit, the line it changes, and what stands there before and after."""

    edit: Edit
    line: int
    mend: Mend


def search(
    job: Job,
    trial: Trial,
    case: int,
    alignment: Alignment,
    runs: list[RightRun],
    crash: int | None,
    run: Run,
    thorough: bool = True,
    share: float = 1.0,
) -> Repair | None:
    """The likeliest edit that makes all cases right; None where none of those tried does.

    thorough: whether to try more than the first batch. share: of the usual number of edits.
    """
    editor = editor_of(job.source)
    tiers = _tiers(editor, alignment, crash)
    left = BRIEF if not thorough else max(int(share * MOST_STEPS) // (OF_LOADING + alignment.steps), BATCHES[0][0])
    clock = Clock(share * BUDGET)
    tried: set[tuple[Part, ...]] = set()
    waiting: list[tuple[float, Edit]] = []
    for stage, candidates in enumerate(_stages(editor, alignment, tiers, runs)):
        waiting += [one for one in candidates if not (one[1].parts in tried or tried.add(one[1].parts))]
        waiting.sort(key=lambda pair: pair[0])
        for size in BATCHES[stage]:
            batch, waiting = waiting[: min(size, left)], waiting[min(size, left) :]
            left -= len(batch)
            if not batch or clock.left <= 0:
                break
            found = _passing([edit for _, edit in batch], job, trial, [case], run, clock)
            right = _passing(found, job, trial, list(trial.numbers), run, Clock(BUDGET)) if found else []
            for edit in sorted(right, key=lambda edit: edit.cost + 0.02 * _length(edit)):
                if _keeps_arguments(edit, job, trial, case, run):
                    return repair_of(job.source, edit)
            if not thorough:
                return None
    return None


def nearest(editor: Editor, alignment: Alignment, runs: list[RightRun], crash: int | None) -> list[Edit]:
    """The likeliest edits where the mistake seems to be, of each kind."""
    tiers = _tiers(editor, alignment, crash)
    found: dict[tuple[Part, ...], tuple[float, Edit]] = {}
    stages = _stages(editor, alignment, [tiers[0], tiers[1][:40], [], [], []], runs)
    for most, stage in zip(NEAREST, stages, strict=False):
        for cost, edit in sorted(stage, key=lambda pair: pair[0])[:most]:
            found.setdefault(edit.parts, (cost, edit))
    return [edit for _, edit in sorted(found.values(), key=lambda pair: pair[0])]


def _length(edit: Edit) -> int:
    """By how much it makes the file longer."""
    return sum(len(text) - (end - start) for start, end, text in edit.parts)


@dataclass
class Clock:
    """How many seconds of the processor's time are left."""

    left: float


def _passing(edits: list[Edit], job: Job, trial: Trial, numbers: list[int], run: Run, clock: Clock) -> list[Edit]:
    """Those of the edits that are right on these cases, of those that are tried in the time that is left."""
    cases = [trial.case(number) for number in numbers]
    limits = replace(job.limits, seconds=GUARD)
    job = replace(job, cases=cases, limits=limits)
    given: list[list[object]] = []
    for _ in range(2):  # where the process was lost among them, once more for those that are left
        left = edits[len(given) :]
        if left and clock.left > 0:
            outcome = run(replace(job, edits=tuple(edit.parts for edit in left), budget=clock.left))
            given += outcome.edits
            clock.left -= outcome.seconds
    return [
        edit
        for edit, outputs in zip(edits, given, strict=False)
        if len(outputs) == len(numbers) and _is_right(outputs, trial, numbers)
    ]


def _keeps_arguments(edit: Edit, job: Job, trial: Trial, case: int, run: Run) -> bool:
    """Whether the edited solution changes none of the arguments that have to stay as they are."""
    outcome = run(replace(job, source=edited(job.source, edit.parts), cases=[trial.case(case)]))
    places = [place for result in outcome.results for place in result.changed]
    names = {parameter_name(trial.exercise, trial.case(case), field, key) for field, key in places}
    return names <= set(trial.exercise.may_change)


def _is_right(outputs: list[object], trial: Trial, numbers: list[int]) -> bool:
    accepted: list[Switches] = [RIGHT, *(frozenset([name]) for name in trial.exercise.conventions)]
    results = [Result(one if isinstance(one, dict) else None) for one in outputs]
    return any(
        all(trial.reference.agrees(result, switches, n) for result, n in zip(results, numbers, strict=True))
        for switches in accepted
    )


def _tiers(editor: Editor, alignment: Alignment, crash: int | None) -> list[list[int]]:
    """The nodes to edit: where the mistake seems to be, then further and further away from there."""
    seen = {id(node) for node in seen_nodes(editor.tree)}
    nodes = editor.nodes
    if crash is not None:
        first = [n for n, node in enumerate(nodes) if getattr(node, "lineno", 0) == crash and not _holds_others(node)]
        second = [n for suspect in alignment.suspects[:3] for n in _near(editor, nodes[suspect], seen)]
    elif alignment.suspects:
        first = [n for suspect in alignment.suspects[:1] for n in _near(editor, nodes[suspect], seen)]
        second = [n for suspect in alignment.suspects[1:4] for n in _near(editor, nodes[suspect], seen)]
    else:
        deciding = [
            n for n, node in enumerate(nodes) if isinstance(node, ast.Compare | ast.BoolOp | ast.If | ast.IfExp)
        ]
        returned = [node for node in nodes if isinstance(node, ast.Return)]
        first, second = [n for r in returned for n in _near(editor, r, seen)], deciding
    statements = dict.fromkeys(filter(None, (editor.statement_of(nodes[n]) for n in first)))
    whole = [editor.number[id(part)] for statement in statements for part in _parts(statement)]
    third = [n for statement in statements for n in _behind(editor, statement)]
    third += [n for n, node in enumerate(nodes) if isinstance(node, ast.Compare)]
    second = [*second, *(n for call in _callers(editor, [nodes[n] for n in alignment.suspects[:2]]) for n in call)]
    defaults = [n for n, node in enumerate(nodes) if isinstance(editor.parent.get(id(node), (node,))[0], ast.arguments)]
    others = [n for suspect in alignment.suspects[4:12] for n in _near(editor, nodes[suspect], seen)]
    rest = [n for n, node in enumerate(nodes) if isinstance(node, ast.expr | ast.stmt)]
    return [first, [*second, *whole], third, [*defaults, *others], rest]


def _holds_others(node: ast.AST) -> bool:
    return isinstance(node, ast.stmt) and bool(getattr(node, "body", None))


def _near(editor: Editor, node: ast.AST, seen: set[int]) -> Iterator[int]:
    """The node, or the statement that it is the target of, and what is in it, down to the values that are seen."""
    parent = editor.parent.get(id(node), (node, ""))[0]
    if isinstance(node, ast.arg):
        return
    top = editor.statement_of(node) if isinstance(getattr(node, "ctx", None), ast.Store) else node
    if isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Store):
        top = editor.statement_of(node)
    todo: list[ast.AST] = [top or node]
    while todo:
        part = todo.pop(0)
        yield editor.number[id(part)]
        if part is top or id(part) not in seen:
            todo += [] if _holds_others(part) and part is not top else list(ast.iter_child_nodes(part))


def _callers(editor: Editor, suspects: list[ast.AST]) -> Iterator[list[int]]:
    """The calls of the helpers that the suspects are in: it may be these that are wrong."""
    helpers = {getattr(editor.function_of(node), "name", "") for node in suspects}
    for node in editor.nodes:
        called = getattr(node.func, "id", getattr(node.func, "attr", None)) if isinstance(node, ast.Call) else None
        if called in helpers:
            yield [editor.number[id(part)] for part in walk(node) if isinstance(part, ast.expr)]


def _parts(statement: ast.stmt) -> Iterator[ast.AST]:
    """The statement and its expressions, without the statements in it."""
    todo: list[ast.AST] = [statement]
    while todo:
        part = todo.pop(0)
        yield part
        todo += [child for child in ast.iter_child_nodes(part) if not isinstance(child, ast.stmt)]


def _behind(editor: Editor, statement: ast.stmt) -> Iterator[int]:
    """What decides whether the statement runs, and the statements that the names in it come from."""
    node: ast.AST = statement
    while id(node) in editor.parent and not isinstance(node, Definition):
        node = editor.parent[id(node)][0]
        if isinstance(node, ast.If | ast.While | ast.For):
            yield from (editor.number[id(part)] for part in _parts(node))
    used = {spelled(part) for part in _parts(statement)} - {""}
    function = editor.function_of(statement)
    for other in editor.nodes:
        if not isinstance(other, ast.stmt) or other is statement:
            continue
        given = {spelled(target) for target in targets(other)} & used
        if any("." in name for name in given) or (given and editor.function_of(other) is function):
            yield from (editor.number[id(part)] for part in _parts(other))


def _stages(
    editor: Editor, alignment: Alignment, tiers: list[list[int]], runs: list[RightRun]
) -> Iterator[list[tuple[float, Edit]]]:
    """Edits with their costs, the nearest first, made when they are asked for: first what puts another thing in the
    place of one that is there, then what puts something around it, then all that is far away."""
    near = dict(
        sorted({number: tier for tier in (2, 1, 0) for number in tiers[tier]}.items(), key=lambda pair: pair[1])
    )
    yield [(e.cost + STEP * tier, e) for number, tier in near.items() for e in editor.narrow(number)]
    wide = [(e.cost + STEP * tier, e) for number, tier in list(near.items())[:MOST_WIDE] for e in editor.wide(number)]
    likely = list(dict.fromkeys([*tiers[0], *tiers[1]]))
    for rank, number in enumerate(list(_assigned_instead(editor, likely))[:12]):
        wide += [(edit.cost + 0.05 * rank, edit) for edit in pieces(editor, alignment, number, runs)]
    for rank, number in enumerate(list(_places(editor, likely))[:6]):
        wide += [(edit.cost + 0.05 * rank, edit) for edit in statements(editor, alignment, number, runs)]
    yield wide
    far = [number for number in dict.fromkeys([*tiers[3], *tiers[4]]) if number not in near]
    yield [(e.cost + 3 * STEP, e) for number in far for e in editor.narrow(number)]
    yield [(e.cost + 3 * STEP, e) for number in tiers[3] for e in editor.wide(number)]


def _assigned_instead(editor: Editor, numbers: list[int]) -> Iterator[int]:
    """The nodes, with the value of its only assignment in the place of a name: what is wrong is mended there."""
    found: dict[int, None] = {}
    for number in numbers:
        node = editor.nodes[number]
        values = _values_of(editor, node) if isinstance(node, ast.Name) else []
        found[editor.number[id(values[0])] if len(values) == 1 else number] = None
    yield from found


def _values_of(editor: Editor, name: ast.Name) -> list[ast.expr]:
    """What is assigned to this name in its function; empty where it is an argument, or more than a plain assignment."""
    function = editor.function_of(name)
    statements = [s for s in editor.nodes if isinstance(s, ast.stmt) and editor.function_of(s) is function]
    changed = [s for s in statements if any(isinstance(t, ast.Name) and t.id == name.id for t in targets(s))]
    plain = [s.value for s in changed if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Name)]
    return plain if len(plain) == len(changed) else []


def _places(editor: Editor, numbers: list[int]) -> Iterator[int]:
    """Where a statement may be missing: a `pass`, or behind the statements that the nodes are in, or before."""
    passes = [number for number, node in enumerate(editor.nodes) if isinstance(node, ast.Pass)]
    statements = dict.fromkeys(filter(None, (editor.statement_of(editor.nodes[n]) for n in numbers)))
    before = []
    for statement in statements:
        parent, field = editor.parent.get(id(statement), (None, ""))
        body = getattr(parent, field, None)
        if isinstance(body, list) and body.index(statement):
            before.append(body[body.index(statement) - 1])
    yield from dict.fromkeys([*passes, *(editor.number[id(s)] for s in (*statements, *before))])


def repair_of(source: str, edit: Edit) -> Repair:
    edit = with_few_brackets(source, edit)
    before, after = source.split("\n"), edited(source, edit.parts).split("\n")
    first = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), edit.line - 1)
    last = 0
    while last < min(len(before), len(after)) - first and before[-1 - last] == after[-1 - last]:
        last += 1
    first -= first == len(before) - last  # nothing is replaced: it stands behind the line before
    old, new = ("\n".join(lines[first : len(lines) - last]) for lines in (before, after))
    return Repair(edit, first + 1, Mend(_plain(old), _plain(new), edit.kind))


def _plain(text: str) -> str:
    lines = text.split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines).rstrip()


def with_few_brackets(source: str, edit: Edit) -> Edit:
    """The same edit without the brackets around what it puts in, where they make no difference."""
    try:
        wanted = ast.dump(ast.parse(edited(source, edit.parts)))
    except SyntaxError:
        return edit
    parts = tuple((a, b, t[1:-1] if t.startswith("(") and t.endswith(")") else t) for a, b, t in edit.parts)
    try:
        same = ast.dump(ast.parse(edited(source, parts))) == wanted
    except SyntaxError:
        return edit
    return replace(edit, parts=parts) if same else edit
