"""Which of the names of PyTorch that programs use are here: counted in Python files that import torch.

python -m benchmarks torch_names FOLDER...    # the share that is present, and the names that are most often missing

A name counts once for each file that uses it. Names are `torch.X`, `nn.X`, `F.X` ... under whatever alias, and methods
of tensors: attributes that are called, that torch.Tensor has, and that neither modules nor Python's, NumPy's and other
libraries' common objects have.
"""

import argparse
import ast
import importlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

OUTSIDE = ("torch.cuda", "torch.distributed", "torch.jit", "torch.fx", "torch.onnx", "torch.export", "torch.library",
           "torch.ops", "torch.profiler", "torch.compiler", "torch.mps", "torch.xpu", "torch.npu", "torch.backends",
           "torch.ao", "torch.quantization", "torch.utils.cpp_extension", "torch.multiprocessing", "torch.hub",
           "torch.version", "torch.classes", "torch.testing", "torch.accelerator")  # fmt: skip
"""Rooms of other devices, several machines and compilers, which are no part of this library."""

AMBIGUOUS = {"add", "get", "items", "keys", "values", "update", "copy", "pop", "split", "index", "count", "format",
             "append", "extend", "insert", "remove", "sort", "is_set", "close", "replace", "fill", "apply_", "resize",
             "register_hook", "size", "names", "rename", "map_", "storage", "put"}  # fmt: skip
"""Methods of tensors whose names are those of other libraries' objects as well: of images, files, lists, queues."""


def programs(folders: list[Path]) -> Iterator[ast.Module]:
    """The Python files that import torch."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            text = path.read_text(errors="replace")
            if "torch" in text:
                try:
                    tree = ast.parse(text)
                except (SyntaxError, ValueError):
                    continue
                if any(name.partition(".")[0] == "torch" for name in aliases(tree).values()):
                    yield tree


def aliases(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for, dotted."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                found[name.asname or name.name.partition(".")[0]] = (
                    name.name if name.asname else name.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for name in node.names:
                found[name.asname or name.name] = f"{node.module}.{name.name}"
    return found


def names(tree: ast.Module, methods: set[str]) -> set[str]:
    """The names of PyTorch that one file uses."""
    known, found = aliases(tree), set()
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner:
            dotted = chain(node)
            root, _, rest = dotted.partition(".")
            if known.get(root, "").partition(".")[0] == "torch" and root:
                found.add(".".join(filter(None, (known[root], rest))))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods:
            root = chain(node.func).partition(".")[0]
            if root not in known:  # not np.where, or torch.where
                found.add(f"torch.Tensor.{node.func.attr}")
    return found


def chain(node: ast.AST) -> str:
    """a.b.c as "a.b.c", and "" for what is no chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        root = chain(node.value)
        return root and f"{root}.{node.attr}"
    return ""


def shortened(name: str, torch: object) -> str | None:
    """The part of a dotted name that is PyTorch's own: torch.float32 of torch.float32.itemsize; None for a room."""
    parts, found = name.split("."), torch
    for i, part in enumerate(parts[1:], 1):
        if not isinstance(found, type(sys)) and not (isinstance(found, type) and issubclass(found, torch.Tensor)):  # type: ignore[attr-defined]
            return ".".join(parts[:i])
        if not hasattr(found, part):
            return None  # of another version of PyTorch
        found = getattr(found, part)
    return None if isinstance(found, type(sys)) else name


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks torch_names", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--most", type=int, default=60, help="how many of the missing names to print")
    args = parser.parse_args()
    import torch

    common = {name for kind in (dict, list, str, set, bytes, Path, torch.nn.Module) for name in dir(kind)}
    methods = {name for name in dir(torch.Tensor) if not name.startswith("_")} - common - AMBIGUOUS
    used: Counter[str] = Counter()
    number = 0
    for tree in programs(args.folders):
        number += 1
        used.update({short for name in names(tree, methods) if (short := shortened(name, torch))})
    here = present(used)
    inside = {name: count for name, count in used.items() if not name.startswith(OUTSIDE)}
    for title, chosen in (("all names", used), ("without other devices, machines and compilers", inside)):
        total, found = sum(chosen.values()), sum(count for name, count in chosen.items() if name in here)
        share = f"{found:,} of {total:,} uses of {len(chosen):,} names are here, {found / total:.1%}"
        print(f"{number:,} files, {title}: {share}")
    print("most often missing:")
    for name, count in Counter({name: inside[name] for name in inside if name not in here}).most_common(args.most):
        print(f"  {count:5} {name}")


def present(wanted: Iterable[str]) -> set[str]:
    """Those of the names that `import torch` finds where it means handmade: asked in a process of its own."""
    run = [sys.executable, "-c", "from benchmarks.torch_names import answer; answer()"]
    asked = json.dumps(sorted(wanted))
    return set(json.loads(subprocess.run(run, input=asked, capture_output=True, text=True, check=True).stdout))


def answer() -> None:
    """In that process: read names, write those that are here."""
    import handmade.astorch
    from handmade.astorch.missing import Missing

    handmade.astorch.install()
    found = []
    for name in json.load(sys.stdin):
        value = importlib.import_module("torch")
        try:
            for part in name.split(".")[1:]:
                value = getattr(value, part)
        except (AttributeError, ImportError):
            continue
        if not isinstance(value, Missing | str):  # a string names a dtype that is refused
            found.append(name)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
