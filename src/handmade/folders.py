"""Where data and weights lie on this machine."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """The user's cache folder, as the platform has it: for downloads and compiled kernels."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("handmade"))


def data_folders() -> list[Path]:
    """The folders that are searched: those of the path list $HANDMADE_DATA, then the user's cache."""
    listed = os.environ.get("HANDMADE_DATA", "").split(os.pathsep)
    return [Path(folder).expanduser() for folder in listed if folder] + [cache_folder()]
