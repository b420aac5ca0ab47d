"""The observatory's bars: from the command to the address, from the address to a picture, from a slider to its paint.

    python -m benchmarks look [--rounds 15] [--resnet20 FILE] [--gpt2 FOLDER] [--only NAME ...]

Everything is measured in Chromium and in processes of their own, over a GPT of the recipe's size that is made for it.
On a quiet machine every figure must be under its bar: the program ends with 1 where one is not. It prints the table of
docs/measured.md. --resnet20: the published weights, without which /flow is left out; --gpt2: a folder with GPT-2's, in
place of which random ones stand otherwise, in a network of the same size.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from handmade.text import BPETokenizer
from handmade.workshop.workspace import Workspace

TEXT = "ROMEO: But soft, what light through yonder window breaks? It is "
TOKENS = len(TEXT)  # 64

Middle = Callable[[list[float]], float]
"""What stands for several measurements: the median; the lowest, where a machine has other things to do."""

PAGES = ("conv", "gradient", "hand", "heads", "gates", "align", "lens", "train", "sizes", "flow")


@dataclass(frozen=True)
class Measured:
    """What was measured, in the unit of its bar; each row has a median and, where it says so, a 95th percentile."""

    what: str
    values: tuple[float, ...]
    bars: tuple[float, ...]
    unit: str

    @property
    def holds(self) -> bool:
        return all(value <= bar for value, bar in zip(self.values, self.bars, strict=True))

    def row(self) -> str:
        said = lambda numbers: " / ".join(f"{number:.3g}" if number < 100 else f"{number:.0f}" for number in numbers)
        values, bars = (f"{said(numbers)} {self.unit}".strip() for numbers in (self.values, self.bars))
        return f"| {self.what} | {values} | {bars} | {'yes' if self.holds else '**no**'} |"


class Server:
    """`handmade look` in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "handmade", "look", *arguments, "--no-browser"]
        began = time.perf_counter()
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        address = self.process.stdout.readline().strip()
        self.seconds = time.perf_counter() - began
        if not address:
            raise SystemExit("handmade look does not start")
        where, _, self.token = address.partition("#token=")
        self.url = "http://" + urlsplit(where).netloc  # without the page

    def ask(self, explorer: str, **question: Any) -> bytes:
        """One question, as the pages ask it."""
        host = self.url.removeprefix("http://")
        connection = HTTPConnection(host, timeout=60)
        headers = {"Origin": self.url, "Authorization": f"Bearer {self.token}"}
        connection.request("POST", f"/api/{explorer}", json.dumps(question), headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status != 200:
            raise SystemExit(f"/{explorer}: {content.decode()}")
        return content

    def resident(self) -> float:
        """Megabytes of memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Server]:
    server = Server(folder, *arguments)
    try:
        yield server
    finally:
        server.close()


def learner(folder: Path) -> None:
    """Fill a folder: a GPT of the recipe's size after one step, images, and a workspace whose causal_mask passes."""
    from PIL import Image

    from handmade.workshop.exercises import exercise_named
    from handmade.workshop.source import solution

    train = [sys.executable, "-m", "handmade", "train", "gpt", "--steps", "1", "--out", "runs/gpt-1"]
    subprocess.run(train, cwd=folder, check=True, capture_output=True)
    rng = np.random.default_rng(0)
    (folder / "images").mkdir()
    for number in range(4):
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(folder / "images" / f"{number}.png")
    workspace = Workspace(folder / "workshop")
    workspace.add_missing()
    workspace.file("causal_mask").write_text(solution(exercise_named("causal_mask")))


# --- without a browser ----------------------------------------------------------------------------------------------


def start(folder: Path, rounds: int) -> list[Measured]:
    """From the command to the address, and to the answer of a question that is asked at once."""
    printed, answered = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        with serving(folder) as server:
            server.ask("hand")
            answered.append(time.perf_counter() - began)
            printed.append(server.seconds)
    return [
        Measured("`handmade look` to the address printed", (median(printed),), (0.6,), "s"),
        Measured("`handmade look` to the first answer", (median(answered),), (1.2,), "s"),
    ]


def ablation(folder: Path, rounds: int, middle: Middle = median) -> Measured:
    """The loss without each of 16 heads."""
    from handmade.lens.heads import losses_without_heads
    from handmade.opening import open as open_model

    used = open_model(folder / "runs" / "gpt-1")
    tokens = np.array(used.tokens(TEXT)[: used.model.config.block_size])
    taken = _milliseconds(lambda: losses_without_heads(used.model, tokens), rounds)
    return Measured("all 16 heads ablated", (middle(taken),), (150,), "ms")


def my_code(folder: Path, rounds: int, middle: Middle = median) -> Measured:
    """The learner's attention in the sandbox, for the heads of four layers."""
    from handmade.web.bench import Bench
    from handmade.web.whose import computed
    from handmade.workshop.cell.cases import Case
    from handmade.workshop.exercises import exercise_named

    rng, exercise = np.random.default_rng(0), exercise_named("causal_mask")
    heads = [tuple(rng.standard_normal((3, TOKENS, 32))) for _ in range(16)]
    cases = [Case(f"head {number}", head) for number, head in enumerate(heads)]
    bench = Bench(Workspace(folder / "workshop"))
    try:
        made = computed(bench, exercise, cases, "mine")
        if made.problem or None in made.outputs:
            raise SystemExit(f"the learner's code does not run: {made.problem}")
        taken = _milliseconds(lambda: computed(bench, exercise, cases, "mine"), rounds)
    finally:
        bench.close()
    return Measured("my code, four layers of attention, warm", (middle(taken),), (100,), "ms")


def memory(folder: Path, questions: int = 1000) -> Measured:
    """What the process grows by over so many questions, after a tenth as many that warm it."""
    with serving(folder) as server:
        ask = lambda number: server.ask("heads", text=TEXT, layer=number % 2, sharpness=1 + number % 5 / 10)
        for number in range(questions // 10):
            ask(number)
        before = server.resident()
        for number in range(questions):
            ask(number)
        grown = max(0.0, server.resident() - before)
    return Measured(f"{questions:,} questions in a row: growth of resident memory", (grown,), (20,), "MB")


def published(folder: Path, rounds: int, tokens: int = 32) -> Measured:
    """One question to GPT-2 small. folder: with its weights and its tokenizer's files."""
    tokenizer = BPETokenizer.from_files(folder / "vocab.json", folder / "merges.txt")
    text = tokenizer.decode(tokenizer.encode(TEXT * 2)[:tokens])
    with serving(folder.parent, "heads", "gpt2", "--weights", str(folder)) as server:
        question = {"text": text, "model": "gpt2"}
        (read,) = json.loads(_meta(server.ask("heads", **question)))["texts"]
        if len(read) != tokens:
            raise SystemExit(f"{text!r} has {len(read)} tokens")
        taken = _milliseconds(lambda: server.ask("heads", **question), rounds)
    return Measured(f"GPT-2 small, T = {tokens}, one question of `/heads`", (median(taken) / 1000,), (1,), "s")


def random_gpt2(folder: Path) -> Path:
    """A folder as GPT-2 small is published in, of random weights, with pairs of bytes for tokens."""
    from handmade.models.gpt import gpt
    from handmade.text.bpe import BYTE_TO_CHARACTER
    from handmade.weights import save

    folder.mkdir()
    model = gpt("gpt2")
    save(folder / "model.safetensors", {name: tensor.array for name, tensor in model.state_dict().items()})
    letters = [BYTE_TO_CHARACTER[byte] for byte in range(256)]
    pairs = list(product(letters, letters))[: model.config.vocab_size - len(letters) - 1]
    tokens = [*letters, *("".join(pair) for pair in pairs), "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *(" ".join(pair) for pair in pairs), ""]))
    return folder


def training(folder: Path, browser: Any, rounds: int, steps: int = 40) -> Measured:
    """How much longer a training takes beside an open page, in turn."""
    train = [sys.executable, "-m", "handmade", "train", "gpt", "--steps", str(steps), "--out"]
    beside: dict[bool, list[float]] = {False: [], True: []}
    with serving(folder) as server:
        for number in range(2 * rounds):
            opened = number % 2 == 1
            page = _page(browser, server, "heads") if opened else None
            out = folder / "trained" / str(number)
            began = time.perf_counter()
            subprocess.run([*train, str(out)], cwd=folder, check=True, capture_output=True)
            beside[opened].append(time.perf_counter() - began)
            if page is not None:
                page.context.close()
            shutil.rmtree(out)
    slower = 100 * (min(beside[True]) / min(beside[False]) - 1)
    return Measured("training beside an open page against without", (max(0.0, slower),), (5,), "% slower")


def _milliseconds(work: Callable[[], Any], rounds: int) -> list[float]:
    work()  # the first time is another one
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return taken


# --- in Chromium ----------------------------------------------------------------------------------------------------

PROBE = """
window.marks = { answers: 0, waiting: [] };
const painted = () => new Promise((then) => requestAnimationFrame(() => {
  const after = new MessageChannel();
  after.port1.onmessage = then;
  after.port2.postMessage(null);
}));
const real = Response.prototype.arrayBuffer;
Response.prototype.arrayBuffer = async function () {
  const bytes = await real.call(this);
  if (this.url.includes("/api/") && !/api\\/(about|predicted|verdict)$/.test(this.url)) {
    for (const then of window.marks.waiting.splice(0)) then();
    window.marks.answers++;
  }
  return bytes;
};
window.fromInputToPaint = async (input, value) => {
  const late = (then, fail) => setTimeout(() => fail(new Error("no answer came")), 20000);
  const answered = new Promise((then, fail) => { window.marks.waiting.push(then); late(then, fail); });
  const began = performance.now();
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, value);
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await answered;
  await painted();
  return performance.now() - began;
};
window.whenFirst = async () => {
  const there = () => window.marks.answers && document.querySelector("main .predict");
  while (!there() && performance.now() < 20000) await painted();
  if (!there()) throw new Error("no picture came");
  await painted();
  return performance.now();
};
"""
"""What the pages are measured with: it knows when an answer came, and when the frame after it was painted."""


@contextmanager
def chromium(path: str | None) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = path or os.environ.get("HANDMADE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    arguments = [f"--disable-{name}" for name in ("gpu", "background-networking", "component-update", "sync")]
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=[*arguments, "--no-first-run"])
        try:
            yield browser
        finally:
            browser.close()


def _page(browser: Any, server: Server, name: str, state: str = "", **events: Any) -> Any:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(30_000)
    page.add_init_script(PROBE)
    for event, tell in events.items():
        page.on(event, tell)
    page.goto(f"{server.url}/{name}#token={server.token}&{state}")
    return page


def first_picture(browser: Any, server: Server, name: str, rounds: int, state: str = "") -> list[Measured]:
    """First contentful paint, the first picture, and what was sent for it, in a browser that has nothing of ours."""
    paints, pictures, requests, kilobytes = [], [], [], []
    for number in range(rounds + 1):
        sizes: list[Any] = []
        page = _page(browser, server, name, state, requestfinished=lambda request, sizes=sizes: sizes.append(request))
        picture = page.evaluate("() => window.whenFirst()")
        paint = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
        page.wait_for_timeout(50)
        sent = [request.sizes() for request in sizes if request.url.startswith(server.url)]
        page.context.close()
        if number:  # the first opened the model
            paints.append(paint)
            pictures.append(picture)
            requests.append(len(sent))
            kilobytes.append(sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sent) / 1000)
    heaviest = 450 if name == "train" else 350
    return [
        Measured(f"`/{name}`: first contentful paint, warm server", (median(paints),), (300,), "ms"),
        Measured(f"`/{name}`: first picture, model open", (median(pictures),), (500,), "ms"),
        Measured(f"`/{name}`: requests", (max(requests),), (14,), ""),
        Measured(f"`/{name}`: sent", (max(kilobytes),), (heaviest,), "kB"),
    ]


SLIDERS = {
    "hand": ("seen=1", ".typed input", [str(k / 4) for k in range(-8, 8)], (25, 50)),
    "conv": ("seen=2", ".typed input", [str(k / 4) for k in range(-8, 8)], (25, 50)),
    "heads": (
        f"seen=[[0,0],[0,1],[0,2],[0,3],[1,0],[1,1],[1,2],[1,3],[2,0],[2,1],[2,2],[2,3],[3,0],[3,1],[3,2],[3,3]]&text={TEXT}",
        "[data-id=sharp]",
        [str(1 + k / 10) for k in range(1, 16)],
        (45, 80),
    ),
    "flow": ("seen=1", "input[aria-label='which image']", ["2", "3", "4", "1"], (50, 90)),
}
"""Of a page: the state, what is moved, the values that it takes in turn, the bars of median and 95th percentile."""


def slider(browser: Any, server: Server, name: str, rounds: int, middle: Middle = median) -> Measured:
    """From moving a slider, or typing a number, to the frame that shows what came of it."""
    state, selector, values, bars = SLIDERS[name]
    page = _page(browser, server, name, state)
    page.evaluate("() => window.whenFirst()")
    page.wait_for_timeout(1500)  # what comes a little later, as the loss without each head
    field = page.locator(selector).first
    taken = []
    for number in range(4 * rounds + 3):
        taken.append(
            field.evaluate("(input, value) => window.fromInputToPaint(input, value)", values[number % len(values)])
        )
        page.wait_for_timeout(30)
    page.context.close()
    taken = taken[3:]
    return Measured(
        f"`/{name}`: slider to paint, median / p95", (middle(taken), float(np.percentile(taken, 95))), bars, "ms"
    )


def report(rows: list[Measured]) -> str:
    """The table of docs/measured.md."""
    lines = ["| what | measured | bar | under it |", "|---|---|---|---|", *(row.row() for row in rows)]
    return "\n".join(lines)


def measured(arguments: argparse.Namespace, folder: Path) -> Iterator[Measured]:
    """All rows, one after another."""
    rounds, only = arguments.rounds, arguments.only
    wanted = lambda name: not only or name in only
    if wanted("start"):
        yield from start(folder, rounds)
    if wanted("ablation"):
        yield ablation(folder, rounds)
    if wanted("my code"):
        yield my_code(folder, rounds)
    if wanted("memory"):
        yield memory(folder)
    if wanted("gpt2"):
        yield published(arguments.gpt2 or random_gpt2(folder / "gpt2"), rounds)
    with chromium(arguments.chromium) as browser:
        source = ["resnet20", "--weights", str(arguments.resnet20)] if arguments.resnet20 else []
        with serving(folder, *source, "--image", "images") as server:
            offered = json.loads(_meta(server.ask("about")))["explorers"]
            there = {one["name"] for one in offered if one["models"] or not one["needs_model"]}
            for name in (name for name in PAGES if name in there and wanted(name)):
                yield from first_picture(browser, server, name, rounds)
                if name in SLIDERS:
                    yield slider(browser, server, name, rounds)
        if wanted("training"):
            yield training(folder, browser, max(3, rounds // 4))


def _meta(frame: bytes) -> str:
    """The JSON of a frame."""
    size = int.from_bytes(frame[:8], "little")
    return json.loads(frame[8 : 8 + size])["__metadata__"]["meta"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--resnet20", type=lambda path: Path(path).resolve())
    parser.add_argument("--gpt2", type=lambda path: Path(path).resolve())
    parser.add_argument("--chromium")
    parser.add_argument("--only", nargs="+", help="pages, or start, ablation, 'my code', memory, gpt2, training")
    arguments = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as the server has it
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        learner(Path(temporary))
        for row in measured(arguments, Path(temporary)):
            print(row.row(), file=sys.stderr, flush=True)
            rows.append(row)
    print(report(rows))
    missed = [row.what for row in rows if not row.holds]
    if missed:
        raise SystemExit(f"above their bars: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
