"""The modules and styles of a page as one text, for where there is no server: notebooks, and pages that are files.

The files are those that the server gives. Each becomes a blob in the browser, the ones that it imports before it, and
the addresses in it are those of their blobs: nothing is bundled, and DevTools shows every module as it is written.
"""

import base64
import json
import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"

IMPORT = re.compile(r'^(?:import|export) [^;]*? from "(/static/[\w./-]+\.js)";', re.M)
LATER = re.compile(r'\bimport\("(/static/[\w./-]+\.js)"\)\.then')
"""Of a module that a page of the server loads when it needs it; here it is loaded with the others."""

FONT = re.compile(r"url\((/static/[\w./-]+\.woff2)\)")


def module(*entries: str, then: str, root: Path = STATIC) -> str:
    """A module that loads `entries`, addresses as /static/explorers/heads.js, with all that they import.

    then: JavaScript that follows, in which `loaded` holds the modules by address.

    ValueError for modules that import each other in a circle, and for an import of something else.
    """
    later = [name for text in linked(*entries, root=root).values() for name in LATER.findall(text)]  # none has its own
    files = linked(*later, *entries, root=root)
    return f"""const files = {_script(files)};
const at = {{}}, loaded = {{}};
for (const [name, text] of Object.entries(files)) {{
  const imports = /( from |\\bimport\\()"([^"]+)"(;|\\)\\.then)/g;
  const linked = text.replace(imports, (_, how, path, end) => `${{how}}"${{at[path]}}"${{end}}`);
  at[name] = URL.createObjectURL(new Blob([linked], {{ type: "text/javascript" }}));
}}
for (const name of {_script([*later, *entries])}) loaded[name] = await import(at[name]);
for (const address of Object.values(at)) URL.revokeObjectURL(address);
{then}
"""


def linked(*entries: str, root: Path = STATIC) -> dict[str, str]:
    """The text of `entries` and of all modules that they import, by address, the imported ones first."""
    files: dict[str, str] = {}
    for entry in entries:
        _add(entry, files, root, ())
    return files


def styles(root: Path = STATIC) -> str:
    """The style sheet with its fonts inside."""

    def inside(match: re.Match[str]) -> str:
        content = base64.b64encode(_file(match[1], root).read_bytes()).decode()
        return f"url(data:font/woff2;base64,{content})"

    return FONT.sub(inside, (root / "style.css").read_text("utf-8"))


def _add(name: str, files: dict[str, str], root: Path, above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"{' -> '.join((*above, name))} is a circle: modules may not import each other.")
    if name in files:
        return
    text = _file(name, root).read_text("utf-8")
    found = [match[1] for match in IMPORT.finditer(text)]
    if len(found) != len(re.findall(r"^import\b", text, re.M)):
        raise ValueError(f'{name} imports in another form than `import ... from "/static/...";`.')
    for other in found:
        _add(other, files, root, (*above, name))
    files[name] = text


def _file(name: str, root: Path) -> Path:
    return root / name.removeprefix("/static/")


def _script(value: object) -> str:
    """JSON that may stand in a script of an HTML page: no text in it ends the script."""
    return json.dumps(value).replace("<", "\\u003c")
