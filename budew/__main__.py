"""`python -m budew` runs the command `budew`. Ctrl-C prints one line, even during the imports."""

import os
import signal
import sys
import threading
from typing import Any


def main() -> None:
    """Run the command line."""
    sys.unraisablehook = _repeat_lost_interrupt
    try:
        from budew.cli import run_cli

        run_cli()
    except KeyboardInterrupt:
        print("budew: stopped", file=sys.stderr)
        sys.exit(130)
    finally:  # after Ctrl-C inside exec(), CPython ends `python -m` by the signal, unless an exec() follows
        exec("")  # noqa: S102


def _repeat_lost_interrupt(lost: Any) -> None:
    # CPython discards a KeyboardInterrupt within a callback of a weak reference, of which imports have many
    if issubclass(lost.exc_type, KeyboardInterrupt):
        threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
    else:
        sys.__unraisablehook__(lost)


if __name__ == "__main__":
    main()
