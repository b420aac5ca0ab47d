"""The program `handmade`: one file a command."""

import signal
import sys
import threading


def main() -> None:
    """Run the program. Ctrl-C ends it at any moment without a traceback, with exit code 130."""
    try:
        from handmade.cli.app import run  # inside: Ctrl-C may come while it loads

        run()
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # what is left to do is Python's own end: no traceback of it
