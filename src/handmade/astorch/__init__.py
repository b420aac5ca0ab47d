"""Scripts written for PyTorch, run by handmade: `import handmade.astorch`, and `import torch` means handmade.

In a notebook it is imported before the first `import torch`; `python -m handmade.astorch SCRIPT ARGS...` runs a script
unchanged. Everything is computed on the CPU. Names that are missing are told at the end, with what is nearest.
"""

from handmade.astorch.missing import report as report
from handmade.astorch.rooms import install as install

install()
