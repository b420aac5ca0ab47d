"""config.json, which Hugging Face's library writes beside weights: the network that they belong to.

Weights show most sizes, but not the number of heads, the activation or the norms' epsilon: those of another network
load without an error and compute something else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

LARGEST = 2**24
"""The largest size allowed, far above any published one: a file that asks for more is damaged or malicious."""
DEEPEST = 1000
"""The most layers allowed."""


def check_computed(settings: Mapping[str, Any], computed: Mapping[str, tuple[Any, ...]], network: str) -> None:
    """Raise ValueError unless each setting is absent or one of the values that `network` can compute."""
    for name, values in computed.items():
        if name in settings and settings[name] not in values:
            known = " or ".join(map(json.dumps, values))
            raise ValueError(
                f"{name} is {_shown(settings[name])}, and {network} computes {known} only: with these weights it would "
                "give other numbers than the network they are of. Use weights that were trained so"
            )


def fields_of(settings: Mapping[str, Any], kind: type, names: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a configuration, a dataclass, by the settings' names; those that are absent are left out.

    Raises ValueError for a value of another type than the field's default, and for sizes that no network has.
    """
    defaults = {field.name: field.default for field in fields(kind)}
    found = {}
    for name, field in names.items():
        if name not in settings:
            continue
        value, expected = settings[name], type(defaults[field])
        most = DEEPEST if "layer" in name else LARGEST
        if expected is int and not (type(value) is int and 0 <= value <= most):
            raise ValueError(f"{name} is {_shown(value)}, expected a whole number up to {most:,}")
        if expected is float and not (type(value) in (int, float) and 0 <= value <= 1):
            raise ValueError(f"{name} is {_shown(value)}, expected a number from 0 to 1")
        if expected is bool and type(value) is not bool:
            raise ValueError(f"{name} is {_shown(value)}, expected true or false")
        found[field] = expected(value)
    return found


def check_same(expected: Any, own: Any, names: Iterable[str]) -> None:
    """Raise ValueError where fields of the model's configuration are not those that the settings, of these names, mean.

    The settings are called as the fields are.
    """
    for name in names:
        wanted, has = getattr(expected, name), getattr(own, name)
        if wanted != has:
            raise ValueError(
                f"{name} is {_shown(wanted)}, and this model has {_shown(has)}: build it with {type(own).__name__}"
                f"({name}={wanted!r})"
            )


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
