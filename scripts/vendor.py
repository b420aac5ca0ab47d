"""Remake src/handmade/web/static/vendor and static/fonts: what the pages use that others wrote.

    python scripts/vendor.py            # npm and its registry are needed
    python scripts/vendor.py --check    # compare with VERSIONS: no network

Versions are pinned by scripts/vendor/package-lock.json, which names no host. No install script runs. Preact with its
hooks and signals, and htm, become one module, uPlot another; everything else is copied. VERSIONS has the SHA-256 of
every file.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent / "vendor"
STATIC = Path(__file__).parents[1] / "src" / "handmade" / "web" / "static"
VERSIONS = STATIC / "vendor" / "VERSIONS"

COPIED = {
    "fonts/inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "fonts/mono.woff2": "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
    "fonts/inter.LICENSE": "@fontsource-variable/inter/LICENSE",
    "fonts/mono.LICENSE": "@fontsource-variable/jetbrains-mono/LICENSE",
    "vendor/preact.LICENSE": "preact/LICENSE",
    "vendor/signals.LICENSE": "@preact/signals/LICENSE",
    "vendor/htm.LICENSE": "htm/LICENSE",
    "vendor/uplot.LICENSE": "uplot/LICENSE",
}
BUNDLED = ("vendor/preact.js", "vendor/uplot.js")
"""Each is made of the file of its name in scripts/vendor."""

USED = (*BUNDLED, *COPIED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare the files with VERSIONS")
    if parser.parse_args().check:
        sys.exit("\n".join(changed()) or None)
    with tempfile.TemporaryDirectory() as folder:
        remake(Path(folder))
    VERSIONS.write_text(versions(), "utf-8")
    for name in USED:
        print(f"{name}: {(STATIC / name).stat().st_size:,} bytes")


def remake(folder: Path) -> None:
    """Install the pinned packages into `folder`, and make the files from them."""
    for path in HERE.iterdir():
        shutil.copy(path, folder)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    for name in BUNDLED:
        bundle = ["npx", "esbuild", Path(name).name, "--bundle", "--format=esm", "--minify", "--target=es2022"]
        subprocess.run([*bundle, "--log-level=error", f"--outfile={STATIC / name}"], cwd=folder, check=True)
    for name, source in COPIED.items():
        (STATIC / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "node_modules" / source, STATIC / name)


def versions() -> str:
    """The pinned versions, and the hash of each file."""
    pinned = json.loads((HERE / "package.json").read_text("utf-8"))
    lines = [f"{name} {version}" for name, version in (pinned["dependencies"] | pinned["devDependencies"]).items()]
    return "\n".join([*lines, "", *(f"{digest(name)}  {name}" for name in USED)]) + "\n"


def digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()


def changed() -> list[str]:
    """What does not agree with VERSIONS."""
    told = VERSIONS.read_text("utf-8")
    return [f"{name} is not the file that VERSIONS names" for name in USED if f"{digest(name)}  {name}" not in told]


if __name__ == "__main__":
    main()
