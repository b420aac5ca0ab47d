"""What takes longer than a page would wait, measured piece by piece: the loss without each of many heads, occlusion.

A thread goes from piece to piece. It holds the model for one piece only, so that other questions to it come in between,
and it ends between two pieces when it is told to, or when nobody has read it for a while.
"""

import sys
import threading
import time
import traceback
from collections.abc import Generator
from contextlib import suppress
from typing import Any

from handmade.errors import InputError
from handmade.web.events import Eventful

ABANDONED = 15.0
"""Seconds without a reader after which a measurement ends."""

BREATH = 0.005
"""Seconds between two pieces: time for a question that waits for the model to get it."""

Pieces = Generator[dict[str, Any], None, None]
"""What each piece has found, as JSON takes it. Between two pieces it holds no model."""


class Measurement(Eventful):
    """Events: "piece" for each, then "done", "cancelled", or "failed" with a message."""

    def __init__(self, number: int, pieces: Pieces) -> None:
        super().__init__(number)
        self._pieces = pieces
        self._cancelled, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def live(self) -> bool:
        return not self._ended.is_set()

    def order(self, what: str, **more: Any) -> None:
        if what != "stop":
            raise InputError(f"job {self.number} is a measurement: it can be cancelled, and nothing else.")
        self._cancelled.set()

    def end(self, deadline: float) -> None:
        self._thread.join(max(0.1, deadline - time.monotonic()))

    def look_after(self, paused_after: float, ended_after: float) -> None:
        if self.away > min(ABANDONED, ended_after):
            self._cancelled.set()

    def _run(self) -> None:
        try:
            self.note(*self._measured())
        except InputError as error:
            self.note("failed", message=str(error))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            said = f"handmade failed on this, which is its mistake: {type(error).__name__}: {error}"
            self.note("failed", message=said)
        finally:
            with suppress(Exception):
                self._pieces.close()
            self._ended.set()

    def _measured(self) -> tuple[str]:
        """Tell of each piece; then how it ended."""
        while not self._cancelled.wait(BREATH):
            piece = next(self._pieces, None)
            if piece is None:
                return ("done",)
            if not self._cancelled.is_set():
                self.note("piece", **piece)
        return ("cancelled",)
