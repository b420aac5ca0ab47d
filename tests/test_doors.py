"""The packages' `__init__` files: each public name stands there once, as `from x import A as A`."""

import ast
from pathlib import Path

import pytest

import handmade

ROOT = Path(handmade.__file__).parent
DOORS = sorted(ROOT.rglob("__init__.py"))


@pytest.mark.parametrize("path", DOORS, ids=lambda path: path.parent.relative_to(ROOT.parent).as_posix())
def test_each_name_is_listed_once(path):
    names = []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            names += [alias.asname or alias.name for alias in node.names]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [target.id for target in targets if isinstance(target, ast.Name)]
    assert "__all__" not in names, "a list of names repeats the imports: write `from x import A as A`"
    assert len(set(names)) == len(names)
