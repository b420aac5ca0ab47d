"""Explorers in notebooks: the linked modules in Chromium, in a notebook that only carries messages to Python."""

import base64
import json
import subprocess
import sys

import pytest

import handmade
from handmade.errors import InputError
from handmade.web import linking
from handmade.web.explorers import NAMES

from .conftest import RUNS

pytest.importorskip("anywidget")

NOTEBOOK = """async ({ esm, css, address, dark }) => {
  document.body.style.background = dark ? "#111" : "#fff";
  const style = document.createElement("style");
  style.textContent = css;
  const cell = document.createElement("div"), outside = document.createElement("p");
  cell.id = "cell";
  outside.id = "outside";
  outside.textContent = "of the notebook";
  document.head.append(style);
  document.body.append(outside, cell);
  const told = new Map(), state = { address };
  const on = (type, tell) => told.set(type, [...(told.get(type) ?? []), tell]);
  const off = (type, tell) => told.set(type, (told.get(type) ?? []).filter((one) => one !== tell));
  const say = (type, ...given) => { for (const tell of told.get(type) ?? []) tell(...given); };
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const model = {
    on, off,
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; },
    save_changes: () => { window.address = state.address; },
    send: async (message) => {
      for (const [reply, frames] of await window.received(message)) say("msg:custom", reply, frames.map(bytes));
    },
  };
  window.setAddress = (value) => { state.address = value; say("change:address"); };
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const widget = (await import(url)).default;
  window.end = await widget.render({ model, el: cell });
  window.again = async () => { // another view of it
    const second = document.createElement("div");
    document.body.append(second);
    window.endAgain = await widget.render({ model, el: second });
  };
  window.listeners = () => [...told.values()].flat().length;
}"""


@pytest.fixture
def notebook(browser):
    """A function that shows a widget in a page which is none of ours; what it asks elsewhere fails the test."""
    problems, opened = [], []

    def show(widget, dark=False, **options):
        context = browser.new_context(**options)
        opened.append(context)
        context.set_default_timeout(45_000)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("blob:", "data:")) or problems.append(request.url))
        sent = []
        widget.send = lambda reply, buffers=(): sent.append(
            [reply, [base64.b64encode(one).decode() for one in buffers]]
        )

        def received(message):
            sent.clear()
            widget._received(widget, message, [])
            return sent

        page.expose_function("received", received)
        page.evaluate(NOTEBOOK, {"esm": widget._esm, "css": widget._css, "address": widget.address, "dark": dark})
        page.locator("#cell main :is(.predict, .failed)").first.wait_for()
        return page

    yield show
    for context in opened:
        context.close()
    assert not problems, problems


@pytest.fixture(scope="module")
def gpt():
    return handmade.open(RUNS / "gpt")


