"""Make docs/pictures/look-*.png: the observatory's pages as they are now. Look at them before you commit them.

    python scripts/shots.py --gpt runs/gpt-1 --lstm runs/char-lstm-1 --translator runs/seq2seq-attention-1 \\
        --resnet20 resnet20-12fca82f.th --images FOLDER_OF_IMAGES

--gpt, --lstm, --translator: runs of `handmade train gpt`, `char-lstm` and `seq2seq-attention --set attention=additive`,
shown as they are called in the folder that has `runs` in it; --resnet20: its published weights. Of what is not given no
picture is made. Chromium and Playwright are needed, and Pillow makes the pictures small: 256 colours, chosen so that
the rare ones, orange among them, are kept.
"""

import argparse
import subprocess
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

TO = Path(__file__).parents[1] / "docs" / "pictures"
SHOTS = {
    "conv": "#seen=2&padding=1&i=1&j=2",
    "conv-inside": '#view=layer&model=packaged lenet5&layer=c3&row=5&column=5&known=["c3"]&photo=-1',
    "gradient": "#seen=1&i=6",
    "hand": "#seen=1&mask=causal",
    "heads": "#seen=[[0,0],[0,1],[0,2],[0,3],[1,0],[1,1],[1,2],[1,3],[2,0],[2,1],[2,2],[2,3],[3,0],[3,1],[3,2],[3,3]]",
    "gates": "#seen=1&layer=1",
    "align": "#seen=9&t=8",
    "lens": "#seen=1&top_k=8&top_p=0.9",
    "flow": '#image=1&seen=1&block=layer2.1&cut={"layer2.1":"branch"}&evidence=1',
    "train": "#mode=diagnosis",
    "sizes": "#seen=1",
}
FAULT = "no residual"
BEGIN = """async (fault) => {
  const { decode } = await import("/static/lib/frame.js");
  const headers = { Authorization: `Bearer ${sessionStorage.getItem("token")}` };
  const answer = await fetch("/api/jobs", { method: "POST", body: JSON.stringify({ fault }), headers });
  return decode(await answer.arrayBuffer()).job;
}"""
WIDTH, HEIGHT = 1440, 900


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--gpt", "--lstm", "--translator", "--resnet20", "--images"):
        parser.add_argument(option, required=option == "--gpt", type=Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--only", choices=SHOTS, help="this picture alone")
    given = parser.parse_args()
    folder = given.gpt.resolve().parents[1]
    called = lambda run: run and [run.resolve().relative_to(folder).as_posix()]
    sources = {"gates": called(given.lstm), "align": called(given.translator), "flow": None}
    if given.resnet20 and given.images:
        sources["flow"] = [
            "resnet20",
            "--weights",
            str(given.resnet20.resolve()),
            "--image",
            str(given.images.resolve()),
        ]
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=given.chromium)
        for name in [given.only] if given.only else SHOTS:
            source = sources.get(name, called(given.gpt))
            if source:
                shot(browser, name, SHOTS[name], folder, source)
        browser.close()


def shot(browser, name: str, state: str, folder: Path, source: list[str]) -> None:
    """Start `handmade look` over `source` in `folder`, and take the picture of one page."""
    command = [sys.executable, "-m", "handmade", "look", *source, "--no-browser"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address, _, token = server.stdout.readline().strip().partition("/#")
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"{address}/{name.partition('-')[0]}#{token}&{state.removeprefix('#')}")
        page.locator(".predict").wait_for()
        if name == "train":
            wrong, right = page.evaluate(BEGIN, FAULT), page.evaluate(BEGIN, "none")
            page.goto(f"{address}/{name}{state}&riddle={wrong}&beside={right}")
            page.locator("[data-id=step]").get_by_text("step 240 of 240").wait_for(timeout=300_000)
        page.wait_for_timeout(2500)  # the losses without each head come a little later
        picture = Image.open(BytesIO(page.screenshot()))
        few = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
        few.save(TO / f"look-{name}.png", optimize=True)
        page.close()
        server.terminate()


if __name__ == "__main__":
    main()
