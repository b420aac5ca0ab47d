"""The room's data files, which the package carries: plan.yaml and cards.yaml."""

from importlib.resources import files
from typing import Any

import yaml

# libyaml's loader is five times as fast, and not in every build of PyYAML.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(name: str) -> Any:
    """The content of one of the data files."""
    return yaml.load(files("handmade.study").joinpath(name).read_text("utf-8"), _LOADER)
