"""Models that a program holds as objects, for explorers outside the server."""

import threading
from collections.abc import Callable
from typing import Any

from handmade.errors import InputError
from handmade.models.card import Card
from handmade.opening import open as open_model
from handmade.tasks import Use
from handmade.web.explorers import Explorer
from handmade.web.models import Models, Source, _Opened


class HeldModels(Models):
    """One model, given as the object that `handmade.open` gives: nothing is read from a file, nothing is let go."""

    def __init__(self, use: Use) -> None:
        self._use = _Opened(use, 0)
        self._source = Source(use.name, use.name, "")

    def sources(self, fits: Callable[[Card], bool] = lambda card: True) -> list[Source]:
        card = self._source.card
        return [self._source] if card is not None and fits(card) else []

    def parameters(self, source: Source) -> int:
        return self._use.parameters

    def forget_busy(self) -> None:
        """It cannot be opened anew: who waits for it goes on waiting, but what comes next does not."""
        self._use.lock = threading.Lock()

    def _open(self, source: Source) -> _Opened:
        return self._use


def held(name: str, explorer: Explorer, model: Any) -> HeldModels:
    """The model for one explorer. InputError where it is none, or of a network that the explorer cannot look into."""
    use = model if not isinstance(model, str | bytes) and isinstance(model, Use) else _opened(model)
    if explorer.fits is None:
        raise InputError(f"{name} looks into no model: leave it out.")
    models = HeldModels(use)
    if not models.sources(explorer.fits):
        raise InputError(f"{name} cannot look into a {use.name}. `{explorer.trains}` makes a model for it.")
    return models


def _opened(model: Any) -> Use:
    from os import PathLike

    if isinstance(model, str | PathLike):
        return open_model(model)
    raise InputError(
        f"the model is a {type(model).__name__}, expected what handmade.open gives, or the folder of a run: "
        'handmade.open("runs/gpt-1").'
    )
