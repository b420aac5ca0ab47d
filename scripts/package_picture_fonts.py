"""Make the fonts of the pictures, src/handmade/draw/fonts, from Fontsource's packages of Inter and JetBrains Mono.

    npm pack @fontsource/inter @fontsource/jetbrains-mono
    python scripts/package_picture_fonts.py fontsource-inter-*.tgz fontsource-jetbrains-mono-*.tgz

Both are under the SIL Open Font License. Their Latin subsets are unpacked from WOFF to TrueType, which is what
matplotlib reads; nothing else about them is changed.
"""

import argparse
import io
import tarfile
from pathlib import Path

from fontTools.ttLib import TTFont

TO = Path(__file__).parents[1] / "src" / "handmade" / "draw" / "fonts"
TAKEN = {
    "inter": {"inter-latin-400-normal": "Inter-Regular", "inter-latin-600-normal": "Inter-SemiBold"},
    "jetbrains-mono": {"jetbrains-mono-latin-400-normal": "JetBrainsMono-Regular"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inter", type=Path)
    parser.add_argument("jetbrains_mono", type=Path)
    arguments = parser.parse_args()
    TO.mkdir(parents=True, exist_ok=True)
    for package, name in ((arguments.inter, "inter"), (arguments.jetbrains_mono, "jetbrains-mono")):
        with tarfile.open(package) as archive:
            for source, target in TAKEN[name].items():
                font = TTFont(io.BytesIO(read(archive, f"package/files/{source}.woff")), recalcTimestamp=False)
                font.flavor = None
                font.save(TO / f"{target}.ttf")
            (TO / f"{name}.LICENSE").write_bytes(read(archive, "package/LICENSE"))
    for path in sorted(TO.iterdir()):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


def read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None, name
    return member.read()


if __name__ == "__main__":
    main()
