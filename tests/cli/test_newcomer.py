"""The first hours of a newcomer, in a narrow terminal: never a traceback, a broken line or a dead end."""

import re

import pytest

from tests.support.terminal import in_a_terminal

COLUMNS = 60

WRONG_AND_RIGHT = {
    "softmax": (
        "def softmax(x, axis=-1):\n    return np.exp(x) / np.exp(x).sum()\n",
        "def softmax(x, axis=-1):\n"
        "    e = np.exp(x - x.max(axis, keepdims=True))\n"
        "    return e / e.sum(axis, keepdims=True)\n",
    ),
    "global_avg_pool": (
        "def global_avg_pool(x):\n    return x.mean()\n",
        "def global_avg_pool(x):\n    return x.mean(axis=(2, 3))\n",
    ),
    "self_attention": (
        "def self_attention(Q, K, V):\n    return Q @ K.T @ V\n",
        "def self_attention(Q, K, V):\n"
        "    s = Q @ np.swapaxes(K, -1, -2) / np.sqrt(K.shape[-1])\n"
        "    w = np.exp(s - s.max(-1, keepdims=True))\n"
        "    w = w / w.sum(-1, keepdims=True)\n"
        "    return w @ V, w\n",
    ),
}


def plain(screen: str) -> str:
    """What is on the screen, without colours; of a line that was written over, the last."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen).replace("\r\n", "\n")
    return "\n".join(line.split("\r")[-1].rstrip() for line in text.split("\n"))


@pytest.fixture
def typed(tmp_path):
    """Types a command with its keys, and looks at what the screen shows."""

    def types(*command: str, keys=(), here=tmp_path / "handmade-workshop", code=0) -> str:
        settings = {"PAGER": "cat", "HANDMADE_KERNELS": "numpy"}  # nothing to compile
        screen = plain(in_a_terminal(list(command), here, list(keys), COLUMNS, (code,), 120, **settings))
        assert "Traceback" not in screen, screen
        assert "Warning" not in screen, screen
        broken = [line for line in screen.split("\n") if len(line) > COLUMNS and " " in line.strip()]
        assert not broken, "\n".join(broken)
        assert "handmade " in screen or "png" in screen, f"a dead end:\n{screen}"
        return screen

    return types


@pytest.mark.slow
def test_the_first_hours(tmp_path, typed, picture_folder):
    folder = tmp_path / "handmade-workshop"
    assert "handmade start" in typed(here=tmp_path)
    assert "handmade check softmax" in typed("start", keys=["\n"], here=tmp_path)
    for name, topic in (("softmax", "basics"), ("global_avg_pool", "convolution"), ("self_attention", "attention")):
        file = folder / topic / f"{name}.py"
        wrong, right = WRONG_AND_RIGHT[name]
        file.write_text(f"import numpy as np\n\n\n{wrong}")
        assert "not yet" in typed("check", name, code=1)
        file.write_text(f"import numpy as np\n\n\n{right}")
        assert "passed" in typed("check", str(file.relative_to(folder)))
    assert "hint 1 of 3" in typed("hint")
    assert "3 of 53 passed." in typed("progress")

    screen = typed("drill")
    drill = re.search(r"handmade check (\w+)\s+--file\s+(\S+)", screen)
    assert drill, screen
    assert "The mistake is still in it." in typed("check", drill[2], code=1)

    screen = typed("interview", "--topic", "basics", "--seed", "1", keys=["\n", "t\n", "\n", "y\n", "s\n"], code=1)
    assert "Nothing is written yet. Hand it in?" in " ".join(screen.split())
    assert "post-mortem" in screen

    (folder / "photos").symlink_to(picture_folder)
    trained = typed("train", "lenet5", "--data", "folder:photos", "--steps", "3", "--set", "batch_size=8")
    assert "handmade predict runs/lenet5-1 IMAGE" in trained
    image = "photos/test/dark/0.png"
    assert "grad-cam.png" in typed("picture", "runs/lenet5-1", "--image", image, "--what", "grad-cam")
