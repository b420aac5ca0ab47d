"""A clock that runs until Enter is pressed or the time is over."""

import select
import sys
import time


def wait_until_handed_in(seconds: float) -> float:
    """Wait for a line on standard input, its end, or Ctrl-C, at most so long: the seconds that passed.

    In a terminal the time that is left is shown, and changes.
    """
    begun = time.monotonic()
    shown = sys.stdout.isatty()
    try:
        while (left := seconds - (time.monotonic() - begun)) > 0:
            if shown:
                print(f"\r{int(left) // 60:3}:{int(left) % 60:02} left ", end="", flush=True)
            if select.select([sys.stdin], [], [], min(left, 1.0))[0]:
                sys.stdin.readline()
                break
        else:
            print("\nThe time is over.")
    except KeyboardInterrupt:
        print("\nHanded in.")
    if shown:
        print()
    return min(time.monotonic() - begun, seconds)
