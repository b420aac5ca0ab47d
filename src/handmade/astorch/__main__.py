"""python -m handmade.astorch SCRIPT ARGS...: run a script that was written for PyTorch, unchanged."""

import runpy
import sys
from pathlib import Path

import numpy as np

from handmade.astorch.missing import tell
from handmade.astorch.rooms import install


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return
    script = Path(sys.argv[1])
    if not script.is_file():
        raise SystemExit(f"handmade.astorch: there is no script {str(script)!r}")
    sys.argv = sys.argv[1:]
    sys.path[0] = str(script.resolve().parent)
    install()
    np.seterr(all="ignore")  # log 0 is -inf and 0 / 0 NaN, without a warning, as in PyTorch
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        tell()


if __name__ == "__main__":
    main()
