"""Where data and weights lie on this machine."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where downloads go: the user's cache folder, as the platform has it."""
    import pooch

    return Path(pooch.os_cache("handmade"))


def data_folders() -> list[Path]:
    """The folders that are searched: those of the path list $HANDMADE_DATA, then the user's cache."""
    listed = os.environ.get("HANDMADE_DATA", "").split(os.pathsep)
    return [Path(folder).expanduser() for folder in listed if folder] + [cache_folder()]
