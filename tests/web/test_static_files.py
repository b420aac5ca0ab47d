"""What is sent before anything that answers is loaded: the pages and their files."""

import re
import subprocess
import sys
from concurrent.futures import Future

import pytest

from handmade.web import linking
from handmade.web.linking import STATIC
from handmade.web.pages import EXPLORERS, LIST, STUDY
from handmade.web.static_files import StaticFiles
from tests.web.conftest import running


def test_neither_models_nor_exercises_are_loaded_for_the_server():
    code = "import sys, handmade.web.server; print({'handmade.models', 'handmade.workshop'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


@pytest.mark.parametrize("name", ["", *EXPLORERS, *STUDY])
def test_a_page_says_what_it_asks_and_names_all_its_modules(name):
    text = StaticFiles().page(name)
    page = {"": LIST, **EXPLORERS, **STUDY}[name]
    assert f"<h1>{page.asks}</h1>".replace("'", "&#x27;") in text
    named = re.findall(r'rel="modulepreload" href="([^"]+)"', text)
    assert named == list(linking.linked("/static/page.js", f"/static/explorers/{name or 'list'}.js"))
    assert len(named) <= 8


def test_a_file_that_changes_is_read_again(tmp_path, monkeypatch):
    (tmp_path / "a.js").write_text("1;")
    monkeypatch.setattr("handmade.web.static_files.STATIC", tmp_path)
    files = StaticFiles()
    before = files.file("a.js")
    assert before is files.file("a.js")  # what is compressed once is kept
    (tmp_path / "a.js").write_text("2;" * 9)
    after = files.file("a.js")
    assert before is not None
    assert after is not None
    assert (after.content, after.tag != before.tag) == (b"2;" * 9, True)
    assert files.file("../a.js") is files.file("b.js") is None


def test_a_page_does_not_wait_for_what_answers(observatory):
    later: Future = Future()
    with running(later) as server:
        assert server.request("/hand", method="GET")[0] == 200
        assert server.request("/static/page.js", method="GET")[0] == 200
        later.set_result(observatory)
        assert server.request("/api/hand", {})[0] == 200
    broken: Future = Future()
    broken.set_exception(OSError("no room"))
    with running(broken) as server:
        status, _, body = server.request("/api/hand", {})
        assert (status, b"no room" in body) == (500, True)


def test_a_module_that_a_page_loads_later_is_loaded_with_the_others_where_there_is_no_server():
    assert "/static/lib/chart.js" not in linking.linked("/static/explorers/train.js")
    text = linking.module("/static/explorers/train.js", then="")
    assert '["/static/lib/chart.js", "/static/explorers/train.js"]' in text
    assert all(f'"/static/{name}"' in text for name in ("lib/chart.js", "vendor/uplot.js"))
    assert (STATIC / "lib" / "chart.js").exists()
