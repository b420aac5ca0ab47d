"""The room's data files, which the package carries: plan.yaml and cards.yaml."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from handmade.errors import InputError
from handmade.files import cache_folder, write_text
from handmade.reading import read_json, require


def read_yaml(name: str) -> Any:
    """The content of one of the data files.

    YAML is slow to parse, and `handmade plan` waits for it: the content is kept in the user's cache as JSON, together
    with the hash of the file that it was read from.
    """
    source = Path(__file__).with_name(name).read_bytes()
    version = hashlib.sha256(source).hexdigest()
    kept = cache_folder() / "study" / f"{name}.json"
    with suppress(InputError):  # not there yet, or damaged
        cached = read_json(kept)
        require(cached, {"version": str, "content": dict}, str(kept))
        if cached["version"] == version:
            return cached["content"]
    content = _parsed(source)
    with suppress(OSError, InputError):  # a folder that cannot be written
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_text(kept, json.dumps({"version": version, "content": content}))
    return content


def _parsed(source: bytes) -> Any:
    import yaml

    # libyaml's loader is five times as fast, and not in every build of PyYAML.
    return yaml.load(source, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
