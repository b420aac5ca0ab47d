"""A page as one file: the modules, the styles, and the answers of one state. It opens without a server or a network."""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from html import escape
from typing import Any

import numpy as np

from handmade.errors import InputError, suggestion
from handmade.web import about, linking
from handmade.web.addresses import address, questions_part, state_in
from handmade.web.explorers import NAMES, Explorer, explorer_named
from handmade.web.frames import Answer, packed
from handmade.web.observatory import Observatory
from handmade.web.pages import EXPLORERS
from handmade.web.questions import asked

HOST = "/static/lib/saved.js"

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; base-uri 'none'; form-action 'none'"
)
"""The Content-Security-Policy of the file: it can ask for nothing, whatever is in it."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title} · handmade</title>
<link rel="icon" href="data:,">
<style>{styles}</style>
<body data-page="{name}"><div id="page" class="handmade"></div>
<script type="module">
{module}
</script>
</body>
</html>
"""


def exported(name: str, state: str, observatory: Observatory) -> str:
    """The page of an explorer in a state, as behind the # of its address, as HTML.

    It holds the answer of this state, and those that its explorer's `also` names: the text's other heads, for example.
    InputError for an unknown explorer, a state that does not fit, and where there is no model to look into.
    """
    if name not in NAMES:
        raise InputError(f"there is no explorer {name!r}{suggestion(name, NAMES)} There are {', '.join(NAMES)}.")
    explorer = explorer_named(name)
    if explorer.fits is not None and not observatory.models.sources(explorer.fits):
        raise InputError(f"{name} looks into a model, and there is none here that fits. `{explorer.trains}` makes one.")
    page = state_in(explorer, state)
    question = asked(explorer.question, json.dumps(questions_part(explorer, page)).encode())
    answers = [("about", {"explorer": name}, _about(name, question, observatory))]
    answers += [(name, asdict(one), given) for one, given in _answers(explorer, question, observatory)]
    entry = f"/static/explorers/{name}.js"
    held = _held(name, answers, explorer, address(explorer, {**page, **_starting(explorer, page)}))
    then = (
        f"const host = loaded[{HOST!r}].savedHost(await loaded[{HOST!r}].unpacked({held!r}));\n"
        f'loaded[{entry!r}].default.render({{ host, el: document.getElementById("page") }});'
    )
    return PAGE.format(
        policy=POLICY,
        title=escape(EXPLORERS[name].title),
        styles=linking.styles(),
        name=name,
        module=linking.module(entry, HOST, then=then),
    )


def _answers(explorer: Explorer, question: Any, observatory: Observatory) -> Iterator[tuple[Any, Answer]]:
    first = explorer.answer(question, observatory)
    yield question, first
    for other in explorer.also(question, first):
        if other != question:
            yield other, explorer.answer(other, observatory)


def _starting(explorer: Explorer, page: dict[str, Any]) -> dict[str, Any]:
    """The learner's own code stays on his machine: the page starts with the reference."""
    return {"code": "reference"} if page.get("code") == "mine" else {}


def _about(name: str, question: Any, observatory: Observatory) -> Answer:
    """What stands around the picture, without what is the learner's own: files, verdicts, other models."""
    told = about.told(json.dumps({"explorer": name}).encode(), observatory).meta
    model = getattr(question, "model", "")
    return Answer(
        {
            **told,
            "models": [one for one in told["models"] if model in ("", one["name"])][:1],
            "exercises": [{**one, "file": None, "passed": None, "predictions": 0} for one in told["exercises"]],
        }
    )


def _held(name: str, answers: list[tuple[str, Any, Answer]], explorer: Explorer, state: str) -> str:
    """All answers in one frame, each array once however many of them have it; packed, and written in letters."""
    arrays: dict[str, np.ndarray] = {}
    told = []
    for to, question, answer in answers:
        places = {}
        for key, array in answer.arrays.items():
            whole = np.ascontiguousarray(array)
            place = hashlib.sha256(f"{whole.dtype}{whole.shape}".encode() + whole.tobytes()).hexdigest()[:16]
            places[key] = place
            arrays[place] = whole
        told.append({"to": to, "question": question, "meta": answer.meta, "arrays": places})
    usual = {"about": {}, name: asdict(explorer.question())}
    meta = {"name": name, "answers": told, "usual": usual, "address": state}
    return base64.b64encode(gzip.compress(packed(meta, arrays), mtime=0)).decode()
