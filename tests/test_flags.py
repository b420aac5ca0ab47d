"""The library does not speak in flags: what an option is called is the command line's business."""

import ast
import re
from pathlib import Path

import handmade

ROOT = Path(handmade.__file__).parent
FLAG = re.compile(r"(?<![-\w])--[a-z][a-z-]+(?!-*>)")
COMMAND = re.compile(r"(handmade|pip) [^.;:`]*$")


def flags(text: str) -> list[str]:
    """The flags in a text that do not stand in a whole command, as `handmade review --numbers` is one."""
    return [found[0] for found in FLAG.finditer(text) if not COMMAND.search(text[: found.start()])]


def texts(tree: ast.AST) -> list[str]:
    """The texts of a file that may reach a reader: no docstrings, and no arguments of other programs."""
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (statements | parts):
            found.append(node.value)
    return [text for text in found if not re.fullmatch(r"--[a-z-]+", text)]


def test_no_text_of_the_library_names_a_flag():
    files = [path for path in ROOT.rglob("*.py") if "cli" not in path.relative_to(ROOT).parts]
    assert len(files) > 200
    sources = {path.name: path.read_text() for path in files}
    suspects = {name: source for name, source in sources.items() if FLAG.search(source)}  # parsing all takes long
    assert "wording.py" in suspects
    named = {name: [flags(text) for text in texts(ast.parse(source))] for name, source in suspects.items()}
    assert {name: found for name, found in named.items() if any(found)} == {}


def test_a_flag_is_found_and_a_whole_command_is_not_one():
    tree = ast.parse("raise InputError(f'{name}: give --layer, or see `handmade models --json`')")
    assert [flags(text) for text in texts(tree)] == [["--layer"]]
