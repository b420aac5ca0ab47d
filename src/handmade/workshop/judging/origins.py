"""Files from notebooks and other editors: what in them is not Python, in words."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from handmade.workshop.judging.verdict import Finding

if TYPE_CHECKING:
    from handmade.workshop.judging.reading import Names

_MAGIC = re.compile(r"\s*(%%?\w|!\s*\w|\?\w|\w[\w.]*\?{1,2}\s*$)")
"""The beginning of a line that only a notebook understands: %matplotlib inline, !pip install, np.mean?"""


def whole_notebook(source: str) -> Finding | None:
    """The finding on a notebook's own file, which is JSON."""
    if not (source.lstrip().startswith("{") and '"cells"' in source and '"nbformat"' in source):
        return None
    return Finding(
        "a notebook",
        "This is a notebook (.ipynb), not a file of Python. Save its cell as a .py file, or check the cell where it "
        "is: `%load_ext handmade`, then `%%check EXERCISE` above it.",
    )


def notebook_lines(names: "Names") -> Iterator[Finding]:
    """The finding on calls that an export of a notebook leaves behind: get_ipython().run_line_magic(...)."""
    lines = sorted(set(names.notebook_calls))
    if lines:
        where = f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines[:10]))}"
        message = f"get_ipython() exists in notebooks only. Remove {where}: what is left is Python."
        yield Finding("from a notebook", message, f"{where}: get_ipython()")


def unparsable(error: SyntaxError, source: str, shown: str) -> Finding:
    """The finding on a file that is not Python; `shown` is the place, as it is shown."""
    lines = source.split("\n")
    magic = [number for number, line in enumerate(lines, 1) if _MAGIC.match(line)]
    if error.lineno in magic:
        many = f" (so are the lines {', '.join(map(str, magic[:10]))})" if len(magic) > 1 else ""
        text = lines[error.lineno - 1].strip()
        return Finding("from a notebook", f"`{text}` is for notebooks only{many}: remove it.", shown)
    if isinstance(error, TabError):
        return Finding("tabs and spaces", _tabs_and_spaces(lines, error.lineno or 1), shown)
    if isinstance(error, IndentationError):
        message = f"The file is not valid Python: {error.msg}. Lines of one block begin at the same column."
        return Finding("syntax error", message, shown)
    return Finding("syntax error", f"The file is not valid Python: {error.msg}.", shown)


def _tabs_and_spaces(lines: list[str], number: int) -> str:
    indented = [n for n, line in enumerate(lines[: number - 1], 1) if line[:1].isspace() and line.strip()]
    here = "a tab" if lines[number - 1].startswith("\t") else "spaces"
    before = f", line {indented[-1]} with {'a tab' if lines[indented[-1] - 1][0] == chr(9) else 'spaces'}"
    return (
        f"Line {number} is indented with {here}{before if indented else ''}: within a block, Python wants one of them. "
        "Have your editor convert tabs to spaces."
    )
