"""A small sweep, which trains in a blink."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from handmade.recipes import recipe_of
from handmade.sweep import Sweep, read_axes, sweep_in, trials_of

SIZES = {"n_embd": 8, "n_head": 2, "n_layer": 1, "sequence_length": 8, "batch_size": 4, "epochs": 4, "epoch_steps": 2}
"""Of a GPT of which four epochs of two steps take a moment."""


@pytest.fixture
def text(tmp_path) -> str:
    """A data set of a few lines."""
    path = tmp_path / "text.txt"
    path.write_text("the cat sat on the mat and looked at the rat\n" * 20)
    return f"text:{path}"


@pytest.fixture
def made(tmp_path) -> Callable[..., Sweep]:
    """Makes, or resumes, a sweep of lenet5: made("learning_rate=1,2")."""

    def make(*over: str, folder: Path = tmp_path / "sweep", **settings: object) -> Sweep:
        recipe = replace(recipe_of("lenet5"), **settings)
        return sweep_in(folder, recipe, trials_of(read_axes(recipe, over), None, 0))

    return make
