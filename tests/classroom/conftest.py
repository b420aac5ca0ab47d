"""A small class, whose files are right, wrong and worse."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

RIGHT = """import numpy as np


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)
"""
WRONG = RIGHT.replace("e.sum(axis, keepdims=True)", "e.sum()")


@pytest.fixture
def handed(tmp_path) -> Callable[..., Path]:
    """Writes files below a folder of submissions: {"ada/softmax.py": text}, {"bob.zip": {member: text}}."""

    def write(files: dict[str, object]) -> Path:
        folder = tmp_path / "class"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, dict):
                with zipfile.ZipFile(path, "w") as archive:
                    for member, text in content.items():
                        archive.writestr(member, text)
            else:
                path.write_bytes(content if isinstance(content, bytes) else str(content).encode())
        return folder

    return write
