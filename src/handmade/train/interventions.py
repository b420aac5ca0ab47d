"""interventions.jsonl: what was done by hand to a run while it trained. The recipe alone does not repeat such a run.

One JSON object a line: {"step": 120, "what": "rate", "factor": 0.5, "rate": 0.0005}, at the step after which it was.
"""

import json
from pathlib import Path
from typing import Any

from handmade.errors import InputError
from handmade.files import write_text
from handmade.reading import parse_json, read_bytes, require

Intervention = dict[str, Any]


def interventions(folder: Path) -> list[Intervention]:
    """Those of a run, in their order; a damaged line is left out."""
    path = folder / "interventions.jsonl"
    if not path.exists():
        return []
    lines = []
    for number, text in enumerate(read_bytes(path).splitlines(), start=1):
        source = f"{path}, line {number},"
        try:
            line = parse_json(text, source)
            require(line, {"step": int, "what": str}, source)
        except InputError:
            continue
        lines.append(line)
    return lines


def intervened(folder: Path, step: int, what: str, **facts: Any) -> Intervention:
    """Write one down, and leave out those of later steps, which a killed run has lost; it is given back."""
    line = {"step": step, "what": what, **facts}
    kept = [before for before in interventions(folder) if before["step"] <= step]
    text = "".join(json.dumps(one) + "\n" for one in [*kept, line])
    write_text(folder / "interventions.jsonl", text)
    return line
