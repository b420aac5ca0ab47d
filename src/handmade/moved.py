"""Modules that had another name: who imports one is told in one line where its contents are."""

from importlib.abc import MetaPathFinder
from typing import Any

MOVED = {
    "handmade.creation": "handmade.engine.creation",
    "handmade.folders": "handmade.files",
    "handmade.functions": "handmade.engine.functions",
    "handmade.gradcheck": "handmade.engine",
    "handmade.lens.attention_maps": "handmade.lens",
    "handmade.lens.feature_maps": "handmade.lens",
    "handmade.lens.grad_cam": "handmade.lens",
    "handmade.lens.logit_lens": "handmade.lens",
    "handmade.lens.occlusion": "handmade.lens",
    "handmade.lens.recording": "handmade.lens",
    "handmade.methods": "handmade.engine.methods",
    "handmade.random": "handmade.engine.random",
    "handmade.tape": "handmade.engine",
    "handmade.tensor": "handmade.engine",
}


class MovedFinder(MetaPathFinder):
    """The last to be asked for a module: it knows those that have moved, and raises ModuleNotFoundError."""

    @staticmethod
    def find_spec(fullname: str, *_: Any) -> None:
        if fullname in MOVED:
            raise ModuleNotFoundError(f"{fullname} has moved: import its names from {MOVED[fullname]}", name=fullname)
