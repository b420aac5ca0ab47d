"""Docstrings as Markdown. They are plain text: what looks like markup in an equation is none."""

import inspect
import re
from collections.abc import Collection

SECTIONS = ("Args:", "Attributes:", "Returns:", "Raises:")
_YEAR = re.compile(r"\b(1[89]|20)\d\d\b")
_FIELD = re.compile(r"^([a-zA-Z_]\w*(?:(?:, | and |, and )[a-zA-Z_]\w*)*): (.*)")


def markdown(docstring: str | list[list[str]] | None, names: Collection[str] = ()) -> str:
    """The docstring, or some blocks of one, as Markdown.

    names: the arguments or attributes; a line that begins with some of them and a colon becomes an entry of a list.
    """
    found = docstring if isinstance(docstring, list) else blocks(docstring)
    return "\n\n".join(_block(block, names) for block in found) + "\n"


def blocks(docstring: str | None) -> list[list[str]]:
    """Paragraphs, lists and indented blocks, each as its lines; an indented block keeps its empty lines."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    found: list[list[str]] = []
    before = ""
    for i, line in enumerate(lines):
        if not line.strip():
            if found and _indented(found[-1][0]) and _indented(next((x for x in lines[i:] if x.strip()), "")):
                found[-1].append("")
        elif line in SECTIONS or (not before.strip() and not (found and _indented(found[-1][0]) and _indented(line))):
            found.append([line])
        else:
            found[-1].append(line)
        before = line
    return found


def title(docstring: str | None) -> tuple[str, str]:
    """The first paragraph as a title, up to its first pause, and as the sentence that it is."""
    sentence = " ".join(next(iter(blocks(docstring)), [""]))
    name = re.split(r",(?= [a-z])|[:;]|\.(?=\s|$)", sentence, maxsplit=1)[0].strip()
    bare = name.removeprefix("The ")
    return (name if bare == name else bare[:1].upper() + bare[1:]), sentence


def escaped(text: str) -> str:
    """Plain text with all that Markdown would take for markup escaped, but not within backquotes."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_<\[\]$|~])", r"\\\1", part) for part in parts)


def fenced(code: str, language: str = "python") -> str:
    """Code in a fence that nothing in it can close."""
    return f"````{language}\n{code.rstrip()}\n````"


def folded(summary: str, content: str) -> str:
    """Markdown that is shown when the reader opens it."""
    opening, end = f"<details><summary>{summary}</summary>", "</details>"
    return f"```{{raw}} html\n{opening}\n```\n\n{content}\n\n```{{raw}} html\n{end}\n```"


def toctree(entries: list[str], hidden: bool = True) -> str:
    """Sphinx's list of the pages below this one, in the order of reading."""
    options = ":hidden:" if hidden else ":maxdepth: 1"
    return f"````{{toctree}}\n{options}\n\n{chr(10).join(entries)}\n````"


def _indented(line: str) -> bool:
    return line.startswith("    ")


def _block(lines: list[str], names: Collection[str]) -> str:
    if lines[0].startswith(">>>"):
        return fenced("\n".join(lines), "pycon")
    if lines[0] in SECTIONS:
        return _entries(inspect.cleandoc("\n".join(["", *lines[1:]])).splitlines(), None, lines[0])
    if _indented(lines[0]):
        end = lines.index("") if "" in lines else len(lines)
        first = [line.strip() for line in lines[:end]]
        if any(_YEAR.search(line) for line in first) and not any("  " in line or "-->" in line for line in first):
            return "\n\n".join([_papers(first), *([_block(lines[end + 1 :], names)] if end < len(lines) else [])])
        return fenced(inspect.cleandoc("\n".join(["", *lines])), "text")
    if lines[0].startswith("- "):
        return "\n".join(escaped(line) for line in lines)
    split = next((i for i, line in enumerate(lines) if line.startswith("- ")), None)
    if split:
        return _block(lines[:split], names) + "\n\n" + _block(lines[split:], names)
    first = next((i for i, line in enumerate(lines) if _begins_with(line, names)), len(lines))
    head = escaped(" ".join(lines[:first]))
    return "\n\n".join(filter(None, [head, _entries(lines[first:], names)]))


def _begins_with(line: str, names: Collection[str]) -> bool:
    found = _FIELD.match(line)
    return bool(found) and bool(set(re.split(r", and | and |, ", found[1])) & set(names))


def _entries(lines: list[str], names: Collection[str] | None, head: str = "") -> str:
    """Lines `name: text` as a list. names: which begin an entry; None for all that can."""
    entries: list[str] = []
    for line in lines:
        found = _FIELD.match(line) if names is None or _begins_with(line, names) else None
        if found:
            entries.append(f"- {', '.join(f'**{name}**' for name in found[1].split(', '))}: {escaped(found[2])}")
        elif entries:
            entries[-1] += " " + escaped(line.strip())
        elif line.strip():
            entries.append(escaped(line))
    return "\n".join([*([f"*{head.removesuffix(':')}*\n"] if head and entries else []), *entries])


def _papers(lines: list[str]) -> str:
    """What the file is after, a paper a line."""
    papers = [""]
    for line in lines:
        papers[-1] = f"{papers[-1]} {line}".strip()
        if line.endswith((".", ":", "`")):
            papers.append("")
    return ":::{container} papers\n" + "\n\n".join(escaped(paper) for paper in papers if paper) + "\n:::"
