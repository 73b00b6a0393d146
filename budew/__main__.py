"""`python -m budew` runs the command `budew`. Ctrl-C prints one line, even during the imports."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from budew.cli import run_cli

        run_cli()
    except KeyboardInterrupt:
        print("budew: stopped", file=sys.stderr)
        sys.exit(130)
    finally:  # after Ctrl-C inside exec(), CPython ends `python -m` by the signal, unless an exec() follows
        exec("")  # noqa: S102


if __name__ == "__main__":
    main()
