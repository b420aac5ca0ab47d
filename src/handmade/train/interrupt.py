"""Ctrl-C as a request to stop after the current step."""

import signal
import threading
from types import FrameType
from typing import Any


class Interrupt:
    """Within `with Interrupt() as interrupt:`, a first Ctrl-C only sets `interrupt.came`; a second one stops at once.

    Signals reach Python's main thread alone; in another thread this does nothing.
    """

    def __init__(self) -> None:
        self.came = False

    def __enter__(self) -> "Interrupt":
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before: Any = signal.signal(signal.SIGINT, self._remember)
        return self

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        signal.signal(signal.SIGINT, self._before)

    def __exit__(self, *exception: object) -> None:
        if self._main:
            signal.signal(signal.SIGINT, self._before)
