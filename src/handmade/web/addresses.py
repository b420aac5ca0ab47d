"""The state of a page as its address holds it, written in Python."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from handmade.errors import InputError
from handmade.web.explorers import Explorer
from handmade.web.questions import asked


def address(explorer: Explorer, state: Mapping[str, Any]) -> str:
    """The state as it stands behind the # of an address.

    InputError for a value that the explorer's question does not take. Names that are the page's alone, such as the
    place that is looked at, are checked by the page.
    """
    _require_fitting(explorer, state)
    return urlencode({name: value if isinstance(value, str) else _json(name, value) for name, value in state.items()})


def state_in(explorer: Explorer, text: str) -> dict[str, Any]:
    """The state that an address holds: what is a text in the explorer's question stays one, all else is JSON."""
    texts = {field.name for field in dataclasses.fields(explorer.question) if isinstance(field.default, str)}
    state = {}
    for name, value in parse_qsl(text.removeprefix("#"), keep_blank_values=True):
        try:
            state[name] = value if name in texts else json.loads(value)
        except ValueError:
            state[name] = value
    _require_fitting(explorer, state)
    return state


def questions_part(explorer: Explorer, state: Mapping[str, Any]) -> dict[str, Any]:
    """That part of the state which Python is asked with."""
    fields = {field.name for field in dataclasses.fields(explorer.question)}
    return {name: value for name, value in state.items() if name in fields}


def _require_fitting(explorer: Explorer, state: Mapping[str, Any]) -> None:
    part = questions_part(explorer, state)
    asked(
        explorer.question, json.dumps({name: json.loads(_json(name, value)) for name, value in part.items()}).encode()
    )


def _json(name: str, value: Any) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), default=lambda one: one.tolist())
    except (TypeError, ValueError, AttributeError):
        raise InputError(f"{name} is a {type(value).__name__}, expected a text, numbers, or lists of them.") from None
