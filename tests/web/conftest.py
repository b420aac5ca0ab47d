"""One server and one browser for all pages. The server stands over a small GPT, and over a workspace of exercises."""

import asyncio
import http.client
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handmade.web import jobs as jobs_module
from handmade.web.bench import Bench
from handmade.web.jobs import Jobs
from handmade.web.models import Models
from handmade.web.observatory import Observatory
from handmade.workshop.workspace import Workspace

RUNS = Path(__file__).parents[1] / "fixtures" / "runs"
TRAINED = {"gpt": "gpt-1", "language": "char-lstm-1", "lines": "names-gru-1", "translation": "seq2seq-attention-1"}
OFF = ("gpu", "background-networking", "component-update", "sync", "dev-shm-usage")
NOWHERE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"  # what a page asks for elsewhere, it does not get
ARGUMENTS = [*(f"--disable-{name}" for name in OFF), NOWHERE]


@dataclass
class Running:
    """A server in a thread of its own."""

    observatory: Any  # or the future that brings it
    port: int
    token: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(
        self, path: str, body: Any = None, method: str = "POST", **headers: str | None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request with the headers of our own pages, but for those given; None leaves one out."""
        own = {"Host": f"127.0.0.1:{self.port}", "Origin": self.url, "Authorization": f"Bearer {self.token}"}
        sent = {**own, **{name.replace("_", "-").title(): value for name, value in headers.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        for name, value in {**sent, "Content-Length": str(len(content))}.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(content)
        answer = connection.getresponse()
        received = answer.read()
        connection.close()
        return answer.status, answer.headers, received


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """A learner's folder: small trained models, and the stubs of all exercises."""
    folder = tmp_path_factory.mktemp("learner")
    for kind, run in TRAINED.items():
        shutil.copytree(RUNS / kind, folder / "runs" / run)
    Workspace(folder / "handmade-workshop").add_missing()
    return folder


@pytest.fixture(scope="session")
def observatory(folder) -> Iterator[Observatory]:
    observatory = Observatory(Models(folder), Bench(Workspace(folder / "handmade-workshop")), jobs=Jobs(folder))
    yield observatory
    observatory.close()


@pytest.fixture(scope="session")
def server(observatory) -> Iterator[Running]:
    with running(observatory) as server:
        yield server


class running:
    """A server over an observatory, or over one that is still to come, while the block runs."""

    uvicorn: Any

    def __init__(self, observatory: "Observatory | Future[Observatory]", **options: Any) -> None:
        self.observatory, self.options = observatory, options
        self.there = observatory if isinstance(observatory, Future) else Future()
        if isinstance(observatory, Observatory):
            self.there.set_result(observatory)

    def __enter__(self) -> Running:
        from handmade.web.server import Server, configured, loopback, new_token

        self.sockets, token = loopback(0), new_token()
        port = self.sockets[0].getsockname()[1]
        ready = threading.Event()

        async def main() -> None:
            self.uvicorn = configured(Server(self.there, port, token, **self.options))
            ready.set()
            await self.uvicorn.serve(self.sockets)

        self.thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
        self.thread.start()
        assert ready.wait(20)
        return Running(self.observatory, port, token)

    def __exit__(self, *_: object) -> None:
        self.uvicorn.should_exit = True
        self.thread.join(20)
        for one in self.sockets:
            one.close()
        assert not self.thread.is_alive(), "the server does not end"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium: HANDMADE_CHROMIUM, the one on the PATH, or Playwright's own."""
    playwright = pytest.importorskip("playwright.sync_api")
    given = os.environ.get("HANDMADE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with playwright.sync_playwright() as started:
        started.selectors.set_test_id_attribute("data-id")
        path = given or started.chromium.executable_path
        if not Path(path).exists():
            pytest.skip("there is no Chromium: apt-get install chromium, or set HANDMADE_CHROMIUM")
        browser = started.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def put_run(folder: Path, name: str = "gpt-1", steps: int = 100_000) -> Path:
    """A run of a GPT of 7,456 parameters that has not begun, and its text."""
    run = folder / "runs" / name
    run.mkdir(parents=True)
    config = json.loads((RUNS / "gpt" / "config.json").read_text())
    config["recipe"] |= {"steps": steps, "epoch_steps": 1000, "warmup_steps": 0}
    (run / "config.json").write_text(json.dumps(config))
    shutil.copy(RUNS / "play.txt", folder)
    return run


class Child:
    """In the place of a process: it does nothing until it is told to end."""

    def __init__(self, command: list[str], **_: Any) -> None:
        self.command = command[3:]
        out, self._out = os.pipe()
        error, self._error = os.pipe()
        self.stdin, self.stdout, self.stderr = open(os.devnull, "w"), os.fdopen(out), os.fdopen(error)  # noqa: SIM115
        self.status = 0

    def say(self, event: str, **data: Any) -> None:
        os.write(self._out, (json.dumps({"event": event, "data": data}) + "\n").encode())

    def stop(self, status: int) -> None:
        self.status = status
        os.close(self._out)
        os.close(self._error)

    def wait(self, timeout: float = 0) -> int:
        return self.status


@pytest.fixture
def jobs(tmp_path, monkeypatch) -> Iterator[Jobs]:
    children: list[Child] = []

    def child(*given: Any, **more: Any) -> Child:
        children.append(Child(*given, **more))
        return children[-1]

    fake = SimpleNamespace(Popen=child, PIPE=subprocess.PIPE, TimeoutExpired=subprocess.TimeoutExpired)
    monkeypatch.setattr(jobs_module, "subprocess", fake)  # of this module alone: the judge starts processes, too
    jobs = Jobs(tmp_path)
    jobs.children = children  # type: ignore[attr-defined]
    yield jobs
    for one in children:
        if one.stdout is not None and not one.stdout.closed:
            with suppress(OSError):
                one.stop(1)
    jobs.close()


class Pages:
    """Pages in the browser. Whatever asks for another address, or writes to the console, fails the test."""

    def __init__(self, browser: Any, server: Running) -> None:
        self.browser, self.server = browser, server
        self.problems: list[str] = []
        self.contexts: list[Any] = []

    def context(self, **options: Any) -> Any:
        viewport = {"width": options.pop("width", 1440), "height": 900}
        context = self.browser.new_context(viewport=viewport, **options)
        context.set_default_timeout(45_000)
        context.on(
            "request", self._only_here
        )  # a route would hand each request to Python and back, and forbid the cache
        context.on("page", self._watch)
        self.contexts.append(context)
        return context

    def open(self, path: str, context: Any = None, **options: Any) -> Any:
        """The page at a path as '/hand#mask=causal', once it has its first picture."""
        page = (context or self.context(**options)).new_page()
        where, _, state = path.partition("#")
        page.goto(f"{self.server.url}{where}#token={self.server.token}{state and '&'}{state}")
        page.locator("main :is(.predict, .list li, .failed, .none, .today, .asked)").first.wait_for()
        return page

    def forget_refusals(self) -> None:
        """Of a question that the test asks to be refused, Chromium writes a line to the console."""
        self.problems = [problem for problem in self.problems if "status of 422" not in problem]

    def _watch(self, page: Any) -> None:
        page.on("console", lambda message: self.problems.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def _only_here(self, request: Any) -> None:
        if not request.url.startswith((self.server.url, "data:", "blob:")):
            self.problems.append(f"it asks for {request.url}")


@pytest.fixture
def pages(browser, server) -> Iterator[Pages]:
    pages = Pages(browser, server)
    yield pages
    for context in pages.contexts:
        context.close()
    assert not pages.problems, pages.problems


def violations(page: Any) -> list[str]:
    """What axe-core finds on a page that was opened with bypass_csp and reduced_motion="reduce"."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {[node['html'][:160] for node in one['nodes'][:3]]}" for one in found]


@pytest.fixture
def check_access(pages):
    """A function that opens a page and lets axe-core look at it in both themes; `prepare(page)` comes before."""

    def check(path: str, prepare=lambda page: None) -> None:
        page = pages.open(path, color_scheme="light", bypass_csp=True, reduced_motion="reduce")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.locator(f".handmade[data-theme={scheme}]").first.wait_for()
            prepare(page)
            assert not violations(page), scheme

    return check


def state_of(page: Any) -> str:
    """What stands behind the # of a page's address, once it is written: it comes a moment behind what is seen."""
    return page.evaluate("() => new Promise((then) => setTimeout(() => then(location.hash.slice(1)), 10))")


def number_in(text: str) -> float:
    """The first number of a text of the pages."""
    found = re.search(r"[\u2212-]?\d+(?:\.\d+)?", text)
    assert found, text
    return float(found[0].replace("\u2212", "-"))
