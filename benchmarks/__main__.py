"""All benchmarks are one program.

python -m benchmarks                  # what there is
python -m benchmarks speed lenet5     # training steps beside PyTorch, each side in a process of its own
python -m benchmarks cnn_step --help  # every other one by its file's name, with options of its own
"""

import ast
import runpy
import sys
from pathlib import Path

PARTS = {"__init__", "__main__", "gpt_net", "timed", "workloads"}


def names() -> dict[str, str]:
    """Every benchmark, and the first line of what it says about itself."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return {
        file.stem: (ast.get_docstring(ast.parse(file.read_text())) or "").partition("\n")[0]
        for file in files
        if file.stem not in PARTS
    }


def main() -> None:
    known = names()
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        for name, what in known.items():
            print(f"  {name:18} {what}")
        return
    name = sys.argv[1]
    if name not in known:
        raise SystemExit(f"benchmarks: {name!r} is not one of {', '.join(known)}")
    sys.argv = [f"benchmarks {name}", *sys.argv[2:]]
    runpy.run_module(f"benchmarks.{name}", run_name="__main__", alter_sys=False)


if __name__ == "__main__":
    main()
