"""A solution's file, loaded as the module `solution`."""

import linecache
import sys
from types import CodeType, ModuleType
from typing import Any

from handmade.workshop.cell.job import Job


def load(job: Job, *codes: CodeType, **more: Any) -> dict[str, Any]:
    """The solution's functions and classes by name. Raises what the file raises; NameError where one is missing.

    codes: another version of the file, compiled, in one piece or several. more: further names that it finds.
    """
    linecache.cache[job.path] = (len(job.source), None, job.source.splitlines(keepends=True), job.path)
    module = ModuleType("solution")
    module.__file__ = job.path
    vars(module).update(more)
    sys.modules["solution"] = module
    for code in codes or (compile(job.source, job.path, "exec"),):
        exec(code, vars(module))
    for name in job.functions:
        if not callable(vars(module).get(name)):
            raise NameError(f"after the file has run, there is no function or class {name!r} in it")
    return {name: vars(module)[name] for name in job.functions}
