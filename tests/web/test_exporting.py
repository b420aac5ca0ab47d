"""Pages that are files: opened from file:// in Chromium, they ask for nothing and say what needs Python."""

import dataclasses
import json

import pytest

from handmade.errors import InputError
from handmade.web.explorers import explorer_named
from handmade.web.exporting import exported


@pytest.fixture
def opened(browser, tmp_path):
    """A function that opens a page's HTML from a file; a request, or a word on the console, fails the test."""
    problems, contexts = [], []

    def show(html, state="", **options):
        path = tmp_path / "page.html"
        path.write_text(html)
        context = browser.new_context(viewport={"width": options.pop("width", 1440), "height": 900}, **options)
        contexts.append(context)
        context.set_default_timeout(45_000)
        page = context.new_page()
        own = path.as_uri()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request",
            lambda request: request.url.startswith((own, "blob:", "data:")) or problems.append(request.url),
        )
        page.goto(own + state)
        page.locator("main :is(.predict, .failed)").first.wait_for()
        return page

    yield show
    for context in contexts:
        context.close()
    assert not problems, problems


@pytest.mark.slow
def test_heads_in_a_file_shows_every_head_and_says_what_needs_python(opened, observatory):
    html = exported("heads", "#text=to be or not&layer=1&seen=[[0,0],[0,1],[1,0],[1,1]]", observatory)
    page = opened(html)
    assert page.locator(".letters button").all_inner_texts()[3:5] == ["b", "e"]
    assert page.get_by_role("button", name="layer 1, head 0").get_attribute("aria-pressed") == "true"
    page.locator(".thumb small").get_by_text("+").or_(page.locator(".thumb small").get_by_text("0.00")).first.wait_for()
    before = page.get_by_test_id("weight").inner_text()
    page.get_by_role("button", name="layer 0, head 1").click()
    page.wait_for_function("(before) => document.querySelector('[data-id=weight]').textContent !== before", arg=before)
    assert page.get_by_role("alert").count() == 0
    page.reload()
    assert page.get_by_role("button", name="layer 0, head 1").get_attribute("aria-pressed") == "true"
    page.get_by_test_id("sharp").fill("2")
    said = page.get_by_role("alert").inner_text()
    assert said.startswith("This needs Python")
    assert "handmade look heads" in said
    assert page.locator(".matrix canvas").count() == 1  # the last good picture stays
    assert page.get_by_role("button", name="my code").is_disabled()
    page.get_by_role("button", name="with a mistake").click()
    page.get_by_role("alert").get_by_text("A mistake needs Python").wait_for()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hand", "gradient"])
def test_a_page_is_one_file(name, opened, observatory):
    html = exported(name, "", observatory)
    assert len(html) < 1 << 20
    page = opened(html, color_scheme="dark", width=420)
    assert page.get_by_role("alert").count() == 0
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 420
    assert page.locator("[data-theme=dark] .chip", has_text="a saved page").count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["conv", "gradient", "hand"])
def test_python_starts_where_the_page_starts(name, pages):
    """What the page asks first is the question's usual value, so that a file has an answer to it."""
    asked = []
    context = pages.context()
    context.on("request", lambda request: request.url.endswith(f"/api/{name}") and asked.append(request.post_data))
    pages.open(f"/{name}", context)
    usual = json.loads(json.dumps(dataclasses.asdict(explorer_named(name).question())))
    assert {**usual, **json.loads(asked[0])} == usual


def test_nothing_of_the_learner_is_in_the_file(folder, observatory):
    (folder / "handmade-workshop").stat()
    html = exported("hand", "#code=mine", observatory)
    assert str(folder) not in html
    assert "handmade-workshop" not in html


@pytest.mark.parametrize(
    ("name", "state", "said"),
    [
        ("head", "", "there is no explorer 'head'; did you mean 'heads'?"),
        ("heads", "#layer=77", "there is no head 0 in layer 77"),
        ("hand", "#q=nonsense", "q is 'nonsense', expected"),
        ("flow", "", "there is none here that fits"),
    ],
)
def test_what_cannot_be_saved_is_said(name, state, said, observatory):
    with pytest.raises(InputError) as error:
        exported(name, state, observatory)
    assert said in str(error.value)
