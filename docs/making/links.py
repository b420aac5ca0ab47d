"""Pages that are read in the repository, too: their links to files become links to the pages made from them."""

import re
from pathlib import PurePosixPath


def for_the_site(page: str, folder: str, pages: set[str]) -> str:
    """The page with each link to a file of the repository turned to its page. ValueError for one that has none.

    folder: of the page in the repository, "" or "docs".
    """

    def turned(found: re.Match[str]) -> str:
        target = found[2]
        if "://" in target or target.startswith("#"):
            return found[0]
        path, _, anchor = target.partition("#")
        return f"{found[1]}{_target(path, folder, pages)}{'#' * bool(anchor)}{anchor})"

    return re.sub(r"(\]\()([^)\s]+)\)", turned, page)


def _target(path: str, folder: str, pages: set[str]) -> str:
    parts: list[str] = []
    for part in (*PurePosixPath(folder).parts, *PurePosixPath(path).parts):
        parts = parts[:-1] if part == ".." else [*parts, part]
    if parts[:1] == ["docs"]:
        return "/".join(parts[1:])
    if parts[:2] == ["src", "handmade"]:
        *rooms, last = parts[2:]
        name = last.removesuffix(".py")
        inner = [".".join(["handmade", *rooms, name]), *(f"handmade{'.' * bool(rooms)}{'.'.join(rooms)}",)]
        tried = [f"networks/{name}", f"exercises/{name}", *(f"api/{package}" for package in inner)]
        for page in [*tried, f"{name}/index", "house"]:
            if page in pages:
                return f"{page}.md"
    if "/".join(parts) == "README.md":
        return "index.md"
    if len(parts) == 1 and parts[0].removesuffix(".md").lower() in pages:
        return parts[0].lower()
    raise ValueError(f"the link to {path} has no page on the site")
