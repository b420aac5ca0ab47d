"""Every exercise of a workspace judged, two at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from handmade.errors import JudgeError
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.judging.judge import Judge
from handmade.workshop.judging.verdict import Verdict
from handmade.workshop.workspace import Workspace


def judge_workspace(judge: Judge, workspace: Workspace, seed: int | None = None) -> Iterator[Verdict | JudgeError]:
    """The verdicts on a workspace's files in the order of study, as they come; `workspace.record` remembers them.

    Where the judge itself fails on a file, the error stands in place of its verdict. seed: of the second sets of cases.
    """
    with Judge(judge.limits) as second, ThreadPoolExecutor(2) as pool:
        idle = [judge, second]

        def verdict_on(name: str) -> Verdict | JudgeError:
            mine = idle.pop()
            try:
                return mine.check(workspace.file(name), exercise_named(name), seed)
            except JudgeError as error:
                return error
            finally:
                idle.append(mine)

        yield from pool.map(verdict_on, [name for name in NAMES if workspace.file(name).exists()])