@pytest.mark.slow
def test_heads_of_a_model_in_a_notebook(notebook, gpt):
    widget = handmade.explore("heads", gpt, text="to be or not", layer=1, seen=[[1, 0]])
    page = notebook(widget, dark=True)
    cell = page.locator("#cell")
    assert cell.get_attribute("data-theme") == "dark"
    assert cell.locator(".letters button").all_inner_texts()[:2] == ["t", "o"]
    assert cell.locator("a[href]").count() == 0  # there is no list of explorers here
    cell.get_by_role("button", name="layer 1, head 1").click()
    page.wait_for_function("() => window.address?.includes('head=1')")
    page.evaluate("() => window.setAddress('text=or&layer=0')")
    page.wait_for_function("() => document.querySelectorAll('#cell .letters button').length === 2")
    page.evaluate("() => window.again()")
    page.locator(".handmade:not(#cell) [data-id=sharp]").wait_for()
    ids = page.evaluate("() => [...document.querySelectorAll('.handmade [id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids)) > 0  # or a label's slider would be that of the other view
    assert all(page.evaluate("() => [...document.querySelectorAll('label[for]')].map((one) => !!one.control)"))
    assert page.evaluate("() => { window.end(); window.endAgain(); return window.listeners(); }") == 0
    assert cell.inner_text() == ""


@pytest.mark.slow
def test_the_notebook_around_it_keeps_its_styles_and_keys(notebook):
    page = notebook(handmade.explore("hand", seen=1), viewport={"width": 1440, "height": 900})
    assert page.locator("#outside").evaluate("(p) => getComputedStyle(p).fontFamily") != page.locator(
        "#cell main h1"
    ).evaluate("(p) => getComputedStyle(p).fontFamily")
    page.keyboard.press("ArrowDown")  # of the notebook
    assert page.evaluate("() => window.address") in (None, "seen=1")
    page.locator("#cell h1").click()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => window.address?.includes('i=2')")
    page.locator("#cell").evaluate("(cell) => { cell.style.width = '420px'; }")  # a narrow cell of a wide window
    page.wait_for_function(
        "() => getComputedStyle(document.querySelector('#cell .grid3')).gridTemplateColumns.split(' ').length === 1"
    )


@pytest.mark.slow
def test_what_the_state_does_not_have_is_said(notebook):
    page = notebook(handmade.explore("hand", haeds=2))
    assert "There is no haeds here. explore() takes q, k, v, heads" in page.locator("p.failed").inner_text()


@pytest.mark.parametrize("name", NAMES)
def test_each_explorer_is_linked_without_the_server_and_without_looking_around(name):
    from handmade.web.widget import explorer_module

    text = explorer_module(name)
    files = json.loads(text[text.index("{") : text.index(";\nconst at")])
    assert "/static/page.js" not in files
    assert f"/static/explorers/{name}.js" in files
    for path, content in files.items():
        if "/vendor/" not in path:
            assert "document.querySelector" not in content, path
            assert "getElementById" not in content, path


def test_modules_that_import_each_other_are_refused(tmp_path):
    (tmp_path / "a.js").write_text('import { b } from "/static/b.js";\n')
    (tmp_path / "b.js").write_text('import { a } from "/static/a.js";\n')
    with pytest.raises(ValueError, match=r"/static/a\.js -> /static/b\.js -> /static/a\.js is a circle"):
        linking.module("/static/a.js", then="", root=tmp_path)
    (tmp_path / "c.js").write_text('import d from "./d.js";\n')
    with pytest.raises(ValueError, match=r"/static/c\.js imports in another form"):
        linking.module("/static/c.js", then="", root=tmp_path)


def test_a_question_that_does_not_fit_is_answered_with_words(gpt):
    widget = handmade.explore("heads", gpt)
    sent = []
    widget.send = lambda reply, buffers=(): sent.append(reply)
    for message in ({"question": '{"layer": 99}'}, {"question": "nonsense"}, {"to": "nobody", "question": "{}"}, {}):
        widget._received(widget, {"id": 1, "view": "v", **message}, [])
    assert ["no head 0 in layer 99" in sent[0]["error"], "not JSON" in sent[1]["error"]] == [True, True]
    assert "nobody answers for 'nobody'" in sent[2]["error"]
    assert len(sent) == 4
    widget._received(widget, {"id": 2, "view": "v", "to": "jobs", "question": "{}"}, [])
    assert "begun and watched in the browser: `handmade look`" in sent[-1]["error"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("head",), "there is no explorer 'head'; did you mean 'heads'?"),
        (("hand", "gpt"), "hand looks into no model"),
        (("heads", 7), "the model is a int, expected what handmade.open gives"),
        (("heads",), "heads looks into a model: give one"),
    ],
)
def test_what_cannot_be_explored_is_said(given, said, tmp_path, monkeypatch, gpt):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        handmade.explore(*(gpt if one == "gpt" else one for one in given))
    assert said in str(error.value)


def test_a_model_of_another_kind_is_refused_and_a_wrong_value_named(gpt):
    with pytest.raises(InputError, match="flow cannot look into a gpt"):
        handmade.explore("flow", gpt)
    with pytest.raises(InputError, match=r"sharpness is 99, expected a number from 0 to 8"):
        handmade.explore("heads", gpt, sharpness=99)
    with pytest.raises(InputError, match=r"off is a set"):
        handmade.explore("heads", gpt, off={1})


def test_explore_loads_nothing_before_it_is_called_and_says_what_to_install():
    program = """
import sys, handmade
handmade.explore
print([name for name in ("numpy", "anywidget", "starlette") if name in sys.modules])
sys.modules["anywidget"] = None
try:
    handmade.explore("hand")
except handmade.errors.InputError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, second = ran.stdout.splitlines()
    assert first == "[]"
    assert "pip install 'handmade[notebook]'" in second
