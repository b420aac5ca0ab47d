"""What all pages share: the key and its tabs, the theme, the list, and that no other page gets at anything."""

import http.server
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from handmade.web.explorers import NAMES
from handmade.web.pages import EXPLORERS
from tests.web.conftest import state_of

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_list_has_all_explorers(pages):
    page = pages.open("/")
    assert page.locator(".list h2").all_inner_texts() == [EXPLORERS[name].asks for name in NAMES]
    page.get_by_role("link", name=EXPLORERS["heads"].asks).click()
    page.locator(".predict").wait_for()


@pytest.mark.slow
def test_the_key_leaves_the_address_and_a_second_tab_asks_the_first_for_it(pages, server):
    first = pages.open("/hand#mask=causal")
    assert first.url == f"{server.url}/hand#mask=causal"
    second = first.context.new_page()
    second.goto(f"{server.url}/hand")
    second.locator(".predict").wait_for()
    stored = second.evaluate("() => [localStorage.length, document.cookie, sessionStorage.getItem('token')]")
    assert stored == [0, "", server.token]


@pytest.mark.slow
def test_another_key_in_an_open_tab_is_taken_and_one_that_is_refused_forgotten(pages, server):
    page = pages.open("/hand#mask=causal")
    page.evaluate("() => { location.hash = 'token=other'; }")
    page.get_by_role("alert").get_by_text("open the address that `handmade look` printed").wait_for()
    assert page.evaluate("() => sessionStorage.getItem('token')") is None
    page.evaluate("(token) => { location.hash = `token=${token}`; }", server.token)
    page.locator(".predict").wait_for()
    assert "token" not in state_of(page)
    pages.problems.clear()  # Chromium writes each 401 to the console


@pytest.mark.slow
def test_a_broken_address_has_the_usual_values_and_keys_leave_buttons_alone(pages):
    page = pages.open("/conv#image=null&kernel={}&stride=x&seen=2")
    page.get_by_test_id("sum").wait_for()
    page.get_by_role("button", name="another image").focus()
    page.keyboard.press(" ")  # the button, and not the next window
    page.wait_for_function("() => location.hash.includes('image=')")
    assert "j=" not in state_of(page)
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Keys").wait_for(state="hidden")
    assert page.get_by_label("stride").input_value() == "1"


@pytest.mark.slow
def test_without_the_key_a_page_says_what_to_open(pages, server):
    page = pages.context().new_page()
    page.goto(f"{server.url}/hand")
    page.get_by_role("alert").get_by_text("open the address that `handmade look` printed").wait_for()
    pages.problems.clear()  # Chromium writes each 401 to the console


@pytest.mark.slow
def test_everyone_can_read_the_list(check_access):
    check_access("/")


@pytest.mark.slow
def test_the_theme_is_kept(pages):
    page = pages.open("/hand")
    page.get_by_role("button", name="Switch to dark").click()
    page.locator("[data-theme=dark]").wait_for()
    page.reload()
    page.locator("[data-theme=dark]").wait_for()


@pytest.mark.slow
def test_a_page_of_another_port_gets_nothing(browser, server, tmp_path):
    (tmp_path / "index.html").write_text("<!doctype html><title>another</title>")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given):
            super().__init__(*given, directory=str(tmp_path))

        def log_message(self, *_):
            pass

    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=other.serve_forever)
    thread.start()
    try:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{other.server_port}/")
        got = page.evaluate(
            """async ([url, token]) => {
              const asked = { method: "POST", body: "{}" };
              const headers = { Authorization: `Bearer ${token}` };
              const framed = new Promise((then) => {
                const frame = document.createElement("iframe");
                frame.src = `${url}/hand`;
                frame.onload = () => {
                  try { then(frame.contentDocument ? "seen" : "refused"); } catch { then("refused"); }
                };
                document.body.append(frame);
              });
              const refused = () => "refused";
              return Promise.all([
                fetch(`${url}/static/page.js`).then((a) => a.text(), refused),
                fetch(`${url}/api/about`, { ...asked, headers }).then((a) => a.text(), refused),
                fetch(`${url}/api/about`, { ...asked, mode: "no-cors" }).then((a) => a.type, refused),
                import(`${url}/static/lib/shell.js`).then(() => "imported", refused),
                framed,
              ]);
            }""",
            [server.url, server.token],  # even with the key
        )
        page.close()
    finally:
        other.shutdown()
        thread.join(10)
        other.server_close()
    assert got == ["refused"] * 5


def test_what_others_wrote_is_what_versions_names():
    ran = subprocess.run([sys.executable, ROOT / "scripts" / "vendor.py", "--check"], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_no_module_of_the_pages_asks_for_anything_elsewhere():
    static = ROOT / "src" / "handmade" / "web" / "static"
    files = [
        path for path in static.rglob("*") if path.suffix in (".js", ".css", ".html") and path.parent.name != "vendor"
    ]
    assert len(files) > 10
    for path in files:
        assert "//" not in path.read_text("utf-8").replace("// ", "").replace("//\n", ""), path


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/conv", "/lens", "/train"])
def test_the_first_picture_takes_few_requests(pages, path):
    """13 with what stands around the picture, and 350 kB."""
    context = pages.context()
    asked = []
    context.on("requestfinished", lambda request: asked.append(request))
    page = pages.open(path, context)
    page.wait_for_load_state("networkidle")
    paths = [request.url.removeprefix(pages.server.url) for request in asked]
    assert "/api/about" in paths
    assert len(paths) <= 13, paths
    assert sum(request.sizes()["responseBodySize"] for request in asked) <= 350_000
