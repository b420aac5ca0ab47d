"""Events that pages read while something goes on: numbered, kept, and read by several at once."""

import json
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from handmade.errors import InputError

MOST_EVENTS = 4_000
"""Events that are kept; of more, the older half goes, but for the first, which says what it is."""

MOST_READERS = 8


class Busy(InputError):
    """There is no room for another job, or reader."""


class Event(NamedTuple):
    """number: counts from 0. data: JSON."""

    number: int
    kind: str
    data: str


class Eventful:
    """Something that goes on, with the events that it has told of so far.

    number: that it is known by. live: whether more may come; who sees that none will has seen all events.
    readers: how many read it now; left: when the last one left.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.events: list[Event] = []
        self.readers = 0
        self.left = time.monotonic()
        self._lock = threading.Lock()

    @property
    def live(self) -> bool:
        raise NotImplementedError

    def order(self, what: str, **more: Any) -> None:
        """Tell it to do something: "stop" is known by all. InputError where it cannot."""
        raise NotImplementedError

    def end(self, deadline: float) -> None:
        """Wait until it has ended, to `deadline` at most."""
        raise NotImplementedError

    def look_after(self, paused_after: float, ended_after: float) -> None:
        """Pause or end it, if it has been without a reader for that long."""
        raise NotImplementedError

    def came(self) -> None:
        """A reader has come."""

    def note(self, kind: str, **data: Any) -> None:
        """Add an event."""
        number = self.events[-1].number + 1 if self.events else 0
        full = len(self.events) >= MOST_EVENTS
        kept = [*self.events[:1], *self.events[MOST_EVENTS // 2 :]] if full else self.events
        self.events = [*kept, Event(number, kind, json.dumps(data))]  # a new list: readers hold the old one

    def since(self, number: int) -> list[Event]:
        """The events from this number on, as far as they are kept."""
        events = self.events
        return events[bisect_left(events, number, key=lambda event: event.number) :]

    @property
    def away(self) -> float:
        """Seconds that it has been live without a reader."""
        return 0.0 if self.readers or not self.live else time.monotonic() - self.left

    @contextmanager
    def read(self) -> Iterator[None]:
        """Inside the block there is a reader. `Busy` where there are too many."""
        with self._lock:
            if self.readers >= MOST_READERS:
                raise Busy(f"job {self.number} has {MOST_READERS} readers already: close a page of it.")
            self.readers += 1
        try:
            self.came()
            yield
        finally:
            with self._lock:
                self.readers -= 1
                self.left = time.monotonic()
