"""The pages and the files of `static`, as the server sends them."""

import gzip
import hashlib
from html import escape
from pathlib import Path
from typing import NamedTuple

from handmade.web import linking
from handmade.web.linking import STATIC
from handmade.web.pages import EXPLORERS, LIST, STUDY

TYPES = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2"}

PAGE = "page.html"
"""What every page is made of; it is none itself."""

HOST = "/static/page.js"


class Sent(NamedTuple):
    """A file: its bytes, the same compressed if that pays, its type, and a tag that is other for other bytes."""

    content: bytes
    packed: bytes | None
    media_type: str
    tag: str


class StaticFiles:
    """The files by their names in `static`; one that changes on the disk is read again."""

    def __init__(self) -> None:
        files = (path for path in STATIC.rglob("*") if path.suffix in TYPES and path.is_file())
        self._paths = {path.relative_to(STATIC).as_posix(): path for path in files}
        self._sent: dict[Path, tuple[int, Sent]] = {}

    def file(self, name: str) -> Sent | None:
        """The file of this name in the list; no path is ever made of what came."""
        path = self._paths.get(name)
        return None if path is None else self._read(path)

    def page(self, name: str) -> str:
        """A page as HTML; "" is the list. What is seen first stands in it, and it names every module that it takes: the
        browser asks for all of them at once instead of finding them one behind the other."""
        page = {"": LIST, **EXPLORERS, **STUDY}[name]
        module = name or "list"
        modules = linking.linked(HOST, f"/static/explorers/{module}.js")
        told = {
            "name": module,
            "modules": "\n".join(f'<link rel="modulepreload" href="{one}">' for one in modules),
            **{field: escape(text) for field, text in page._asdict().items()},
        }
        return (STATIC / PAGE).read_text("utf-8").format(**told)

    def _read(self, path: Path) -> Sent:
        changed = path.stat().st_mtime_ns
        known = self._sent.get(path)
        if known is None or known[0] != changed:
            content = path.read_bytes()
            packed = gzip.compress(content, 6) if path.suffix in (".js", ".css") else None
            tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
            known = self._sent[path] = changed, Sent(content, packed, TYPES[path.suffix], tag)
        return known[1]
