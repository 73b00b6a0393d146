"""`python -m budew` is the command `budew`. Ctrl-C is one line already while it imports."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from budew.cli import main as run

        run()
    except KeyboardInterrupt:
        print("budew: stopped", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
