"""A picture's file and caption; matplotlib is loaded late, quietly, and by draw alone."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import handmade
from handmade import draw
from handmade.draw.style import FONTS, MONO, SANS, TITLES, bar, new_figure, styled, wrapped
from handmade.errors import InputError

ROOT = Path(handmade.__file__).parent


def picture():
    return draw.exact_by_length({"one": (np.array([3, 9]), np.array([True, False]))}, "How length tells")


def imports_matplotlib(path: Path) -> bool:
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)) if "matplotlib" in source else ():
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(name.split(".")[0] == "matplotlib" for name in names):
            return True
    return False


@pytest.mark.slow
def test_only_draw_imports_matplotlib():
    importing = {path.relative_to(ROOT).parts[0] for path in ROOT.rglob("*.py") if imports_matplotlib(path)}
    assert importing == {"draw"}


def run(code: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | environment, check=True
    )


@pytest.mark.slow
def test_matplotlib_is_loaded_when_something_is_drawn():
    code = """
import sys
from pathlib import Path
import handmade.draw, handmade.lens
assert "matplotlib" not in sys.modules
import numpy as np
handmade.draw.exact_by_length({"one": (np.array([3]), np.array([True]))}, "title").png()
assert "matplotlib" in sys.modules
assert "matplotlib.pyplot" not in sys.modules, "drawing opens no window"
"""
    assert run(code).stderr == ""


@pytest.mark.slow
def test_no_word_of_matplotlibs_cache_for_a_user_without_a_home_folder(tmp_path):
    """Where its cache cannot be written, matplotlib says so at every start."""
    (tmp_path / "file").touch()
    nowhere = {name: str(tmp_path / "file" / "none") for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    nowhere["MPLCONFIGDIR"] = nowhere["HOME"]
    told = run("import matplotlib", **nowhere).stderr
    assert "temporary cache directory" in told or "MPLCONFIGDIR" in told, "or this test shows nothing"
    code = """
import numpy as np
from handmade import draw
draw.exact_by_length({"one": (np.array([3]), np.array([True]))}, "title").png()
"""
    assert run(code, **nowhere).stderr == ""


@pytest.mark.slow
def test_a_picture_is_saved_with_its_caption(tmp_path):
    path = tmp_path / "lengths.png"
    picture().save(path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["lengths.png", "lengths.txt"]
    caption = "one: 1 of 2 right (50.0 %)."
    assert (tmp_path / "lengths.txt").read_text(encoding="utf-8") == f"How length tells\n\n{caption}\n"
    with Image.open(path) as image:
        assert image.text["Title"] == "How length tells"
        assert image.text["Description"] == caption
    assert picture()._repr_png_().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_picture_is_the_same_each_time_it_is_saved():
    drawn = picture()
    assert drawn.png() == drawn.png() == picture().png()


def test_nothing_is_half_written(tmp_path):
    with pytest.raises(InputError, match="cannot write"):
        picture().save(tmp_path / "no folder" / "lengths.png")
    assert not list(tmp_path.iterdir())


def test_the_users_own_settings_neither_change_nor_count():
    with styled():
        import matplotlib
    own = {"lines.linewidth": 9.0, "figure.facecolor": "black", "font.size": 30.0}
    with matplotlib.rc_context(own):
        drawn = picture()
        assert {name: matplotlib.rcParams[name] for name in own} == own
    assert drawn.figure.axes[0].lines[0].get_linewidth() == 1.8
    assert drawn.figure.get_facecolor()[:3] == pytest.approx((0xFB / 255, 0xFA / 255, 0xF7 / 255))


def test_the_fonts_are_ours():
    with styled():
        from matplotlib.font_manager import findfont

        for family in (SANS[0], TITLES[0], MONO[0]):
            assert Path(findfont(family)).parent == FONTS
    assert len(list(FONTS.glob("*.LICENSE"))) == 2


def test_titles_fit():
    text = "A title that is much longer than its picture is wide, as those of runs with long names may be"
    assert all(len(line) < 45 for line in wrapped(text, 4.0, 12).splitlines())
    with styled():
        figure = new_figure(4.0, 2.0, text, "and below it what there is to be said about how it is read")
        drawn = figure.subplots().imshow([[0.0, 1.0]])
        bar(figure, drawn, figure.axes, "from -1", (-1, 0, 0.5))
        figure.draw_without_rendering()
        for words in (figure._suptitle, figure._supxlabel):
            box = words.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= figure.bbox.width
        assert [label.get_text() for label in figure.axes[1].get_yticklabels()] == ["−1", "0", "0.5"]  # noqa: RUF001
