"""No warning of the judge's own inside reaches the person who reads a verdict."""

import threading
import warnings


class Quiet:
    """Within `with QUIET:`, in any number of threads, warnings are ignored: until the last such block ends.

    A reference with a mistake put in may well divide by nothing. `warnings.catch_warnings` alone is not enough: two
    judges work side by side, and each would undo the other's.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._blocks == 0:
                self._kept = warnings.catch_warnings()
                self._kept.__enter__()
                warnings.simplefilter("ignore")
            self._blocks += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._blocks -= 1
            if self._blocks == 0:
                self._kept.__exit__(None, None, None)


QUIET = Quiet()
